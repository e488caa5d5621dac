"""Every screen of every registered admin for every role: 200, or the right refusal; redirects are not followed."""

import pytest
from django.contrib.admin.utils import quote
from django.urls import reverse

from apps.accounts.entities import BACK_OFFICE, Role
from project.console import console
from tests.policy_runs.web import browser, member

SEES = {"host": {Role.ADMIN, Role.SUPPORT}, "user": {Role.ADMIN, Role.SUPPORT}}
CHANGES = {"host": {Role.ADMIN}, "user": {Role.ADMIN}}
ADDS = {"host": {Role.ADMIN}, "user": {Role.ADMIN, Role.SUPPORT}}
DELETES = {"host": {Role.ADMIN}, "user": set()}
SUGGESTED = {"user"}
"""Those that fields of other entities can name: an index finds them by the beginning of a name."""
SEES_HISTORY = {"host": {Role.ADMIN}, "user": {Role.ADMIN}}
ADMINS = [(model._meta.model_name, admin) for model, admin in console._registry.items()]


def addresses(admin, key):
    """The screens of an admin, by Django's names for them."""
    name = f"admin:{admin.opts.app_label}_{admin.opts.model_name}"
    found = {screen: reverse(f"{name}_{screen}") for screen in ("changelist", "add", "suggestions")}
    return found | {
        screen: reverse(f"{name}_{screen}", args=[quote(key)]) for screen in ("change", "delete", "history")
    }


@pytest.fixture
def keys(ada, host):
    """A row of each kind that exists."""
    return {"host": host.host_name, "user": ada.user_id}


@pytest.fixture
def contents(ada, host):
    """What such a row shows."""
    return {"host": host.address, "user": ada.email}


def test_every_admin_is_in_the_tables_of_these_tests():
    assert {name for name, _ in ADMINS} == set(SEES)


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize(("name", "admin"), ADMINS, ids=[name for name, _ in ADMINS])
def test_a_screen_opens_for_the_roles_it_is_for_and_is_not_there_for_others(
    store, keys, contents, costs, name, admin, role
):
    client = browser(member(store, role))
    sees, changes, history = (role in table[name] for table in (SEES, CHANGES, SEES_HISTORY))
    adds, deletes = role in ADDS[name], role in DELETES[name]
    refused = 403 if sees else 404
    expected = {
        "changelist": (200 if sees else 404, refused),
        "change": (200 if sees else 404, 422 if changes else refused),
        "add": (200, 422) if adds else (refused, refused),
        "delete": (200, 302) if deletes else (refused, refused),  # back to the question: no version
        "suggestions": (200, 405) if sees and name in SUGGESTED else (404, 404),
        "history": (200, 405) if sees and history else (404, 404),
    }
    for screen, address in addresses(admin, keys[name]).items():
        # Two tell who it is; the page of a user also has how they get in, and a history the name of its row.
        most = {("user", "change"): 5, (name, "history"): 4}.get((name, screen), 3)
        with costs(requests=most, scans=1, wcu=0):
            page = client.get(address)
        found = page.status_code, client.post(address, {"any": "thing"}).status_code
        assert found == expected[screen], (screen, role)
        told = {"changelist": contents[name], "change": contents[name], "delete": keys[name] if name == "host" else ""}
        assert (told.get(screen, "") in page.content.decode()) or page.status_code != 200, (screen, role)
        assert page.status_code == 200 or contents[name] not in page.content.decode(), "a refusal tells nothing"
        client.get("/admin/")  # takes what there was to say, so that the next page does not


@pytest.mark.parametrize("role", Role)
def test_the_start_page_is_there_for_staff_only(store, role):
    client = browser(member(store, role))
    assert client.get("/admin/").status_code == (200 if role in BACK_OFFICE else 404)
    for app in ("terminal", "accounts"):
        seen = role in {Role.ADMIN, Role.SUPPORT}
        assert client.get(f"/admin/{app}/").status_code == (200 if seen else 404)


def test_an_address_that_is_none_answers_404(adas):
    for address in ("/admin/nothing/", "/admin/accounts/nothing/", "/admin/accounts/group/"):
        assert adas.get(address).status_code == 404
