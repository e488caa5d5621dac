"""What is done to rows chosen in a list: asked first, row by row, through the services, and told row by row."""

import csv
import io
import re
from datetime import date

import pytest
from django import forms

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.audit.repository import AuditLog
from apps.console.lists.actions import row_action
from apps.errors import Conflict
from apps.policy_runs import admin as hosts_admin
from apps.terminal.entities import Host
from tests.console.ships import Crate, Flag, Ship, ShipAdmin
from tests.console.test_lists import HOSTS, USERS
from tests.policy_runs.web import browser, member


@pytest.fixture
def three(hosts):
    return [hosts.add(Host(host_name=f"host-{number}", address="192.0.2.1", port=23)) for number in range(3)]


@pytest.fixture
def audited(store):
    return lambda name: [entry.action for entry in AuditLog(store).of(f"Hosts#{name}").items]


def chosen(action, *names, **more):
    return {"action": action, "row": list(names), **more}


def asked(page):
    """What the page that asks would send."""
    html = re.search(r'<form class="after-list".*?</form>', page.content.decode(), re.DOTALL)[0]
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', html):
        found.setdefault(name, []).append(value)
    return found


def states(page):
    """What is said of each row."""
    found = re.findall(r'<th scope="row">([^<]*)</th><td>(.*?)</td>', page.content.decode(), re.DOTALL)
    return {name: " ".join(re.sub(r"<[^>]*>", " ", said).split()) for name, said in found}


def test_rows_are_deleted_after_a_question_that_lists_them(adas, hosts, three, audited, costs):
    with costs(requests=3, gets=3, writes=0):  # two that tell who asks, and one batch
        question = adas.post(HOSTS, chosen("delete", "host-0", "host-2"))
    assert question.status_code == 200
    assert states(question) == {"host-0": "Ready", "host-2": "Ready"}
    assert hosts.find("host-0", consistent=True)
    with costs(requests=6, gets=3, writes=3):  # each in its own transaction, and the notice
        answer = adas.post(HOSTS, asked(question))
    assert (answer.status_code, answer.url) == (302, HOSTS)
    assert [host.host_name for host in hosts.leaf(limit=9)] == ["host-1"]
    assert audited("host-0")[0] == audited("host-2")[0] == "host.deleted"
    assert "2 hosts are deleted." in adas.get(HOSTS).content.decode()


def test_what_changed_since_the_question_stays_and_is_told(adas, hosts, three, audited):
    question = adas.post(HOSTS, chosen("delete", "host-0", "host-1", "host-2"))
    hosts.save(three[1].evolve(description="Needed"))
    hosts.delete("host-2")
    answer = adas.post(HOSTS, asked(question))
    assert answer.status_code == 200
    assert states(answer) == {
        "host-0": "Deleted",
        "host-1": "Not possible Somebody changed it in the meantime. Look at it again.",
        "host-2": "Not possible It is gone already.",
    }
    assert hosts.get("host-1", consistent=True).description == "Needed"
    assert audited("host-1") == []


def test_a_version_that_nobody_was_shown_is_not_deleted(adas, hosts, three):
    adas.post(HOSTS, chosen("delete", "host-0", confirmed="1"))
    adas.post(HOSTS, chosen("delete", "host-0", confirmed="1", version="7"))
    assert hosts.find("host-0", consistent=True)


def test_what_others_depend_on_is_named_and_stays(adas, hosts, three, monkeypatch):
    needing = lambda _, entity: ["a run"] if entity.host_name == "host-1" else []  # noqa: E731
    monkeypatch.setattr(hosts_admin.HostAdmin, "dependents", needing)
    question = adas.post(HOSTS, chosen("delete", "host-0", "host-1"))
    assert states(question) == {"host-0": "Ready", "host-1": "Not possible Needed by a run."}
    assert asked(question)["row"] == ["host-0"]
    adas.post(HOSTS, chosen("delete", "host-1", confirmed="1", version="1"))
    assert hosts.find("host-1", consistent=True)


def test_an_action_of_the_admin_s_own_goes_through_the_service(adas, hosts, three, audited):
    question = adas.post(f"{HOSTS}?o=x", chosen("switch_off", "host-0", "host-1"))
    assert "No run can be started" in question.content.decode()
    answer = adas.post(f"{HOSTS}?o=x", asked(question))
    assert (answer.status_code, answer.url) == (302, f"{HOSTS}?o=x"), "back to the same page"
    assert [hosts.get(f"host-{number}").enabled for number in range(3)] == [False, False, True]
    assert audited("host-0") == ["host.changed"]
    assert adas.post(HOSTS, chosen("switch_on", "host-0", "host-2")).status_code == 302, "nothing to ask"
    assert hosts.get("host-0").enabled
    assert audited("host-2") == [], "it was on already"


