"""Adding, changing and deleting through the services: what is stored, what is refused, and what it costs."""

import re

import pytest

from apps.accounts.entities import Role
from apps.audit.repository import AuditLog
from apps.policy_runs import admin as hosts_admin
from tests.console.pages import form_of
from tests.policy_runs.web import browser, member

HOSTS = "/admin/terminal/host/"
ADD = f"{HOSTS}add/"
CHANGE, DELETE, HISTORY = (f"{HOSTS}mainframe-1/{screen}/" for screen in ("change", "delete", "history"))


@pytest.fixture
def audited(store):
    """The entries on a host, newest first."""
    return lambda name="mainframe-1": list(AuditLog(store).of(f"Hosts#{name}").items)


def test_a_host_is_added_with_its_audit_entry(adas, ada, hosts, audited, costs):
    form = form_of(adas.get(ADD)) | {"host_name": "new-1", "address": "192.0.2.9", "port": "992"}
    with costs(requests=4, gets=2, writes=2):  # who is it? then one transaction, and what to say on the next page
        answer = adas.post(ADD, form)
    assert (answer.status_code, answer.url) == (302, HOSTS)
    made = hosts.get("new-1", consistent=True)
    assert (made.address, made.port, made.use_tls, made.encoding, made.version) == ("192.0.2.9", 992, True, "cp037", 1)
    (entry,) = audited("new-1")
    assert (entry.action, entry.actor_id, entry.address) == ("host.added", ada.user_id, "127.0.0.1")
    assert entry.after["port"] == 992
    assert "“new-1” is added." in adas.get(HOSTS).content.decode()


def test_a_change_writes_what_was_touched_and_nothing_else(adas, host, hosts, audited):
    form = form_of(adas.get(CHANGE))
    del form["use_tls"]
    answer = adas.post(CHANGE, form | {"description": "Newer", "port": "993"})
    assert (answer.status_code, answer.url) == (302, HOSTS)
    changed = hosts.get("mainframe-1", consistent=True)
    assert changed == host.evolve(description="Newer", port=993, use_tls=False).at_version(2)
    (entry,) = audited()
    assert entry.before == {"description": "The old one", "port": 992, "use_tls": True}
    assert entry.after == {"description": "Newer", "port": 993, "use_tls": False}


def test_what_was_not_changed_is_not_written(adas, host, hosts, audited, costs):
    form = form_of(adas.get(CHANGE))
    with costs(gets=3, requests=4, writes=1):  # the write is the session's, which says so
        assert adas.post(CHANGE, form).status_code == 302
    assert hosts.get("mainframe-1", consistent=True).version == 1
    assert audited() == []


def test_a_field_that_the_form_lacks_survives_a_change(adas, host, hosts, monkeypatch):
    admin = next(found for found in _admins() if isinstance(found, hosts_admin.HostAdmin))
    hosts.save(host.evolve(encoding="cp1047"))
    monkeypatch.setattr(admin, "fields", ("host_name", "port"))
    form = form_of(adas.get(CHANGE))
    assert "encoding" not in form
    adas.post(CHANGE, form | {"port": "994", "encoding": "smuggled"})
    kept = hosts.get("mainframe-1", consistent=True)
    assert (kept.port, kept.encoding) == (994, "cp1047")


def test_of_two_editors_the_second_sees_both_versions_and_loses_nothing(store, adas, host, hosts, audited):
    form = form_of(adas.get(CHANGE))
    hosts.save(host.evolve(description="Theirs", port=1111))
    lost = adas.post(CHANGE, form | {"description": "Mine", "encoding": "cp500"})
    assert lost.status_code == 409
    html = re.sub(r' data-label="[^"]*"', "", lost.content.decode())
    assert re.search(r"changed by both</span></th><td>The old one</td><td>Theirs</td><td>Mine</td>", html)
    assert re.search(r"Encoding</th><td>cp037</td><td>cp037</td><td>cp500</td>", html), "only one side changed it"
    assert re.search(
        r'Port</th><td><span class="number">992</span></td><td><span class="number">1111</span>.*?Nothing: it', html
    )
    assert audited() == []

    again = form_of(lost)
    assert (again["description"], again["encoding"], again["port"]) == ("Mine", "cp500", "1111")
    assert adas.post(CHANGE, again).status_code == 302
    kept = hosts.get("mainframe-1", consistent=True)
    assert (kept.description, kept.encoding, kept.port, kept.version) == ("Mine", "cp500", 1111, 3)


def test_a_change_between_the_reading_and_the_writing_shows_both_versions_too(adas, host, hosts, monkeypatch):
    form = form_of(adas.get(CHANGE))
    through_service = hosts_admin.change_host

    def overtaken(hosts, *, before, **more):
        monkeypatch.setattr(hosts_admin, "change_host", through_service)
        hosts.save(before.evolve(description="Theirs"))
        return through_service(hosts, before=before, **more)

    monkeypatch.setattr(hosts_admin, "change_host", overtaken)
    lost = adas.post(CHANGE, form | {"description": "Mine"})
    assert lost.status_code == 409
    assert re.search(r'"Stored now">Theirs</td><td data-label="You entered">Mine</td>', lost.content.decode())
    assert adas.post(CHANGE, form_of(lost)).status_code == 302
    assert hosts.get("mainframe-1", consistent=True).description == "Mine"


