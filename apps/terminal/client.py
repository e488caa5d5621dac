"""One TN3270 connection on asyncio: IBM's `tnz` keeps the screen, this module owns the socket and the deadlines.

Nothing here runs in a thread, blocks the loop or logs: keystrokes and screens may hold passwords.
"""

import asyncio
import contextlib
import functools
import logging
import os
import re
import socket
import ssl
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any, Self

from apps.terminal.errors import FaultKind, HostFault
from apps.terminal.screens import Field

# Read by tnz: no log file, no change to TLS in mid-connection, and no look at a controlling terminal for its size.
os.environ["TNZ_LOGGING"] = ""
os.environ["SESSION_SSL"] = "NEVER"
os.environ.setdefault("SESSION_PS_SIZE", "24x80")

from tnz.tnz import Tnz, TnzError

# tnz logs what is typed (debug) and what it could not read (error): neither may reach a log.
logging.getLogger("tnz").setLevel(logging.CRITICAL + 1)
logging.getLogger("tnz").propagate = False

if TYPE_CHECKING:
    _TnzBase = Any
else:
    _TnzBase = Tnz

MAX_BYTES_WITHOUT_SCREEN = 1_048_576
_MODEL_2 = (24, 80)
_CLOSE_SECONDS = 1.0
_START_TLS = b"\xff\xfa\x2e"
_ATTRIBUTE = re.compile(rb"[^\x00]")
# What tnz lets escape on a data stream it cannot make sense of.
_UNREADABLE = (TnzError, ValueError, LookupError, TypeError, AttributeError, ArithmeticError)


@dataclass(frozen=True, slots=True)
class HostAddress:
    """Where a host is and how it wants to be talked to. `encoding` is an EBCDIC code page Python knows."""

    name: str
    address: str
    port: int
    use_tls: bool = False
    verify_certificate: bool = True
    encoding: str = "cp037"
    rows: int = 24
    columns: int = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class Deadlines:
    """How long to wait, in seconds.

    `connect_seconds` covers connection and first screen. `policy_seconds` is for the caller to keep.
    `settle_seconds` is how long a screen nobody expected may stand before it counts as unknown.
    """

    connect_seconds: float = 10.0
    screen_seconds: float = 20.0
    policy_seconds: float = 90.0
    log_off_seconds: float = 5.0
    settle_seconds: float = 2.0


class Key(Enum):
    """The keys we press; the value is the AID that tnz sends."""

    ENTER = 0x7D
    PF3 = 0xF3
    PF12 = 0x7C


