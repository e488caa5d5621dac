"""What a browser's session remembers while its owner is away at the provider."""

import secrets
from collections.abc import MutableMapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

LIFETIME: Final = timedelta(minutes=15)
MOST_AT_ONCE: Final = 5
_KEY: Final = "single_sign_on"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """One way to the provider and back.

    `state` finds it again, `nonce` ties the ID token to it, `verifier` proves at the token endpoint that it is ours
    (PKCE). `next` is where to go afterwards; `connects` is the id of the user who wants to be connected, or empty
    where somebody signs in. `started_at` is in epoch seconds.
    """

    state: str
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)
    next: str
    connects: str = ""
    started_at: int


def begin(session: MutableMapping[str, Any], *, wanted: str, connects: str = "", now: datetime) -> Flow:
    """Remember a new flow in this session; the oldest of too many is forgotten."""
    flow = Flow(
        state=secrets.token_urlsafe(32),
        nonce=secrets.token_urlsafe(32),
        verifier=secrets.token_urlsafe(48),
        next=wanted,
        connects=connects,
        started_at=int(now.timestamp()),
    )
    under_way = [*_under_way(session), asdict(flow)]
    session[_KEY] = under_way[-MOST_AT_ONCE:]
    return flow


def take(session: MutableMapping[str, Any], *, state: str, now: datetime) -> Flow | None:
    """The flow with this state, which the session then no longer knows; None where it is not this browser's, or old."""
    under_way = _under_way(session)
    found = next((kept for kept in under_way if secrets.compare_digest(kept["state"].encode(), state.encode())), None)
    if found is None:
        return None
    session[_KEY] = [kept for kept in under_way if kept is not found]
    flow = Flow(**found)
    return flow if now.timestamp() - flow.started_at <= LIFETIME.total_seconds() else None


def _under_way(session: MutableMapping[str, Any]) -> list[dict[str, Any]]:
    return list(session.get(_KEY, []))