def test_a_form_without_the_version_that_was_read_is_stale(adas, host, hosts):
    form = form_of(adas.get(CHANGE))
    del form["read_version"]
    assert adas.post(CHANGE, form | {"port": "1"}).status_code == 409
    assert hosts.get("mainframe-1", consistent=True) == host


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"port": "70000"}, "Enter 65535 or less."),
        ({"port": "0"}, "Enter 1 or more."),
        ({"port": "many"}, "Enter a whole number."),
        ({"sessions_at_once": "-1"}, "Enter 1 or more."),
        ({"address": ""}, "This field is required."),
    ],
)
def test_what_the_entity_refuses_is_told_beside_its_field_and_what_was_typed_stays(adas, host, hosts, changes, told):
    answer = adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"description": "Typed"} | changes)
    html = answer.content.decode()
    ((name, value),) = changes.items()
    assert answer.status_code == 422
    assert html.count(told) == 2, "in the summary and beside the field"
    assert f'href="#id_{name}"' in html
    assert (form_of(answer)["description"], form_of(answer).get(name, "")) == ("Typed", value)
    assert hosts.get("mainframe-1", consistent=True) == host


def test_a_name_that_is_taken_and_one_that_cannot_be_are_refused(adas, host, hosts):
    form = form_of(adas.get(ADD)) | {"address": "192.0.2.9", "port": "1"}
    taken = adas.post(ADD, form | {"host_name": "mainframe-1"})
    assert taken.status_code == 422
    assert "already" in taken.content.decode()
    assert adas.post(ADD, form | {"host_name": "no spaces"}).status_code == 422
    assert hosts.get("mainframe-1", consistent=True) == host


def test_a_host_is_deleted_after_a_question_and_its_history_stays(adas, host, hosts, audited):
    question = adas.get(DELETE)
    assert question.status_code == 200
    answer = adas.post(DELETE, form_of(question))
    assert (answer.status_code, answer.url) == (302, HOSTS)
    assert hosts.find("mainframe-1", consistent=True) is None
    (entry,) = audited()
    assert (entry.action, entry.before["address"]) == ("host.deleted", "192.0.2.7")
    history = adas.get(HISTORY).content.decode()
    assert "host.deleted" in history
    assert "Not there any more" in history
    assert CHANGE not in history
    assert adas.get(DELETE).status_code == 404


def test_what_somebody_changed_since_the_question_is_not_deleted(adas, host, hosts):
    form = form_of(adas.get(DELETE))
    hosts.save(host.evolve(description="Still needed"))
    answer = adas.post(DELETE, form)
    assert (answer.status_code, answer.url) == (302, DELETE)
    assert hosts.find("mainframe-1", consistent=True)
    assert "Look at it again" in adas.get(DELETE).content.decode()


def test_what_others_depend_on_is_named_and_stays(adas, host, hosts, monkeypatch):
    monkeypatch.setattr(hosts_admin.HostAdmin, "dependents", lambda _, entity: [f"a run on {entity.host_name}"])
    question = adas.get(DELETE)
    assert "a run on mainframe-1" in question.content.decode()
    adas.post(DELETE, {"read_version": "1"})
    assert hosts.find("mainframe-1", consistent=True)


def test_the_history_tells_who_did_what_and_costs_a_query_and_the_row(adas, host, costs):
    adas.post(CHANGE, form_of(adas.get(CHANGE)) | {"port": "993"})
    adas.get(HOSTS)  # takes what there was to say
    with costs(requests=4, gets=3, queries=1, wcu=0):
        html = adas.get(HISTORY).content.decode()
    assert "Ada Admin" in html
    assert re.search(r'port:</span> <span class="number">992</span> → <span class="number">993</span>', html)


def test_the_page_of_a_list_is_come_back_to(adas, host):
    address = f"{CHANGE}?_changelist_filters=q%3Dx"
    assert adas.post(address, form_of(adas.get(address))).url == f"{HOSTS}?q=x"


def test_support_sees_hosts_and_their_forms_are_none(store, host, hosts, audited):
    sams = browser(member(store, Role.SUPPORT))
    page = sams.get(CHANGE).content.decode()
    assert "192.0.2.7" in page
    assert not re.search(r'class="edit"|/delete/|/history/', page)
    assert sams.get(HISTORY).status_code == 404, "the audit log is for administrators"
    assert sams.post(CHANGE, {"port": "1", "read_version": "1"}).status_code == 403
    assert hosts.get("mainframe-1", consistent=True) == host


def test_the_forms_keep_to_the_policy_against_inline_scripts_and_styles(adas, host):
    for address in (ADD, CHANGE, DELETE, HISTORY):
        html = adas.get(address).content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html), address


def _admins():
    from project.console import console  # noqa: PLC0415  (once the addresses are there)

    return console._registry.values()


def test_what_is_saved_is_told_by_its_new_name(store, adas):
    user = member(store, Role.OPERATOR, name="Dusk One")
    address = f"/admin/accounts/user/{user.user_id}/change/"
    told = adas.post(address, form_of(adas.get(address)) | {"name": "Dusk Two"}, follow=True)
    assert "“Dusk Two” is saved." in told.content.decode()
