"""The demo host as a server: connections, their telnet pump, and the counters tests look at."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from itertools import count
from ssl import SSLContext

from apps.terminal.demohost import telnet
from apps.terminal.demohost.application import Behaviour, Conversation
from apps.terminal.demohost.datastream import DataStreamError, Reply, Screen, parse_reply
from apps.terminal.demohost.negotiation import Negotiation
from apps.terminal.demohost.telnet import TelnetError, TelnetParser
from apps.terminal.demohost.users import ONE_SESSION_PREFIXES, Users

ADDRESS = "127.0.0.1"
_TN3270E_HEADER = bytes(5)
_DATA = 0
_NEGOTIATION_SECONDS = 10.0
_IDLE_SECONDS = 900.0
_MAX_WAITING_RECORDS = 16


@dataclass(eq=False)
class DemoHost:
    """A TN3270(E) host on 127.0.0.1; it runs on the event loop that started it and never blocks it.

    `one_session_prefixes` names the users who may have only one session (`("",)` for all). `tls` makes it a TLS host.
    """

    latency_seconds: float = 0.0
    slow_seconds: float = 3.0
    fault_rate: float = 0.0
    seed: int = 0
    closes_after_sign_off: bool = False
    one_session_prefixes: Collection[str] = ONE_SESSION_PREFIXES
    max_connections: int = 1000
    tls: SSLContext | None = None
    inquiries: Counter[str] = field(default_factory=Counter, init=False)

    def __post_init__(self) -> None:
        """Nobody is connected yet."""
        self.users = Users(one_session_prefixes=self.one_session_prefixes)
        self.connections_accepted = 0
        self._connections: set[_Connection] = set()
        self._numbers = count(1)
        self._server: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port it listens on. Raises `RuntimeError` when it is not started."""
        if self._server is None:
            raise RuntimeError("the demo host is not started")
        return int(self._server.sockets[0].getsockname()[1])

    @property
    def sessions_open(self) -> int:
        """How many terminals are connected."""
        return len(self._connections)

    @property
    def behaviour(self) -> Behaviour:
        """How it behaves towards every terminal."""
        return Behaviour(
            latency_seconds=self.latency_seconds,
            slow_seconds=self.slow_seconds,
            fault_rate=self.fault_rate,
            seed=self.seed,
            closes_after_sign_off=self.closes_after_sign_off,
        )

    async def start(self, port: int = 0) -> None:
        """Listen on 127.0.0.1 at `port`, or any free one. Raises `OSError` when the port is taken."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: _Connection(self), ADDRESS, port, ssl=self.tls, backlog=512)

    async def stop(self) -> None:
        """Stop listening and cut every terminal off. May be called again."""
        server, self._server = self._server, None
        if server is None:
            return
        server.close()
        for connection in tuple(self._connections):
            connection.drop()
        while self._connections:
            await asyncio.gather(*(connection.gone.wait() for connection in tuple(self._connections)))
        await server.wait_closed()

    def count_inquiry(self, policy_number: str) -> int:
        """Count one more inquiry of a policy; return how many there were, with this one."""
        self.inquiries[policy_number] += 1
        return self.inquiries[policy_number]

    def joins(self, connection: "_Connection") -> int | None:
        """Take a terminal in and return its number, or None when the host is full."""
        if len(self._connections) >= self.max_connections:
            return None
        self._connections.add(connection)
        self.connections_accepted += 1
        return next(self._numbers)

    def leaves(self, connection: "_Connection") -> None:
        """Forget a terminal."""
        self._connections.discard(connection)


class _Connection(asyncio.Protocol):
    """One terminal: telnet pump, queue of records, and the task that talks to it."""

    def __init__(self, host: DemoHost) -> None:
        self.extended = False
        self.gone = asyncio.Event()
        self._host = host
        self._parser = TelnetParser()
        self._records: asyncio.Queue[bytes] = asyncio.Queue(_MAX_WAITING_RECORDS)
        self._transport: asyncio.Transport
        self._negotiation: Negotiation
        self._task: asyncio.Task[None] | None = None
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to negotiate, with a time limit."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101 -- asyncio's promise for create_server
        self._transport = transport
        number = self._host.joins(self)
        if number is None:
            transport.abort()
            return
        self._negotiation = Negotiation(device_name=f"HVT{number % 100_000:05d}")
        self._too_late = asyncio.get_running_loop().call_later(_NEGOTIATION_SECONDS, transport.abort)
        transport.write(self._negotiation.begin())

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 -- asyncio's signature
        """End the conversation wherever it stands, so that its user is free at once."""
        if self._too_late is not None:
            self._too_late.cancel()
        if self._task is None:
            self._finished()
        else:
            self._task.cancel()

    def data_received(self, data: bytes) -> None:
        """Take in what the terminal sent; cut it off when that is not what a terminal sends."""
        if self._transport.is_closing():
            return
        try:
            for event in self._parser.feed(data):
                self._handle(event)
        except (TelnetError, asyncio.QueueFull):
            self._transport.abort()

    def pause_writing(self) -> None:
        """Cut off a terminal that does not read: a few screens are all it is ever owed."""
        self._transport.abort()

    def _handle(self, event: telnet.Event) -> None:
        negotiation = self._negotiation
        if isinstance(event, telnet.Record):
            data = event.data
            if negotiation.tn3270e:
                if data[:1] != bytes((_DATA,)):
                    return
                data = data[len(_TN3270E_HEADER) :]
            self._records.put_nowait(data)
            return
        answer = negotiation.answer(event)
        if answer:
            self._transport.write(answer)
        if negotiation.ready and self._task is None:
            self._begin()

    def _begin(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
        self.extended = self._negotiation.extended
        host = self._host
        conversation = Conversation(self, host.users, host.behaviour, host.count_inquiry)
        self._task = asyncio.get_running_loop().create_task(self._talk(conversation))
        self._task.add_done_callback(lambda _: self._finished())

    async def _talk(self, conversation: Conversation) -> None:
        with contextlib.suppress(DataStreamError, TimeoutError):
            await conversation.run()
        self._transport.close()

    def _finished(self) -> None:
        self._host.leaves(self)
        if not self._transport.is_closing():
            self._transport.abort()
        self.gone.set()

    def send(self, command: bytes) -> None:
        """Send one 3270 command as a record."""
        header = _TN3270E_HEADER if self._negotiation.tn3270e else b""
        self._transport.write(telnet.record(header + command))

    async def pause(self, seconds: float) -> None:
        """Wait; `connection_lost` cancels the wait."""
        if seconds > 0:
            await asyncio.sleep(seconds)

    async def read(self, screen: Screen) -> Reply:
        """Wait for the next key. Raises `TimeoutError` when the terminal stays idle, `DataStreamError` on nonsense."""
        if self._records.empty():
            async with asyncio.timeout(_IDLE_SECONDS):
                record = await self._records.get()
        else:
            record = self._records.get_nowait()
        return parse_reply(record, screen.inputs)

    def drop(self) -> None:
        """Cut the connection without a word."""
        self._transport.abort()
