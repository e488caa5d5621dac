"""Fields that name another entity find it by name; what is suggested is what this person may see."""

import re

import pytest

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from apps.console.lists.autocomplete import NameBox
from tests.console.office import RunAdmin, office
from tests.console.test_filters import RUNS, runs
from tests.console.test_lists import USERS
from tests.policy_runs.conftest import person
from tests.policy_runs.web import browser, member

__all__ = ["runs"]  # a fixture

ASK = f"{USERS}suggestions/"


@pytest.fixture
def crowd(store):
    for number in range(30):
        Users(store).add(person(Role.OPERATOR, name=f"Crowd {number:03}"))


def names(answer):
    assert answer.status_code == 200
    return [row["name"] for row in answer.json()["rows"]]


def test_rows_are_suggested_by_how_their_name_begins(adas, crowd, costs):
    with costs(requests=3, gets=2, queries=1, wcu=0, rcu=6):
        answer = adas.get(f"{ASK}?q=CROWD 02")
    assert names(answer) == [f"Crowd {number:03}" for number in range(20, 30)]
    assert answer.json()["hasMore"] is False
    with costs(requests=3, gets=2, queries=1, wcu=0, rcu=6):
        many = adas.get(f"{ASK}?q=crowd")
    assert (len(names(many)), many.json()["hasMore"]) == (12, True)
    assert names(adas.get(ASK))[0] == "Ada Admin", "the first ones, where nothing is typed yet"
    assert names(adas.get(f"{ASK}?q=rowd")) == []


def test_a_suggestion_tells_the_key_and_what_tells_it_from_another_of_that_name(adas, ada):
    (row,) = adas.get(f"{ASK}?q=ada").json()["rows"]
    assert row == {"key": ada.user_id, "name": "Ada Admin", "note": ada.email}
    (row,) = adas.get(f"{ASK}?q={ada.email}").json()["rows"]
    assert row["key"] == ada.user_id


def test_the_row_of_a_key_is_named(adas, ada, crowd, costs):
    with costs(requests=3, gets=3, wcu=0):
        assert names(adas.get(f"{ASK}?key={ada.user_id}")) == ["Ada Admin"]
    for key in ("nobody", "\0", "x" * 3000):
        assert names(adas.get(ASK, {"key": key})) == []


@pytest.mark.parametrize("role", Role)
def test_only_who_may_see_the_rows_is_suggested_any(store, ada, role):
    answer = browser(member(store, role)).get(f"{ASK}?q=ada")
    assert answer.status_code == (200 if role in {Role.ADMIN, Role.SUPPORT} else 404)
    assert (ada.email in answer.content.decode()) == (role in {Role.ADMIN, Role.SUPPORT})
    assert browser(member(store, role)).get(f"{ASK}?key={ada.user_id}").status_code == answer.status_code


def test_who_has_not_signed_in_is_suggested_nothing(store, ada):
    assert browser(None).get(f"{ASK}?q=ada").status_code == 404
    assert browser(ada).post(ASK, {"q": "ada"}).status_code == 405


@pytest.mark.parametrize("typed", ["\0", "x" * 3000, "#", "\N{GRINNING FACE}", " "])
def test_whatever_is_typed_is_answered(adas, typed):
    assert adas.get(ASK, {"q": typed}).status_code == 200


def test_a_filter_on_a_key_is_a_box_that_finds_by_name_and_tells_the_one_it_has(office_store, adas, ada, runs):
    html = adas.get(RUNS).content.decode()
    box = re.search(r'<input[^>]*name="user_id"[^>]*>', html)[0]
    assert f'data-suggestions="{ASK}"' in box
    assert 'type="text"' in box, "without our script it takes the key"
    page = adas.get(f"{RUNS}?user_id={ada.user_id}").content.decode()
    assert f'value="{ada.user_id}"' in page


def test_the_form_s_field_of_a_key_is_such_a_box_for_who_may_see_the_others(office_store, ada, rf):
    admin = office.admin_of(RunAdmin)
    request = rf.get("/")
    for who, is_box in ((ada, True), (person(Role.OPERATOR), False)):
        request.user = who
        field = admin.formfield_for_dbfield(admin.model._meta.get_field("user_id"), request)
        assert isinstance(field.widget, NameBox) is is_box


def test_the_page_of_a_row_asks_for_a_key_in_such_a_box(office_store, adas, runs, monkeypatch, costs):
    monkeypatch.setattr(RunAdmin, "changes", RunAdmin.exports)
    with costs(requests=3, gets=3, wcu=0):
        html = adas.get(f"{RUNS}{runs[0].execution_id}/change/").content.decode()
    box = re.search(r'<input[^>]*name="user_id"[^>]*>', html)[0]
    assert f'data-suggestions="{ASK}"' in box
    assert 'value="user-0"' in box
    assert "console/console.js" in html
