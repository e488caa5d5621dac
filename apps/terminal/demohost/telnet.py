"""Telnet framing: bytes in, events out. Knows nothing of what the options mean (RFC 854, RFC 885)."""

from dataclasses import dataclass

IAC, DONT, DO, WONT, WILL, SB, SE, EOR = 255, 254, 253, 252, 251, 250, 240, 239

MAX_RECORD_BYTES = 8192
MAX_SUBNEGOTIATION_BYTES = 256


class TelnetError(Exception):
    """The peer sent more than any terminal would."""


@dataclass(frozen=True, slots=True)
class Option:
    """DO, DONT, WILL or WONT (`verb`) about one option."""

    verb: int
    option: int


@dataclass(frozen=True, slots=True)
class Subnegotiation:
    """What stood between IAC SB and IAC SE, unescaped."""

    data: bytes


@dataclass(frozen=True, slots=True)
class Record:
    """What stood before an IAC EOR, unescaped."""

    data: bytes


Event = Option | Subnegotiation | Record


class TelnetParser:
    """Splits what one peer sends into events. Keeps no more than one record and one subnegotiation."""

    def __init__(self) -> None:
        self._tail = b""
        self._record = bytearray()
        self._subnegotiation: bytearray | None = None

    def feed(self, data: bytes) -> list[Event]:
        """Return the events completed by `data`; raise `TelnetError` when a record or subnegotiation grows too long."""
        buffer = self._tail + data if self._tail else data
        self._tail = b""
        events: list[Event] = []
        position = 0
        while (found := buffer.find(IAC, position)) >= 0:
            self._keep(buffer[position:found])
            command = buffer[found + 1 : found + 3]
            if len(command) < (2 if command[:1] and command[0] in (DO, DONT, WILL, WONT) else 1):
                self._tail = buffer[found:]
                return events
            position = found + 2 + self._command(command, events)
        self._keep(buffer[position:])
        return events

    def _command(self, command: bytes, events: list[Event]) -> int:
        """Act on what follows an IAC; return how many bytes it took beyond its code."""
        code = command[0]
        if code in (DO, DONT, WILL, WONT):
            events.append(Option(code, command[1]))
            return 1
        if code == IAC:
            self._keep(b"\xff")
        elif code == SB:
            self._subnegotiation = bytearray()
        elif code == SE and self._subnegotiation is not None:
            events.append(Subnegotiation(bytes(self._subnegotiation)))
            self._subnegotiation = None
        elif code == EOR:
            events.append(Record(bytes(self._record)))
            self._record.clear()
        return 0

    def _keep(self, data: bytes) -> None:
        if self._subnegotiation is not None:
            self._subnegotiation += data
            if len(self._subnegotiation) > MAX_SUBNEGOTIATION_BYTES:
                raise TelnetError("subnegotiation too long")
        else:
            self._record += data
            if len(self._record) > MAX_RECORD_BYTES:
                raise TelnetError("record too long")


def escaped(data: bytes) -> bytes:
    """Return `data` with every 0xFF doubled."""
    return data.replace(b"\xff", b"\xff\xff")


def option(verb: int, code: int) -> bytes:
    """Return the bytes of one DO, DONT, WILL or WONT."""
    return bytes((IAC, verb, code))


def subnegotiation(data: bytes) -> bytes:
    """Return `data` framed by IAC SB and IAC SE."""
    return bytes((IAC, SB)) + escaped(data) + bytes((IAC, SE))


def record(data: bytes) -> bytes:
    """Return `data` as one record, closed by IAC EOR."""
    return escaped(data) + bytes((IAC, EOR))