class ReasonForm(forms.Form):
    reason = forms.CharField(max_length=20)


@pytest.fixture
def renamed(monkeypatch):
    """An action that asks for something more and fails for one row."""

    @row_action("Describe …", permission="hosts.change", done="described", form=ReasonForm)
    def describe(admin, request, entity, data):
        if entity.host_name == "host-1":
            raise Conflict("This one is taken.")
        admin.change(request, before=entity, after=entity.evolve(description=data["reason"]))

    monkeypatch.setattr(hosts_admin.HostAdmin, "describe", describe, raising=False)
    monkeypatch.setattr(hosts_admin.HostAdmin, "row_actions", ("describe",))


def test_an_action_may_ask_for_more_and_what_was_typed_stays(adas, hosts, three, renamed):
    question = adas.post(HOSTS, chosen("describe", "host-0", "host-1", "host-2"))
    assert 'name="reason"' in question.content.decode()
    wrong = adas.post(HOSTS, asked(question) | {"reason": "far too long for this form"})
    assert wrong.status_code == 422
    assert "far too long for this form" in wrong.content.decode()
    assert hosts.get("host-0").description == ""
    answer = adas.post(HOSTS, asked(wrong) | {"reason": "Retired"})
    assert states(answer) == {"host-0": "Described", "host-1": "Not possible This one is taken.", "host-2": "Described"}
    assert "2 of 3 hosts described" in answer.content.decode()
    assert [hosts.get(f"host-{number}").description for number in range(3)] == ["Retired", "", "Retired"]


def test_what_changed_while_the_form_was_corrected_stays_and_is_told(adas, hosts, three, renamed):
    question = adas.post(HOSTS, chosen("describe", "host-0", "host-2"))
    hosts.save(three[0].evolve(description="Somebody else's"))
    wrong = adas.post(HOSTS, asked(question) | {"reason": ""})
    assert "changed it in the meantime" in states(wrong)["host-0"]
    assert asked(wrong)["row"] == ["host-2"]
    adas.post(HOSTS, asked(wrong) | {"reason": "Retired"})
    assert [hosts.get(f"host-{number}").description for number in (0, 2)] == ["Somebody else's", "Retired"]


def test_chosen_rows_are_exported_as_harmless_csv_and_that_is_recorded(store, adas, ada, hosts, three, costs):
    hosts.save(three[1].evolve(description="=HYPERLINK(1)"))
    with costs(requests=4, gets=3, writes=1):
        answer = adas.post(HOSTS, chosen("export", "host-1", "host-0", "gone"))
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="Hosts.csv"'
    table = list(csv.reader(io.StringIO(answer.content.decode())))
    assert table[0][:3] == ["key", "name", "description"]
    assert [line[:3] for line in table[1:3]] == [["host-1", "host-1", "'=HYPERLINK(1)"], ["host-0", "host-0", ""]]
    assert table[3:] == [["gone", "Left out: It is gone already."]]
    (entry,) = AuditLog(store).of("Hosts#exports").items
    assert (entry.action, entry.actor_id, entry.after["rows"]) == ("rows.exported", ada.user_id, ["host-1", "host-0"])


def test_an_export_of_users_holds_no_hash(store, adas, ada):
    Users(store).save(Users(store).get(ada.user_id).evolve(password_hash="argon2$never"))
    answer = adas.post(USERS, chosen("export", ada.user_id))
    assert ada.email in answer.content.decode()
    assert "argon2" not in answer.content.decode()


def test_sets_flags_lists_and_models_are_exported_as_words_and_not_as_python(ships, adas, monkeypatch):
    columns = ("ship_id", "flags", "ports", "course", "rig", "stores", "plan", "cargo", "radio_key", "built_on")
    monkeypatch.setattr(ShipAdmin, "exports", ShipAdmin.sees)
    monkeypatch.setattr(ShipAdmin, "list_display", columns)
    ship = Ship(
        ship_id="s",
        flags=frozenset({Flag.RED, Flag.DARK_BLUE}),
        ports=("Kiel", "Bergen"),
        course=(Flag.WHITE,),
        stores={"rum": 3},
        plan=b"\xff",
        cargo=(Crate(mark="x", is_fragile=True),),
        built_on=date(2026, 1, 2),
    )
    ships.add(ship)
    answer = adas.post("/admin/console/ship/", chosen("export", "s"))
    _, line = csv.reader(io.StringIO(answer.content.decode()))
    crate = '[{"mark":"x","count":1,"is_fragile":true,"packed_at":null}]'
    assert line[1:] == [
        *("s", "dark_blue, red", "Kiel, Bergen", "white", "none", '{"rum":3}', '"_w=="', crate, "Not set", "2026-01-02")
    ]


