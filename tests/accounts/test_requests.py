from collections.abc import Callable

import pytest
from django.http import HttpResponse
from django.test import AsyncClient, Client

from apps.accounts import services, wiring
from apps.accounts.entities import Role, User
from apps.storage.connection import Store
from apps.storage.metering import metering
from tests.accounts.people import ADMIN, BOSS, PASSWORD


@pytest.fixture
def client(ada: User, sign_in: Callable[..., HttpResponse]) -> Client:
    client = Client()
    assert sign_in(client).status_code == 302
    return client


def test_a_signed_in_request_costs_two_reads_by_key(client: Client) -> None:
    with metering() as cost:
        assert client.get("/").content == b"Hello Ada"
    assert cost.total_requests == cost.count("get_item") == 2


def test_a_page_that_asks_for_nobody_costs_nothing(client: Client) -> None:
    with metering() as cost:
        client.get("/open/")
    assert cost.total_requests == 0


def test_a_visitor_without_a_cookie_costs_nothing(store: Store) -> None:
    with metering() as cost:
        assert Client().get("/whoever/").content == b"nobody False"
    assert cost.total_requests == 0


def test_a_made_up_cookie_is_nobody(store: Store) -> None:
    client = Client()
    client.cookies["sessionid"] = "x" * 32
    assert client.get("/whoever/").content == b"nobody False"


def test_signing_out_everywhere_ends_another_browser_at_its_next_request(
    client: Client, ada: User, sign_in: Callable[..., HttpResponse]
) -> None:
    other = Client()
    sign_in(other)
    assert other.get("/").status_code == 200
    assert client.post("/account/sign-out-everywhere/")["Location"] == "/account/sign-in/"
    assert other.get("/").status_code == 302
    assert client.get("/").status_code == 302
    assert wiring.web_sessions().of(ada.user_id) == []
    entries = wiring.audit_log().of(f"Users#{ada.user_id}").items
    assert entries[0].action == "user.signed_out_everywhere"
    assert entries[0].actor_id == ada.user_id


def test_the_epoch_alone_ends_a_session_even_if_its_row_is_left(client: Client, ada: User) -> None:
    wiring.users().end_sessions(ada.user_id, now=ada.created_at)
    assert len(wiring.web_sessions().of(ada.user_id)) == 1
    assert client.get("/whoever/").content == b"nobody False"
    assert wiring.web_sessions().of(ada.user_id) == []


def test_a_deactivated_user_is_out_at_the_next_request(client: Client, ada: User) -> None:
    services.deactivate(
        wiring.users(),
        user=ada,
        by=BOSS,
        actor=ADMIN,
        now=ada.created_at,
        audit=wiring.audit_log(),
        sessions=wiring.web_sessions(),
    )
    assert client.get("/whoever/").content == b"nobody False"
    entries = wiring.audit_log().of(f"Users#{ada.user_id}").items
    assert [entry.after for entry in entries if entry.action == "user.deactivated"] == [{"is_active": False}]


def test_new_roles_hold_from_the_next_request_on(client: Client, ada: User) -> None:
    assert client.get("/launch/").content == b"launched"
    wiring.users().save(ada.evolve(roles={Role.VIEWER}))
    client.raise_request_exception = False
    assert client.get("/launch/").status_code == 500  # the small site has nothing that translates NotFound


def test_nobody_is_sent_to_sign_in_and_back(store: Store) -> None:
    answer = Client().get("/launch/?a=1")
    assert answer["Location"] == "/account/sign-in/?next=%2Flaunch%2F%3Fa%3D1"
    assert Client().post("/launch/")["Location"] == "/account/sign-in/"


def test_an_htmx_request_of_nobody_moves_the_whole_page(store: Store) -> None:
    answer = Client().get(
        "/launch/", headers={"HX-Request": "true", "HX-Current-URL": "http://testserver/policy-runs/?q=1"}
    )
    assert answer.status_code == 401
    assert answer["HX-Redirect"] == "/account/sign-in/?next=%2Fpolicy-runs%2F%3Fq%3D1"


def test_an_address_that_is_none_leads_to_signing_in_too(store: Store) -> None:
    answer = Client().get("/launch/", headers={"HX-Request": "true", "HX-Current-URL": "http://[broken"})
    assert (answer.status_code, answer["HX-Redirect"]) == (401, "/account/sign-in/")


async def test_async_views_know_the_user_too(ada: User) -> None:
    client = AsyncClient()
    await client.post("/account/sign-in/", {"email": ada.email, "password": PASSWORD})
    assert (await client.get("/whoever-async/")).content == b"Ada"
    assert (await client.get("/home-async/")).content == b"Hello Ada"
    assert (await AsyncClient().get("/whoever-async/")).content == b"nobody"
    assert (await AsyncClient().get("/home-async/")).status_code == 302


def test_the_api_knows_the_user_by_the_session(client: Client) -> None:
    assert client.get("/api/me").json() == {"name": "Ada"}


def test_the_api_answers_401_as_json_to_nobody(store: Store) -> None:
    answer = Client().get("/api/me")
    assert (answer.status_code, answer["Content-Type"]) == (401, "application/json; charset=utf-8")


def test_the_api_demands_the_csrf_token_for_changes(ada: User, sign_in: Callable[..., HttpResponse]) -> None:
    client = Client(enforce_csrf_checks=True)
    token = client.get("/account/sign-in/").cookies["csrftoken"].value
    client.post("/account/sign-in/", {"email": ada.email, "password": PASSWORD, "csrfmiddlewaretoken": token})
    assert client.post("/api/touch").status_code == 403
    token = client.cookies["csrftoken"].value
    assert client.post("/api/touch", headers={"X-CSRFToken": token}).json() == {"touched": True}
