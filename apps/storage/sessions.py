"""Django's sessions in WebSessions: `SESSION_ENGINE = "apps.storage.sessions"`.

The cookie's key is hashed before it is stored, so that whoever reads the table cannot take a session over. An expired
session is gone at once, although the store deletes it late. `user_id` and `device` are copied from the session's data,
so that somebody's sessions can be listed.
"""

import contextlib
import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.utils.crypto import get_random_string

from apps.storage import connection
from apps.storage.conditions import Query, Update, attribute
from apps.storage.entity import Entity, Expiry, Instant
from apps.storage.errors import AlreadyExists, ConditionFailed, ItemNotFound
from apps.storage.repository import Repository
from apps.storage.tables import WEB_SESSIONS

USER_ID = "user_id"
DEVICE = "device"
SEEN_EVERY = timedelta(minutes=5)
KEY_LENGTH = 32
KEY_CHARACTERS = "abcdefghijklmnopqrstuvwxyz0123456789"


class WebSession(Entity):
    """A browser's session under the hash of its key. `data` is signed; it is empty when read through the index."""

    session_hash: str
    data: str = ""
    user_id: str | None = None
    device: str = ""
    created_at: Instant
    last_seen_at: Instant
    expires_at: Expiry

    @property
    def name(self) -> str:
        """What people call it; never by its key."""
        return self.device or "Unknown browser"


class WebSessions(Repository[WebSession]):
    """The sessions, and those of one user."""

    entity = WebSession
    table = WEB_SESSIONS
    noun = "session"

    def of(self, user_id: str) -> list[WebSession]:
        """Where this user is signed in, the latest seen first; without `data`."""
        found = self.stream(Query(partition=user_id, index="user_id-index"))
        return sorted(found, key=lambda session: session.last_seen_at, reverse=True)

    def end_all_of(self, user_id: str, *, but: str | None = None) -> int:
        """Delete this user's sessions, except the one with the hash `but`; returns how many.

        The index lags, so this tidies up; what ends a session for certain is the user's `auth_epoch`.
        """
        return self.delete_many(session.session_hash for session in self.of(user_id) if session.session_hash != but)


def session_hash(session_key: str) -> str:
    """What is stored instead of a session's key."""
    return hashlib.sha256(session_key.encode()).hexdigest()


class SessionStore(SessionBase):
    """One request's session."""

    def __init__(self, session_key: str | None = None) -> None:
        """`session_key` is what the cookie holds, believed only once a stored session is found for it."""
        super().__init__(session_key)
        self.sessions = WebSessions(connection.default_store())

    def exists(self, session_key: str) -> bool:
        """Whether a session with this key is stored and still valid."""
        return self.sessions.find(session_hash(session_key), consistent=True) is not None

    def load(self) -> dict[str, Any]:
        """The session's data: one consistent read. An unknown or expired key loads nothing and is given up."""
        found = self._stored()
        if found is None:
            self._session_key = None
            return {}
        self._note_seen(found)
        return self.decode(found.data)

    def peek(self) -> dict[str, Any]:
        """The session's data as stored, without noting that the browser was here: for sockets that look again."""
        found = self._stored()
        return self.decode(found.data) if found else {}

    def create(self) -> None:
        """Store the session under a fresh key, with the data set so far; what an old key holds is not loaded."""
        data = self._data(load=False)
        while True:
            self._session_key = get_random_string(KEY_LENGTH, KEY_CHARACTERS)
            try:
                self._put(self._record(str(self.session_key), data))
            except CreateError:
                continue
            self.modified = True
            return

    def cycle_key(self) -> None:
        """Move the session's data to a fresh key, so that whoever knew the old one has nothing."""
        self._data()
        old = self.session_key
        self.create()
        if old:
            self.delete(old)

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002  (Django's signature)
        """Store the data. Raises `CreateError` where the key is taken, `UpdateError` where the session is gone."""
        if self.session_key is None:
            return self.create()
        data = self._data(load=not must_create)
        record = self._record(self.session_key, data)
        if must_create:
            return self._put(record)
        change = Update(
            set={
                "data": record.data,
                "user_id": record.user_id,
                "device": record.device,
                "last_seen_at": record.last_seen_at,
                "expires_at": record.expires_at,
            }
        )
        try:
            self.sessions.update(record.session_hash, change, condition=attribute("expires_at").above(_now()))
        except (ConditionFailed, ItemNotFound):
            raise UpdateError from None

    def delete(self, session_key: str | None = None) -> None:
        """Delete the session with this key, or this one; one that is gone already is fine."""
        key = session_key or self.session_key
        if key:
            self.sessions.delete(session_hash(key))

    @classmethod
    def clear_expired(cls) -> None:
        """Do nothing: the store deletes expired sessions by itself, and until then they are read as gone."""

    def _data(self, *, load: bool = True) -> dict[str, Any]:
        """The data in memory; where there is none yet, the stored one, or an empty one unless `load`."""
        if not load and not hasattr(self, "_session_cache"):
            self._session_cache: dict[str, Any] = {}
        return dict(self.items())

    def _stored(self) -> WebSession | None:
        key = self.session_key
        return self.sessions.find(session_hash(key), consistent=True) if key else None

    def _put(self, record: WebSession) -> None:
        try:
            self.sessions.add(record)
        except AlreadyExists:
            raise CreateError from None

    def _record(self, key: str, data: Mapping[str, Any]) -> WebSession:
        now = _now()
        age = self.get_expiry_age(modification=now, expiry=data.get("_session_expiry"))
        return WebSession(
            session_hash=session_hash(key),
            data=self.encode(dict(data)),
            user_id=data.get(USER_ID),
            device=str(data.get(DEVICE, "")),
            created_at=now,
            last_seen_at=now,
            expires_at=now + timedelta(seconds=age),
        )

    def _note_seen(self, found: WebSession) -> None:
        """Say that a signed-in browser was here: at most one small write in five minutes."""
        now = _now()
        if found.user_id is None or now - found.last_seen_at < SEEN_EVERY:
            return
        with contextlib.suppress(ConditionFailed, ItemNotFound):  # another request said it, or the session ended
            self.sessions.update(
                found.session_hash,
                Update(set={"last_seen_at": now}),
                condition=attribute("last_seen_at").equals(found.last_seen_at),
            )


def _now() -> datetime:
    return datetime.now(UTC)