def test_an_export_of_users_tells_roles_as_they_are_stored(adas, ada):
    answer = adas.post(USERS, chosen("export", ada.user_id))
    _, line = csv.reader(io.StringIO(answer.content.decode()))
    assert line == [ada.user_id, "Ada Admin", ada.email, "admin", "yes"]


@pytest.mark.parametrize("action", ["delete", "switch_off", "switch_on", "export", "delete_selected", "", "strange"])
def test_who_only_sees_may_do_nothing_to_rows(store, hosts, three, action):
    sams = browser(member(store, Role.SUPPORT))
    assert sams.post(HOSTS, chosen(action, "host-0", confirmed="1", version="1")).status_code == 403
    assert 'name="row"' not in sams.get(HOSTS).content.decode()
    assert browser(member(store, Role.OPERATOR)).post(HOSTS, chosen(action, "host-0")).status_code == 404
    assert hosts.get("host-0", consistent=True) == three[0]


def test_permission_is_asked_for_each_row(adas, hosts, three, monkeypatch):
    allowed = lambda _, request, obj=None: obj is None or obj.pk != "host-1"  # noqa: ARG005, E731
    monkeypatch.setattr(hosts_admin.HostAdmin, "has_delete_permission", allowed)
    question = adas.post(HOSTS, chosen("delete", "host-0", "host-1"))
    assert states(question)["host-1"] == "Not possible You may not do that here."
    adas.post(HOSTS, chosen("delete", "host-0", "host-1", confirmed="1", version=["1", "1"]))
    assert hosts.find("host-1", consistent=True)
    assert hosts.find("host-0", consistent=True) is None


@pytest.mark.parametrize("action", ["delete", "switch_off", "export"])
def test_a_row_that_one_may_not_see_is_not_there(adas, hosts, three, monkeypatch, action):
    hosts.add(Host(host_name="host-9", address="192.0.2.1", port=23, description="Nobody knows"))
    monkeypatch.setattr(hosts_admin.HostAdmin, "list_display", ("description",))
    monkeypatch.setattr("apps.console.twins.Twin.__str__", lambda row: row.description or "x")
    allowed = lambda _, request, obj=None: obj is None or obj.pk != "host-9"  # noqa: ARG005, E731
    monkeypatch.setattr(hosts_admin.HostAdmin, "has_view_permission", allowed)
    page = adas.post(HOSTS, chosen(action, "host-9")).content.decode()
    assert "It is gone already." in page
    assert "Nobody knows" not in page


def test_an_action_is_for_the_rows_of_one_page(adas, hosts, three):
    assert adas.post(HOSTS, chosen("delete", "host-0", select_across="1")).status_code == 422
    assert adas.post(HOSTS, chosen("delete", *(f"host-{number}" for number in range(51)))).status_code == 422


def test_without_rows_nothing_is_done_and_it_is_said(adas, host):
    answer = adas.post(HOSTS, {"action": "delete"})
    assert (answer.status_code, answer.url) == (302, HOSTS)
    assert "Choose rows first" in adas.get(HOSTS).content.decode()


@pytest.mark.parametrize("name", ["nobody", "x" * 3000, "\0", "", "a~b"])
def test_a_row_that_is_not_there_is_told(adas, host, name):
    question = adas.post(HOSTS, chosen("delete", name, "mainframe-1"))
    assert question.status_code == 200
    assert "It is gone already." in question.content.decode()


def test_a_form_of_another_site_does_nothing(ada, hosts, three):
    strict = browser(ada, enforce_csrf_checks=True)
    assert strict.post(HOSTS, chosen("switch_on", "host-0")).status_code == 403


def test_a_whole_page_of_rows_is_read_by_one_batch(adas, hosts, costs):
    names = [f"many-{number:02}" for number in range(50)]
    for name in names:
        hosts.add(Host(host_name=name, address="192.0.2.1", port=23))
    with costs(requests=3, gets=3, writes=0):
        question = adas.post(HOSTS, chosen("delete", *names))
    assert len(asked(question)["row"]) == 50


def test_the_pages_of_actions_keep_to_the_policy_against_inline_scripts_and_styles(adas, three):
    for page in (adas.get(HOSTS), adas.post(HOSTS, chosen("delete", "host-0", "nobody"))):
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", page.content.decode())
