"""Talking to a terminal: press a key, wait for one of the screens that may follow, keep what was seen."""

import asyncio
import textwrap
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TypeVar

from apps.terminal.client import Deadlines, Key, Terminal
from apps.terminal.errors import FaultKind, HostFault
from apps.terminal.screens import (
    CapturedScreen,
    Field,
    Reading,
    ScreenKind,
    bright_spans,
    classify,
    input_after,
    without_hidden,
    without_secrets,
)

T = TypeVar("T")


class Step(StrEnum):
    """Where a conversation stands: the step of a captured screen and of a fault."""

    CONNECT = "connect"
    LOG_ON = "log-on"
    INQUIRY = "inquiry"
    RESULT = "result"
    ERROR = "error"
    LOG_OFF = "log-off"


@dataclass(frozen=True, slots=True)
class View:
    """The screen at one moment; `text` without hidden fields, but not yet without secrets."""

    text: str
    fields: tuple[Field, ...]
    reading: Reading


_MESSAGE_LENGTH = 200
_NOT_ENOUGH = frozenset((ScreenKind.BLANK, ScreenKind.INCOMPLETE))
_FAULTS = {
    ScreenKind.ABEND: (FaultKind.ABEND, "The host's transaction ended abnormally"),
    ScreenKind.TIMED_OUT: (FaultKind.SCREEN_TIMED_OUT, "The host timed the session out"),
    ScreenKind.USER_IN_USE: (FaultKind.USER_IN_USE, "The user id is in use at another terminal"),
    ScreenKind.WRONG_PASSWORD: (FaultKind.WRONG_PASSWORD, "The host refused user id or password"),
    ScreenKind.PASSWORD_EXPIRED: (FaultKind.PASSWORD_EXPIRED, "The password has expired; change it on the host"),
    ScreenKind.USER_REVOKED: (FaultKind.USER_REVOKED, "The user id is revoked; ask the host's administrators"),
}


