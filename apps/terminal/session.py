"""The conversation with the host's policy system: sign on, inquire, sign off."""

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from types import TracebackType
from typing import Self

from apps.terminal.client import Deadlines, HostAddress, Key, Terminal
from apps.terminal.dialogue import Dialogue, Step, View
from apps.terminal.errors import FaultKind, HostFault
from apps.terminal.screens import CapturedScreen, PolicyDetail, ScreenKind, input_after, without_secrets

__all__ = ["Deadlines", "HostAddress", "HostSession", "Inquiry", "Outcome", "Step"]


class Outcome(StrEnum):
    """What the host knows about a policy number."""

    DETAIL = "detail"
    NOT_FOUND = "not_found"
    MALFORMED = "malformed"


@dataclass(frozen=True, slots=True)
class Inquiry:
    """The host's answer; `detail` is there with `Outcome.DETAIL` only, `message` is the host's own line otherwise."""

    outcome: Outcome
    detail: PolicyDetail | None
    message: str


_OUTCOMES = {
    ScreenKind.NOT_FOUND: Outcome.NOT_FOUND,
    ScreenKind.MALFORMED: Outcome.MALFORMED,
}


class HostSession:
    """One session with a host; one caller at a time.

    After a fault other than LOCKED, a timeout or a cancellation the session must not be used for another policy (a
    late answer would be read as the next one's): `usable` turns false, and only `log_off` and `close` make sense.
    """

    def __init__(
        self,
        terminal: Terminal,
        *,
        address: HostAddress,
        secrets: Collection[str],
        deadlines: Deadlines,
        now: Callable[[], datetime],
    ) -> None:
        """Use `open` instead."""
        self._terminal = terminal
        self._dialogue = Dialogue(terminal, columns=address.columns, secrets=secrets, deadlines=deadlines, now=now)
        self._deadlines = deadlines
        self._signed_on = False
        self._over = False

    @classmethod
    async def open(
        cls,
        address: HostAddress,
        *,
        secrets: Collection[str] = (),
        deadlines: Deadlines | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> Self:
        """Connect and wait for the sign-on screen.

        `secrets` are blanked wherever they stand on a captured screen. Raises `HostFault`: CONNECT_FAILED, TLS,
        TIMEOUT, DROPPED, PROTOCOL, UNKNOWN_SCREEN, or DOES_NOT_FIT for an unknown encoding; nothing stays open then.
        """
        deadlines = deadlines or Deadlines()
        loop = asyncio.get_running_loop()
        ends = loop.time() + deadlines.connect_seconds
        try:
            async with asyncio.timeout_at(ends):
                terminal = await Terminal.connect(address)
        except TimeoutError as error:
            what = "a TLS connection" if address.use_tls else "a connection"
            message = f"Host {address.name} did not accept {what} within {deadlines.connect_seconds:g} s."
            raise HostFault(message, kind=FaultKind.CONNECT_FAILED, step=Step.CONNECT) from error
        session = cls(terminal, address=address, secrets=secrets, deadlines=deadlines, now=now)
        try:
            with session._dialogue.exchange(Step.CONNECT):
                await session._dialogue.wait(
                    session._sign_on_screen, step=Step.CONNECT, seconds=ends - loop.time(), before=""
                )
        except BaseException as error:
            if isinstance(error, HostFault):
                error.screens = tuple(session.screens)
            await session.close()
            raise
        return session

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    @property
    def usable(self) -> bool:
        """Whether another policy may be taken through this session: connected, and nothing has gone wrong in it."""
        return not (self._dialogue.broken or self._over or self._terminal.lost)

    @property
    def signed_on(self) -> bool:
        """Whether a user is signed on, as far as we know."""
        return self._signed_on and not self._terminal.lost

    @property
    def screens(self) -> list[CapturedScreen]:
        """What was captured so far and not yet taken."""
        return self._dialogue.screens

    def take_screens(self) -> list[CapturedScreen]:
        """Return the screens captured so far and forget them."""
        taken = list(self.screens)
        self.screens.clear()
        return taken

    async def log_on(self, *, user_id: str, password: str) -> None:
        """Sign on and wait for the menu.

        Raises `HostFault`: WRONG_PASSWORD, PASSWORD_EXPIRED, USER_REVOKED, USER_IN_USE, DOES_NOT_FIT (then nothing was
        sent), or that the session failed.
        """
        self._dialogue.secrets.add(password)
        with self._dialogue.exchange(Step.LOG_ON):
            self._dialogue.fill(
                Step.LOG_ON, (("User ID", "The user id", user_id), ("Password", "The password", password))
            )
            self._signed_on = True  # a cancellation leaves it open; only an answer says that it is not so
            try:
                await self._dialogue.press(Key.ENTER, self._menu, step=Step.LOG_ON)
            except HostFault:
                self._signed_on = False
                raise
            self._dialogue.capture(Step.LOG_ON)

    async def inquire(self, policy_number: str) -> Inquiry:
        """Ask the host for one policy.

        Only an answer that carries this very policy number is accepted. Raises `HostFault`: LOCKED (the session stays
        usable), ABEND, SCREEN_TIMED_OUT, UNKNOWN_SCREEN, TIMEOUT, DROPPED, PROTOCOL, DOES_NOT_FIT.
        """
        with self._dialogue.exchange(Step.INQUIRY):
            await self._to_inquiry()
            self._dialogue.fill(Step.INQUIRY, (("Policy number", "The policy number", policy_number),))
            self._dialogue.capture(Step.INQUIRY)

            def answer(view: View) -> Inquiry | None:
                return self._answer(view, policy_number)

            result = await self._dialogue.press(Key.ENTER, answer, step=Step.RESULT)
            self._dialogue.capture(Step.RESULT)
            return result

    async def log_off(self) -> None:
        """Sign off; does nothing when nobody is signed on. The host may close the connection thereupon.

        Also tried after a fault or a cancellation, once the keyboard is free. Raises `HostFault` when the host does not
        confirm in time; the caller treats that as a warning.
        """
        if not self.signed_on:
            return
        with self._dialogue.exchange(Step.LOG_OFF):
            ends = asyncio.get_running_loop().time() + self._deadlines.log_off_seconds
            await self._dialogue.unlocked(ends=ends)
            try:
                seconds = ends - asyncio.get_running_loop().time()
                await self._dialogue.press(Key.PF12, self._signed_off, step=Step.LOG_OFF, seconds=seconds)
            except HostFault as fault:
                if fault.kind is not FaultKind.DROPPED:
                    raise
            self._signed_on = False
            self._dialogue.capture(Step.LOG_OFF)

    async def close(self) -> None:
        """Give the connection up. Never raises; may be called again."""
        self._over = True
        await self._terminal.close()

    async def _to_inquiry(self) -> None:
        """Get from wherever a signed-on user may be to the inquiry panel."""
        kind = self._dialogue.view().reading.kind
        if kind is ScreenKind.MENU:
            self._dialogue.fill(Step.INQUIRY, (("Option", "The menu option", "1"),))
            await self._dialogue.press(Key.ENTER, self._inquiry_screen, step=Step.INQUIRY)
        elif kind is ScreenKind.DETAIL:
            await self._dialogue.press(Key.PF3, self._inquiry_screen, step=Step.INQUIRY)

    def _sign_on_screen(self, view: View) -> bool | None:
        may_be = view.reading.kind in (ScreenKind.LOGON, ScreenKind.MESSAGE)
        return True if may_be and input_after(view.text, view.fields, label="Password") else None

    def _menu(self, view: View) -> bool | None:
        return True if view.reading.kind is ScreenKind.MENU else None

    def _inquiry_screen(self, view: View) -> bool | None:
        return True if view.reading.kind is ScreenKind.INQUIRY else None

    def _signed_off(self, view: View) -> bool | None:
        if view.reading.kind not in (ScreenKind.LOGGED_OFF, ScreenKind.LOGON):
            return None
        if all(field.protected for field in view.fields):
            self._over = True  # nowhere to sign on again: the host is about to close
        return True

    def _answer(self, view: View, policy_number: str) -> Inquiry | None:
        reading = view.reading
        if reading.detail is not None:
            if reading.detail.policy_number != policy_number:
                return None
            return Inquiry(Outcome.DETAIL, reading.detail, "")
        if policy_number not in reading.message.split():
            return None
        if reading.kind is ScreenKind.LOCKED:
            raise HostFault(self._dialogue.said("The policy is locked", view), kind=FaultKind.LOCKED, step=Step.RESULT)
        outcome = _OUTCOMES.get(reading.kind)
        if outcome is None:
            return None
        return Inquiry(outcome, None, without_secrets(reading.message, self._dialogue.secrets))
