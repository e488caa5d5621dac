"""Agreeing with a terminal on how records travel: TN3270E without functions (RFC 2355), or classic (RFC 1576)."""

from apps.terminal.demohost.telnet import (
    DO,
    DONT,
    WILL,
    WONT,
    Event,
    Option,
    Subnegotiation,
    TelnetError,
    option,
    subnegotiation,
)

BINARY, TERMINAL_TYPE, END_OF_RECORD, TN3270E = 0, 24, 25, 40
# TN3270E subnegotiation codes
ASSOCIATE, CONNECT, DEVICE_TYPE, FUNCTIONS, IS, REJECT, REQUEST, SEND = 0, 1, 2, 3, 4, 6, 7, 8
REASON, UNSUPPORTED = 5, 7
TERMINAL_TYPE_IS, TERMINAL_TYPE_SEND = 0, 1

MAX_EVENTS = 64  # far above what any agreement takes; a peer that argues on is cut off
_CLASSIC = (END_OF_RECORD, BINARY)


class Negotiation:
    """The state of one agreement. `ready` turns true once, when records may be sent."""

    def __init__(self, *, device_name: str) -> None:
        self.ready = False
        self.tn3270e = False
        self.terminal_type = ""
        self._device_name = device_name
        self._events = 0
        self._agreed: set[tuple[int, int]] = set()

    def begin(self) -> bytes:
        """Return what the host says first."""
        return option(DO, TN3270E)

    def answer(self, event: Event) -> bytes:
        """Return the reply to an option or subnegotiation; raise `TelnetError` when no agreement is possible."""
        self._events += 1
        if self._events > MAX_EVENTS:
            raise TelnetError("negotiation without end")
        if isinstance(event, Option):
            return self._option(event)
        if isinstance(event, Subnegotiation) and event.data:
            if event.data[0] == TN3270E:
                return self._tn3270e(event.data[1:])
            if event.data[0] == TERMINAL_TYPE:
                return self._terminal_type(event.data[1:])
        return b""

    @property
    def extended(self) -> bool:
        """Whether the terminal said that it understands extended attributes such as colours."""
        return self.terminal_type.endswith("-E") or self.terminal_type == "IBM-DYNAMIC"

    def _option(self, event: Option) -> bytes:
        if event.option in _CLASSIC:
            return self._classic(event)
        if event.option == TN3270E:
            return self._offered(event.verb)
        if event.option == TERMINAL_TYPE:
            if event.verb == WONT:
                raise TelnetError("not a terminal")
            return subnegotiation(bytes((TERMINAL_TYPE, TERMINAL_TYPE_SEND))) if event.verb == WILL else b""
        refusals = {DO: WONT, WILL: DONT}
        return option(refusals[event.verb], event.option) if event.verb in refusals else b""

    def _offered(self, verb: int) -> bytes:
        if verb == WILL and not self.tn3270e:
            self.tn3270e = True
            return subnegotiation(bytes((TN3270E, SEND, DEVICE_TYPE)))
        if verb == WONT:
            self.tn3270e = False
            return option(DO, TERMINAL_TYPE)
        return b""

    def _classic(self, event: Option) -> bytes:
        if event.verb in (DONT, WONT):
            raise TelnetError("records refused")
        self._agreed.add((event.verb, event.option))
        if len(self._agreed) == 2 * len(_CLASSIC) and self.terminal_type:
            self.ready = True
        return b""

    def _terminal_type(self, data: bytes) -> bytes:
        if data[:1] != bytes((TERMINAL_TYPE_IS,)) or self.terminal_type:
            return b""
        self.terminal_type = data[1:].decode("ascii", errors="replace").partition("@")[0].upper()
        return b"".join(option(verb, code) for code in _CLASSIC for verb in (DO, WILL))

    def _tn3270e(self, data: bytes) -> bytes:
        head = data[:2]
        if head == bytes((DEVICE_TYPE, REQUEST)):
            name = data[2:].partition(bytes((CONNECT,)))[0]
            if bytes((ASSOCIATE,)) in name:
                return subnegotiation(bytes((TN3270E, DEVICE_TYPE, REJECT, REASON, UNSUPPORTED)))
            self.terminal_type = name.decode("ascii", errors="replace").upper()
            granted = bytes((TN3270E, DEVICE_TYPE, IS)) + name
            return subnegotiation(granted + bytes((CONNECT,)) + self._device_name.encode("ascii"))
        if head == bytes((FUNCTIONS, REQUEST)):
            if len(data) == len(head):
                self.ready = True
                return subnegotiation(bytes((TN3270E, FUNCTIONS, IS)))
            return subnegotiation(bytes((TN3270E, FUNCTIONS, REQUEST)))
        if head == bytes((FUNCTIONS, IS)):
            self.ready = True
        return b""