class Terminal(asyncio.Protocol):
    """A connected terminal. It has one user at a time, on the loop that opened it."""

    def __init__(self, host: HostAddress) -> None:
        """Raise `HostFault` (PROTOCOL) when the host's encoding is not one that a terminal can use."""
        self.changed = asyncio.Event()
        self.failure: str | None = None
        self._lost = asyncio.Event()
        self._transport: asyncio.Transport | None = None
        self._codec = host.encoding
        try:
            "".encode(host.encoding)
            self._screen = _Screen(host, self)
        except (LookupError, ValueError) as error:
            message = (
                f"The encoding {host.encoding} of host {host.name} is not known. Correct it in the host's settings."
            )
            raise HostFault(message, kind=FaultKind.DOES_NOT_FIT, step="connect") from error

    @classmethod
    async def connect(cls, host: HostAddress) -> Self:
        """Connect, with TLS where asked; raise `HostFault` (CONNECT_FAILED, TLS). The deadline is the caller's."""
        terminal = cls(host)
        context = _tls_context(verify=host.verify_certificate) if host.use_tls else None
        loop = asyncio.get_running_loop()
        try:
            await loop.create_connection(lambda: terminal, host.address, host.port, ssl=context)
        except ssl.SSLCertVerificationError as error:
            message = f"The certificate of host {host.name} was refused: {error.verify_message}."
            raise HostFault(message, kind=FaultKind.TLS, step="connect") from error
        except ssl.SSLError as error:
            message = f"Host {host.name} does not speak TLS as it should ({error.reason or 'handshake failed'})."
            raise HostFault(message, kind=FaultKind.TLS, step="connect") from error
        except (OSError, UnicodeError) as error:
            message = f"Host {host.name} cannot be reached: {_reason(error)}."
            raise HostFault(message, kind=FaultKind.CONNECT_FAILED, step="connect") from error
        return terminal

    @property
    def lost(self) -> bool:
        """Whether the connection has ended. What the host showed last can still be read."""
        return self._lost.is_set() or self._screen.seslost is not False

    @property
    def unlocked(self) -> bool:
        """Whether the host lets one type."""
        return not (self._screen.pwait or self._screen.system_lock_wait)

    @property
    def version(self) -> int:
        """A number that is another one whenever text or fields may have changed."""
        return int(self._screen.version)

    def text(self) -> str:
        """Return the screen, rows * columns characters, **hidden fields included**."""
        return str(self._screen.scrstr(0, 0, rstrip=False))

    def fields(self) -> list[Field]:
        """Return the screen's fields in order of their position."""
        plane = self._screen.plane_fa
        size = len(plane)
        attributes = [(found.start(), found[0][0]) for found in _ATTRIBUTE.finditer(plane)]
        following = [where for where, _ in attributes[1:]] + [size + where for where, _ in attributes[:1]]
        return [
            Field(
                start=(where + 1) % size,
                length=end - where - 1,
                protected=_TnzBase.is_protected_attr(attribute),
                hidden=not _TnzBase.is_displayable_attr(attribute),
                bright=_TnzBase.is_intensified_attr(attribute),
            )
            for (where, attribute), end in zip(attributes, following, strict=True)
        ]

    def type_into(self, field: Field, text: str, *, what: str, step: str) -> None:
        """Replace a field's content by `text`.

        Nothing is typed and `HostFault` (DOES_NOT_FIT) is raised when the field is protected, too short or cannot hold
        a character of it. `what` names the text in that message, which never shows the text itself.
        """
        if field.protected or self._screen.is_protected(field.start):
            raise HostFault(f"{what} cannot be typed: its field is protected.", kind=FaultKind.DOES_NOT_FIT, step=step)
        if len(text) > field.length:
            message = f"{what} is longer than its field on the host ({field.length} characters)."
            raise HostFault(message, kind=FaultKind.DOES_NOT_FIT, step=step)
        if not (text.isprintable() and self._encodable(text)):
            message = f"{what} has characters that the host cannot take."
            raise HostFault(message, kind=FaultKind.DOES_NOT_FIT, step=step)
        try:
            self._screen.version += 1
            self._screen.set_cursor_address(field.start)
            self._screen.key_eraseeof()
            self._screen.key_data(text)
        except TnzError as error:
            raise HostFault("The host locked the keyboard.", kind=FaultKind.PROTOCOL, step=step) from error

    def press(self, key: Key, *, step: str) -> None:
        """Send a key with all changed fields; raise `HostFault` (PROTOCOL) when the keyboard is locked."""
        try:
            self._screen.key_aid(key.value)
        except TnzError as error:
            raise HostFault("The host locked the keyboard.", kind=FaultKind.PROTOCOL, step=step) from error

    async def close(self) -> None:
        """Give the connection up and wait until its descriptor is released. Never raises; may be called again."""
        transport, self._transport = self._transport, None
        self._screen._transport = None  # noqa: SLF001 -- tnz has no public way to hand it a transport
        if transport is not None:
            transport.abort()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_CLOSE_SECONDS):
                    await self._lost.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Hand the transport to tnz."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- asyncio's promise for create_connection
        self._transport = transport
        self._screen._transport = transport  # noqa: SLF001 -- tnz has no public way to hand it a transport

    def data_received(self, data: bytes) -> None:
        """Let tnz read; end the connection when it cannot."""
        screen = self._screen
        screen.unread_bytes += len(data)
        if screen.unread_bytes > MAX_BYTES_WITHOUT_SCREEN:
            self.fail("The host sent far more than a screen.")
            return
        try:
            screen._data_received(data)  # noqa: SLF001 -- what tnz's own protocol calls
        except _UNREADABLE:
            self.fail("The host sent something that is not a 3270 screen.")
        self.changed.set()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """Wake up whoever waits."""
        self._lost.set()
        self.changed.set()

    def fail(self, message: str) -> None:
        """End the connection for a reason that `failure` then tells."""
        self.failure = message
        if self._transport is not None:
            self._transport.abort()
        self.changed.set()

    def _encodable(self, text: str) -> bool:
        try:
            text.encode(self._codec)
        except UnicodeEncodeError:
            return False
        return True


class _Screen(_TnzBase):  # type: ignore[misc]  # tnz has no types
    """tnz's terminal without its own connection, logging and printing of tracebacks."""

    def __init__(self, host: HostAddress, terminal: Terminal) -> None:
        super().__init__(name=host.name)
        self.encoding = host.encoding
        self.use_tn3270e = True
        self.amaxrow, self.amaxcol = host.rows, host.columns
        if (host.rows, host.columns) == _MODEL_2:
            self.terminal_type = "IBM-3278-2-E"
        self.unread_bytes = 0
        self.version = 0
        self._terminal = terminal
        self._event = terminal.changed

    def _process(self, data: bytes) -> None:
        if data.startswith(_START_TLS):
            raise TnzError("TLS in mid-connection")  # never agreed to; tnz would try, on a loop it does not have
        super()._process(data)

    def _proc3270ds(self, b_str: bytes, zti: object = None) -> None:
        self.unread_bytes = 0
        self.version += 1
        try:
            super()._proc3270ds(b_str, zti=zti)
        except _UNREADABLE:
            self._terminal.fail("The host sent something that is not a 3270 screen.")


def _reason(error: OSError | UnicodeError) -> str:
    if isinstance(error, socket.gaierror | UnicodeError):
        return "its address is not known"
    return os.strerror(error.errno).lower() if error.errno else "no connection at any of its addresses"


def _tls_context(*, verify: bool) -> ssl.SSLContext:
    """Return a context that checks certificate and host name, or (`verify` false) neither."""
    return _cached_tls_context(verify, os.environ.get("SSL_CERT_FILE"), os.environ.get("SSL_CERT_DIR"))


@functools.cache
def _cached_tls_context(verify: bool, _cert_file: str | None, _cert_dir: str | None) -> ssl.SSLContext:  # noqa: FBT001
    # Loading the system's authorities takes tens of milliseconds, too long for an event loop on every connection.
    context = ssl.create_default_context()
    if not verify:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
