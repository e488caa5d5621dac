from typing import Any

import pytest
from django.test import AsyncClient

from apps.accounts import wiring
from apps.accounts.entities import User
from apps.accounts.sockets import session_key_of_scope, user_of_scope
from apps.storage.connection import Store
from apps.storage.metering import metering
from tests.accounts.people import PASSWORD


@pytest.fixture
async def key(ada: User) -> str:
    client = AsyncClient()
    await client.post("/account/sign-in/", {"email": ada.email, "password": PASSWORD})
    return client.cookies["sessionid"].value


def _scope(cookie: str) -> dict[str, Any]:
    return {"type": "websocket", "headers": [(b"host", b"testserver"), (b"cookie", cookie.encode("latin-1"))]}


async def test_a_socket_belongs_to_the_user_of_its_session_cookie(key: str, ada: User) -> None:
    with metering() as cost:
        user = await user_of_scope(_scope(f"theme=dark; sessionid={key}; other=1"))
    assert user == ada
    assert cost.total_requests == cost.count("get_item") == 2


@pytest.mark.parametrize("cookie", ["", "sessionid=", "sessionid=short", "sessionid=" + "x" * 32, "a=b", "=;;=\xff"])
async def test_a_socket_without_a_session_belongs_to_nobody(store: Store, cookie: str) -> None:
    assert await user_of_scope(_scope(cookie)) is None
    assert await user_of_scope({"type": "websocket"}) is None


async def test_signing_out_everywhere_is_seen_by_an_open_socket(key: str, ada: User) -> None:
    assert await user_of_scope(_scope(f"sessionid={key}"))
    wiring.users().end_sessions(ada.user_id, now=ada.created_at)
    assert not await user_of_scope(_scope(f"sessionid={key}"))


async def test_signing_out_of_this_browser_is_seen_by_its_open_socket(key: str, ada: User) -> None:
    client = AsyncClient()
    client.cookies["sessionid"] = key
    await client.post("/account/sign-out/")
    assert not await user_of_scope(_scope(f"sessionid={key}"))


async def test_deactivation_is_seen_by_an_open_socket(key: str, ada: User) -> None:
    wiring.users().save(ada.evolve(is_active=False))
    assert not await user_of_scope(_scope(f"sessionid={key}"))


def test_the_key_is_read_from_the_cookie() -> None:
    assert session_key_of_scope(_scope("sessionid=abc123; x=1")) == "abc123"


@pytest.mark.parametrize("beside", ["foo[bar]=1", 'settings={"a": 1}', "words=two words", "\xfc=1"], ids=range(4))
def test_cookies_of_others_hide_no_session(beside: str) -> None:
    for cookie in (f"{beside}; sessionid=abc123", f"sessionid=abc123; {beside}"):
        assert session_key_of_scope(_scope(cookie)) == "abc123"
