"""What can go wrong between us and a host, and what to do about it."""

from collections.abc import Mapping
from enum import Enum, StrEnum
from types import MappingProxyType

from apps.errors import Unavailable
from apps.terminal.screens import CapturedScreen


class FaultKind(StrEnum):
    """Why a host session could not do what it was asked to."""

    CONNECT_FAILED = "connect_failed"
    TLS = "tls"
    DROPPED = "dropped"
    TIMEOUT = "timeout"
    PROTOCOL = "protocol"
    SCREEN_TIMED_OUT = "screen_timed_out"
    ABEND = "abend"
    UNKNOWN_SCREEN = "unknown_screen"
    LOCKED = "locked"
    USER_IN_USE = "user_in_use"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 -- a kind of fault
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 -- a kind of fault
    USER_REVOKED = "user_revoked"
    DOES_NOT_FIT = "does_not_fit"


class HostFault(Unavailable):
    """A host session failed. `step` names where; `message` holds no secret.

    The session keeps its last screens; `screens` has them when it failed to open and no session is left to ask.
    """

    def __init__(self, message: str, *, kind: FaultKind, step: str) -> None:
        """`code` of the error is the kind's value."""
        super().__init__(message, code=kind.value)
        self.kind = kind
        self.step = step
        self.screens: tuple[CapturedScreen, ...] = ()

    @property
    def remedy(self) -> "Remedy":
        """What a run does about it."""
        return REMEDY[self.kind]


class Remedy(Enum):
    """What a run does after a fault."""

    STOP_RUN = "stop_run"  # trying again would lock the account, or fail for every policy alike
    RETRY = "retry"  # in a new session, 3 tries in all, jittered back-off
    RETRY_ONCE = "retry_once"  # in a new session
    PUT_OFF = "put_off"  # to the end of the run
    BACK_OFF = "back_off"  # 30 to 60 s, then again


REMEDY: Mapping[FaultKind, Remedy] = MappingProxyType(
    {
        FaultKind.CONNECT_FAILED: Remedy.RETRY,
        FaultKind.DROPPED: Remedy.RETRY,
        FaultKind.TIMEOUT: Remedy.RETRY,
        FaultKind.SCREEN_TIMED_OUT: Remedy.RETRY,
        FaultKind.PROTOCOL: Remedy.RETRY_ONCE,
        FaultKind.ABEND: Remedy.RETRY_ONCE,
        FaultKind.UNKNOWN_SCREEN: Remedy.RETRY_ONCE,
        FaultKind.LOCKED: Remedy.PUT_OFF,
        FaultKind.USER_IN_USE: Remedy.BACK_OFF,
        FaultKind.WRONG_PASSWORD: Remedy.STOP_RUN,
        FaultKind.PASSWORD_EXPIRED: Remedy.STOP_RUN,
        FaultKind.USER_REVOKED: Remedy.STOP_RUN,
        FaultKind.TLS: Remedy.STOP_RUN,
        FaultKind.DOES_NOT_FIT: Remedy.STOP_RUN,
    }
)
