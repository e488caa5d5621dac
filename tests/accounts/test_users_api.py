"""People over the API."""

import pytest
from django.conf import settings as django_settings

from apps.accounts.entities import Role
from apps.accounts.repository import Users
from tests.policy_runs.conftest import person
from tests.policy_runs.web import ApiClient, member


@pytest.fixture(autouse=True)
def small_site():
    """The whole site, not the small one of this folder: the API is the project's."""
    assert django_settings.ROOT_URLCONF == "project.urls"


def api(user):
    return ApiClient(user, at="/api/users")


def test_everybody_reads_themselves(store):
    for role in Role:
        user = member(store, role, name="Some Body")
        expected = {
            "userId": user.user_id,
            "name": "Some Body",
            "email": user.email,
            "roles": [role.value],
            "isActive": True,
        }
        assert api(user).get("/me").body == expected
        assert api(user).get(f"/{user.user_id}").body == expected
    assert api(None).get("/me").status == 401


def test_who_may_see_people_reads_anybody_and_others_nobody(store):
    somebody = member(store, Role.VIEWER, name="Vera Viewer")
    for role in Role:
        client = api(member(store, role))
        sees = role in {Role.ADMIN, Role.SUPPORT}
        assert client.get(f"/{somebody.user_id}").status == (200 if sees else 404), role
        assert client.get("").status == (200 if sees else 404), role
    assert api(member(store, Role.ADMIN)).get("/nobody").status == 404
    assert api(member(store, Role.ADMIN)).get(f"/{'x' * 100}").status == 404


def test_people_are_listed_by_how_their_name_begins_and_by_cursor(store):
    for number in range(60):
        Users(store).add(person(name=f"Person {number:02}"))
    client = api(member(store, Role.SUPPORT, name="Sam"))
    first = client.get("", prefix="PERS")
    second = client.get("", prefix="PERS", cursor=first.body["next"])
    found = [item["name"] for page in (first, second) for item in page.body["items"]]
    assert found == [f"Person {number:02}" for number in range(60)]
    assert second.body["next"] is None
    assert client.get("", prefix="zz").body["items"] == []
    assert client.get("", cursor="x").status == 422
    assert "password" not in str(first.body)
