"""One line to the host: a session that is kept as long as it serves, and opened anew when it does not."""

from collections.abc import Callable
from datetime import datetime

import structlog

from apps.policy_runs.asts.base import Ast
from apps.terminal.errors import HostFault
from apps.terminal.screens import CapturedScreen
from apps.terminal.session import Deadlines, HostAddress, HostSession, Step

log = structlog.get_logger(__name__)


class Line:
    """Policies go through it one after another; whoever uses it hangs up in the end, come what may."""

    def __init__(
        self, address: HostAddress, *, ast: Ast, secret: str, deadlines: Deadlines, clock: Callable[[], datetime]
    ) -> None:
        """`secret` is blanked on every captured screen."""
        self.address = address
        self.ast = ast
        self.secret = secret
        self.deadlines = deadlines
        self.clock = clock
        self.session: HostSession | None = None

    async def ready(self) -> HostSession:
        """A session that shows the sign-on screen. Raises `HostFault`."""
        if self.session is None or not self.session.usable:
            await self.hang_up()
            self.session = await HostSession.open(
                self.address, secrets=(self.secret,), deadlines=self.deadlines, now=self.clock
            )
        return self.session

    def take_screens(self) -> list[CapturedScreen]:
        """What was captured since the last time."""
        return self.session.take_screens() if self.session is not None else []

    @property
    def has_signed_on(self) -> bool:
        """Whether the host has accepted the credentials for the policy that is under way."""
        return self.session is not None and any(screen.step == Step.LOG_ON for screen in self.session.screens)

    async def finish(self) -> None:
        """Sign off after a policy, and hang up where the session cannot serve again. Never raises `HostFault`."""
        if self.session is None:
            return
        await self._sign_off()
        if self.session.usable:
            self.session.take_screens()
        else:
            await self.hang_up()

    async def _sign_off(self) -> None:
        if self.session is not None and self.session.signed_on:
            try:
                await self.ast.finish(self.session)
            except HostFault as fault:  # the result is recorded already
                log.warning("sign-off failed", host=self.address.name, fault=fault.kind.value)

    async def hang_up(self) -> None:
        """Give the connection up, whatever state it is in."""
        session, self.session = self.session, None
        if session is not None:
            await session.close()
