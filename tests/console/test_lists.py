"""Lists and pages of rows: what they show, and what they cost whatever the table holds."""

import re

import pytest

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.console.entity_admin import EntityAdmin
from apps.terminal.entities import Host
from tests.console.pages import form_of
from tests.policy_runs.conftest import person
from tests.policy_runs.web import browser, member

USERS, HOSTS = "/admin/accounts/user/", "/admin/terminal/host/"


def rows(answer):
    """The text of the first column, in the page's order."""
    assert answer.status_code == 200, answer
    return re.findall(r'<th scope="row"><a href="[^"]*">\s*(.*?)\s*</a>', answer.content.decode(), re.DOTALL)


def link(answer, rel):
    """Where a button of the pager leads, or None."""
    found = re.search(rf'rel="{rel}" href="([^"]+)"', answer.content.decode())
    return found and found[1].replace("&amp;", "&")


@pytest.fixture
def crowd(store):
    users = Users(store)
    users_made = [person(Role.OPERATOR, name=f"Crowd {number:03}") for number in range(120)]
    for user in users_made:
        users.add(user)
    return users_made


def test_users_are_leafed_through_by_name_forward_and_back(adas, crowd):
    first = adas.get(USERS)
    second = adas.get(USERS + link(first, "next"))
    third = adas.get(USERS + link(second, "next"))
    assert [len(rows(page)) for page in (first, second, third)] == [50, 50, 21]
    assert [*rows(first), *rows(second), *rows(third)] == [
        "Ada Admin",
        *(f"Crowd {number:03}" for number in range(120)),
    ]
    assert (link(first, "prev"), link(first, "first"), link(third, "next")) == (None, None, None)
    assert rows(adas.get(USERS + link(third, "prev"))) == rows(second)
    assert rows(adas.get(USERS + link(third, "first"))) == rows(first)


def test_hosts_are_leafed_through_forward(adas, hosts):
    for number in range(60):
        hosts.add(Host(host_name=f"host-{number}", address="192.0.2.1", port=23))
    first = adas.get(HOSTS)
    second = adas.get(HOSTS + link(first, "next"))
    assert (len(rows(first)), len(rows(second)), link(second, "next")) == (50, 10, None)
    assert {*rows(first), *rows(second)} == {f"host-{number}" for number in range(60)}


def test_a_list_costs_one_query_whatever_the_table_holds(adas, crowd, host, costs):
    with costs(requests=3, gets=2, queries=1, rcu=10, wcu=0):  # two gets tell who it is
        page = adas.get(USERS)
    with costs(requests=3, gets=2, queries=1, wcu=0):
        adas.get(USERS + link(page, "next"))
    with costs(requests=3, gets=2, queries=1, wcu=0):
        assert len(rows(adas.get(f"{USERS}?q=crowd+01"))) == 10
    with costs(requests=3, gets=2, scans=1, wcu=0):  # leafing reads what it shows
        assert rows(adas.get(HOSTS)) == ["mainframe-1"]


def test_a_page_of_a_row_costs_one_read(adas, host, costs):
    with costs(requests=3, gets=3, wcu=0):
        assert adas.get(f"{HOSTS}mainframe-1/change/").status_code == 200


def test_the_search_finds_by_how_the_name_begins_and_without_case(adas, crowd):
    assert rows(adas.get(f"{USERS}?q=CROWD+11")) == [f"Crowd {number}" for number in range(110, 120)]
    nothing = adas.get(f"{USERS}?q=rowd")
    assert rows(nothing) == []
    assert "Nothing begins with" in nothing.content.decode()


def test_a_search_keeps_to_itself_over_pages(adas, crowd):
    page = adas.get(f"{USERS}?q=crowd")
    assert "q=crowd" in link(page, "next")
    assert rows(adas.get(USERS + link(page, "next")))[0] == "Crowd 050"


def test_a_cursor_of_another_list_is_refused(adas, crowd, hosts):
    for number in range(60):
        hosts.add(Host(host_name=f"host-{number}", address="192.0.2.1", port=23))
    of_users, of_hosts = link(adas.get(USERS), "next"), link(adas.get(HOSTS), "next")
    searched = link(adas.get(f"{USERS}?q=crowd"), "next").replace("&q=crowd", "")
    for address in (USERS + of_hosts, HOSTS + of_users, USERS + searched, f"{USERS}?p=2"):
        assert adas.get(address).status_code == 422, address


@pytest.mark.parametrize("query", ["email__icontains=a", "e=1&email__icontains=a", "roles=operator&email__icontains=a"])
def test_a_lookup_that_no_index_answers_is_named_and_nothing_is_read(adas, crowd, costs, query):
    with costs(requests=2, gets=2):
        answer = adas.get(f"{USERS}?{query}")
    assert answer.status_code == 422
    assert "This list cannot be narrowed by “email__icontains”." in answer.content.decode()