class Dialogue:
    """The exchanges of one session with its terminal, one at a time, and the screens they left."""

    def __init__(
        self,
        terminal: Terminal,
        *,
        columns: int,
        secrets: Collection[str],
        deadlines: Deadlines,
        now: Callable[[], datetime],
    ) -> None:
        """`columns` is the width of the terminal's screen; the rest is as in `HostSession.open`."""
        self.screens: list[CapturedScreen] = []
        self.secrets = set(secrets)
        self.broken = False
        self.terminal = terminal
        self._columns = columns
        self._deadlines = deadlines
        self._now = now
        self._busy = False
        self._seen: tuple[int, View] | None = None

    @contextmanager
    def exchange(self, step: Step) -> Iterator[None]:
        """Guard one exchange: no second one meanwhile, and whatever ends it early spoils the session."""
        if self._busy:
            raise RuntimeError(f"a host session was asked to {step} while it was busy")
        self._busy = True
        try:
            yield
        except HostFault as fault:
            self.capture(Step.ERROR)
            if fault.kind is not FaultKind.LOCKED:
                self.broken = True
            raise
        except asyncio.CancelledError:
            self.capture(Step.ERROR)
            self.broken = True
            raise
        except BaseException:
            self.broken = True
            raise
        finally:
            self._busy = False

    def view(self) -> View:
        """Return the screen as it is now."""
        version = self.terminal.version
        if self._seen is None or self._seen[0] != version:
            fields = tuple(self.terminal.fields())
            text = without_hidden(self.terminal.text(), fields)
            self._seen = version, View(text, fields, classify(text, columns=self._columns))
        return self._seen[1]

    def capture(self, step: Step) -> None:
        """Keep the screen without its secrets; a blank one only if it is not the trace of an error."""
        view = self.view()
        if step is Step.ERROR and not view.text.strip():
            return
        text = without_secrets(view.text, self.secrets)
        self.screens.append(CapturedScreen(step.value, self._now(), text, bright_spans(text, view.fields)))

    def fill(self, step: Step, entries: Collection[tuple[str, str, str]]) -> None:
        """Type each (label, name, text) into the field beside its label, all or nothing checked by `type_into`."""
        view = self.view()
        if self.terminal.lost:
            raise self._lost_fault(step)
        for label, what, text in entries:
            field = input_after(view.text, view.fields, label=label, columns=self._columns)
            if field is None:
                message = f"{what} has no field on the host's screen."
                raise HostFault(message, kind=FaultKind.UNKNOWN_SCREEN, step=step)
            self.terminal.type_into(field, text, what=what, step=step)

    async def press(
        self, key: Key, accept: Callable[[View], T | None], *, step: Step, seconds: float | None = None
    ) -> T:
        """Press a key and `wait` for what follows."""
        before = self.view().text
        if self.terminal.lost:
            raise self._lost_fault(step)
        self.terminal.press(key, step=step)
        return await self.wait(accept, step=step, seconds=seconds or self._deadlines.screen_seconds, before=before)

    async def wait(self, accept: Callable[[View], T | None], *, step: Step, seconds: float, before: str) -> T:
        """Wait until `accept` returns something for a screen; raise `HostFault` for whatever else happens."""
        terminal = self.terminal
        loop = asyncio.get_running_loop()
        ends = loop.time() + seconds
        while True:
            terminal.changed.clear()
            lost = terminal.lost
            # The last screen and the end of the connection may arrive together: the screen counts first.
            view = self.view() if terminal.unlocked or lost else None
            if view is not None:
                result = accept(view)
                if result is not None:
                    return result
                self._raise_if_fault(view, step=step, before=before)
            if lost:
                raise self._lost_fault(step)
            strange = view is not None and view.text != before and view.reading.kind not in _NOT_ENOUGH
            patience = min(ends, loop.time() + self._deadlines.settle_seconds) if strange else ends
            try:
                async with asyncio.timeout_at(patience):
                    await terminal.changed.wait()
            except TimeoutError as error:
                raise self._waited_in_vain(step, before=before, seconds=seconds) from error

    async def unlocked(self, *, ends: float) -> None:
        """Wait until the keyboard is free or the connection lost; raise `HostFault` (TIMEOUT) at loop time `ends`."""
        terminal = self.terminal
        try:
            async with asyncio.timeout_at(ends):
                while not (terminal.unlocked or terminal.lost):
                    terminal.changed.clear()
                    await terminal.changed.wait()
        except TimeoutError as error:
            message = "The host kept the keyboard locked, so that nobody could be signed off."
            raise HostFault(message, kind=FaultKind.TIMEOUT, step=Step.LOG_OFF) from error

    def _raise_if_fault(self, view: View, *, step: Step, before: str) -> None:
        known = _FAULTS.get(view.reading.kind)
        if known is not None and view.text != before:
            kind, sentence = known
            raise HostFault(self.said(sentence, view), kind=kind, step=step)

    def _lost_fault(self, step: Step) -> HostFault:
        if self.terminal.failure:
            return HostFault(self.terminal.failure, kind=FaultKind.PROTOCOL, step=step)
        return HostFault("The host closed the connection.", kind=FaultKind.DROPPED, step=step)

    def _waited_in_vain(self, step: Step, *, before: str, seconds: float) -> HostFault:
        view = self.view()
        self._raise_if_fault(view, step=step, before=before)
        if view.text == before or view.reading.kind is ScreenKind.BLANK:
            return HostFault(f"The host did not answer within {seconds:g} s.", kind=FaultKind.TIMEOUT, step=step)
        if view.reading.detail is not None:
            message = f"The host showed policy {view.reading.detail.policy_number}, which is not the one asked for."
            return HostFault(message, kind=FaultKind.UNKNOWN_SCREEN, step=step)
        # What stands on it may be anybody's data: it is kept as a screen, which not everybody may see.
        message = "The host showed a screen that is not known here."
        return HostFault(message, kind=FaultKind.UNKNOWN_SCREEN, step=step)

    def said(self, sentence: str, view: View) -> str:
        """Return `sentence` with what the host itself says on the screen, without secrets."""
        said = " ".join(without_secrets(view.reading.message, self.secrets).split())
        said = textwrap.shorten(said, _MESSAGE_LENGTH, placeholder=" ...")
        return f"{sentence}: {said}" if said else f"{sentence}."
