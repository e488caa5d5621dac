"""Hosts that runs may go to, people's sessions with them, and the slots of host user ids."""

from enum import StrEnum

from pydantic import Field

from apps.storage.entity import Entity, Expiry, Instant


class Host(Entity):
    """A mainframe that an administrator allowed; a run names one, and free addresses are refused.

    `sessions_at_once` bounds the sessions of one run; `sessions_a_user_id` is how many the host grants to one of its
    user ids at the same time, 0 for no bound.
    """

    host_name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")
    description: str = ""
    address: str
    port: int = Field(ge=1, le=65535)
    use_tls: bool = True
    verify_certificate: bool = True
    encoding: str = "cp037"
    rows: int = 24
    columns: int = 80
    sessions_at_once: int = Field(default=8, ge=1, le=256)
    sessions_a_user_id: int = Field(default=0, ge=0)
    enabled: bool = True


class SessionStatus(StrEnum):
    """Whether a session with a host is in use."""

    ACTIVE = "active"
    IDLE = "idle"
    CLOSED = "closed"


class Session(Entity):
    """A person's connection to a host terminal, as far as others should know of it."""

    session_id: str
    user_id: str
    host_name: str
    status: SessionStatus = SessionStatus.ACTIVE
    created_at: Instant
    last_activity: Instant


class HostSlot(Entity):
    """A lease on one of the sessions that a host grants to a user id; `slot` is `host#number#user id`."""

    slot: str
    owner: str
    expires_at: Expiry