@pytest.mark.parametrize(
    "query", ["o=-1.2", "o=x", "all=", "_facets=True", "_popup=1", "p=", "e=1", "q=%00", "q=" + "x" * 3000]
)
def test_what_django_s_own_lists_know_does_no_harm_here(adas, host, query):
    for address in (USERS, HOSTS):
        assert adas.get(f"{address}?{query}").status_code == 200, address


def test_a_page_of_which_one_may_see_nothing_leads_on(adas, hosts, monkeypatch):
    for number in range(4):
        hosts.add(Host(host_name=f"host-{number}", address="192.0.2.1", port=23))
    monkeypatch.setattr("apps.policy_runs.admin.HostAdmin.list_per_page", 2)
    first = {host.host_name for host in hosts.leaf(limit=2)}
    allowed = lambda _, request, obj=None: obj is None or obj.pk not in first  # noqa: ARG005, E731
    monkeypatch.setattr("apps.policy_runs.admin.HostAdmin.has_view_permission", allowed)
    page = adas.get(HOSTS)
    assert rows(page) == []
    assert "No hosts are left on this page." in page.content.decode()
    assert len(rows(adas.get(HOSTS + link(page, "next")))) == 2


ODD = ["%00", "%ED%A0%80", "%FF", "9" * 40, "-1", "NaN", "%D9%A1", "x" * 1500, "2026-02-30", "~", "x&{0}=&{0}=y"]
NAMES = [
    "q",
    "p",
    "o",
    "e",
    "all",
    "_facets",
    "_to_field",
    "_changelist_filters",
    "roles",
    "is_active",
    "key",
    "strange__in",
]


@pytest.mark.parametrize("name", NAMES)
def test_whatever_an_address_asks_is_answered(adas, ada, host, name):
    pages = ("", "suggestions/", "add/", f"{ada.user_id}/change/", f"{ada.user_id}/history/")
    for address in (*(USERS + page for page in pages), HOSTS, f"{HOSTS}add/", "/admin/"):
        for value in ODD:
            asked = f"{address}?{name}={value.format(name)}"
            assert adas.get(asked).status_code in {200, 400, 404, 422}, asked


@pytest.mark.parametrize("key", ["nobody", "x" * 3000, "%00", "a_2Fb"])
def test_the_history_of_what_never_was_is_empty(adas, key):
    assert "The audit log has nothing on" in adas.get(f"{HOSTS}{key}/history/").content.decode()


def test_a_user_is_shown_with_roles_and_never_with_a_hash(store, adas):
    shown = Users(store).add(person(Role.ANALYST, Role.SUPPORT, name="Sam").evolve(password_hash="argon2$never"))
    sams = browser(member(store, Role.SUPPORT, name="Another Sam"))  # who reads what others edit
    for client, address in ((sams, f"{USERS}{shown.user_id}/change/"), (adas, USERS)):
        html = client.get(address).content.decode()
        assert all(f">{role}</span>" in html for role in ("Analyst", "Support"))
        assert shown.email in html
        assert "argon2" not in html
    form = adas.get(f"{USERS}{shown.user_id}/change/")
    assert form_of(form)["roles"] == ["analyst", "support"]
    assert "argon2" not in form.content.decode()


def test_the_start_page_names_what_a_role_opens(store, adas):
    assert {"Users", "Hosts", "Runs", "Audit entries", "ASTs"} <= {*rows(adas.get("/admin/"))}
    assert rows(browser(member(store, Role.VIEWER)).get("/admin/")) == [
        "Versions of the ladder"
    ]  # which everybody may see
    assert 'href="/admin/"' in adas.get("/").content.decode()
    for role in (Role.OPERATOR, Role.MANAGER):
        assert 'href="/admin/"' not in browser(member(store, role)).get("/").content.decode()


@pytest.mark.parametrize("key", ["nobody", "x" * 3000, "%00", "a_2Fb"])
def test_a_row_that_is_not_there_answers_404(adas, key):
    assert adas.get(f"{HOSTS}{key}/change/").status_code == 404


def test_whoever_has_not_signed_in_is_sent_to_our_sign_in_and_back(store):
    answer = browser(None).get(f"{USERS}?q=a")
    assert (answer.status_code, answer.url) == (302, "/account/sign-in/?next=%2Fadmin%2Faccounts%2Fuser%2F%3Fq%3Da")


def test_django_has_no_sign_in_of_its_own_here(adas):
    for address in ("login", "logout", "password_change", "autocomplete", "jsi18n", "r/1/1"):
        assert adas.get(f"/admin/{address}/").status_code == 404


def test_the_pages_keep_to_the_policy_against_inline_scripts_and_styles(adas, ada, host):
    for address in ("/admin/", USERS, HOSTS, f"{USERS}{ada.user_id}/change/", f"{HOSTS}mainframe-1/change/"):
        html = adas.get(address).content.decode()
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc=)", html), address


def test_the_admin_classes_are_django_s_own(adas):
    from django.contrib.admin import ModelAdmin  # noqa: PLC0415  (once Django is set up)

    assert issubclass(EntityAdmin, ModelAdmin)
