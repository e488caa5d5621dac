"""What the demo host says to one terminal: sign-on, menu, inquiry, detail, and its deliberate faults."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from apps.terminal.demohost import panels
from apps.terminal.demohost.book import DemoPolicy, demo_policies, policies_by_number
from apps.terminal.demohost.datastream import ENTER, PF3, PF12, Reply, Screen, erase_write, write
from apps.terminal.demohost.faults import Fault, fault_for
from apps.terminal.demohost.panels import Look
from apps.terminal.demohost.users import SignOn, Users

_SPLIT_SECONDS = 0.05
_EARLY_SECONDS = 0.1

_REFUSALS: Mapping[SignOn, str] = MappingProxyType(
    {
        SignOn.NOT_VALID: "HVM011E USER ID OR PASSWORD IS NOT VALID",
        SignOn.IN_USE: "HVM012E USER ID {user} IS IN USE AT ANOTHER TERMINAL",
        SignOn.EXPIRED: "HVM013E THE PASSWORD OF {user} HAS EXPIRED",
        SignOn.REVOKED: "HVM014E USER ID {user} IS REVOKED",
    }
)


class Line(Protocol):
    """One terminal as the application sees it. Every wait ends by cancellation when the terminal is gone."""

    extended: bool

    def send(self, command: bytes) -> None:
        """Send one 3270 command."""

    async def pause(self, seconds: float) -> None:
        """Wait, as a busy host does."""

    async def read(self, screen: Screen) -> Reply:
        """Wait for the terminal's next key and read it against the inputs of `screen`."""

    def drop(self) -> None:
        """Cut the connection without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Behaviour:
    """How a host behaves: seconds before each screen, extra seconds of SLW, share of random faults and their seed."""

    latency_seconds: float = 0.0
    slow_seconds: float = 3.0
    fault_rate: float = 0.0
    seed: int = 0
    closes_after_sign_off: bool = False


@dataclass(slots=True)
class Conversation:
    """One terminal's way through the host."""

    line: Line
    users: Users
    behaviour: Behaviour
    count_inquiry: Callable[[str], int]
    user_id: str = ""

    async def run(self) -> None:
        """Talk until the terminal leaves. The user is signed off however this ends."""
        message = ""
        try:
            while await self._sign_on(message):
                await self._work()
                message = f"HVM090I USER {self.user_id} SIGNED OFF" if self.user_id else ""
                self._sign_off()
                if self.behaviour.closes_after_sign_off:
                    break
            await self._show(panels.goodbye(self._look()))
        finally:
            self._sign_off()

    def _look(self, message: str = "") -> Look:
        return Look(extended=self.line.extended, user_id=self.user_id, message=message)

    async def _show(self, screen: Screen) -> None:
        await self.line.pause(self.behaviour.latency_seconds)
        self.line.send(erase_write(screen))

    async def _ask(self, screen: Screen) -> Reply:
        await self._show(screen)
        return await self.line.read(screen)

    async def _sign_on(self, message: str) -> bool:
        while True:
            reply = await self._ask(panels.logon(self._look(message)))
            if reply.key == PF3:
                return False
            if reply.key != ENTER:
                continue
            user_id = reply.values.get("user_id", "").upper()
            outcome = self.users.sign_on(user_id, reply.values.get("password", ""))
            if outcome is SignOn.ACCEPTED:
                self.user_id = user_id
                return True
            message = _REFUSALS[outcome].format(user=user_id)

    def _sign_off(self) -> None:
        if self.user_id:
            self.users.sign_off(self.user_id)
            self.user_id = ""

    async def _work(self) -> None:
        """Serve the menu until the user signs off."""
        message = ""
        while True:
            reply = await self._ask(panels.menu(self._look(message)))
            option = reply.values.get("option", "").upper()
            if reply.key in (PF3, PF12) or option == "X":
                return
            if option != "1":
                message = "HVM101E CHOOSE 1 OR X"
            elif await self._inquiries():
                return
            else:
                message = ""

    async def _inquiries(self) -> bool:
        """Serve inquiries; return True to sign off, False to go back to the menu."""
        reply = await self._ask(panels.inquiry(self._look()))
        while reply.key not in (PF3, PF12):
            if reply.key != ENTER:
                reply = await self._ask(panels.inquiry(self._look()))
                continue
            answer = await self._answer(reply.values.get("policy_number", "").upper())
            if answer is None:
                return True
            reply = await self.line.read(answer)
            if reply.key != PF12 and not answer.inputs:
                reply = await self._ask(panels.inquiry(self._look()))
        return reply.key == PF12

    async def _answer(self, number: str) -> Screen | None:
        """Answer one inquiry; return the screen that now stands, or None when the session is over."""
        behaviour = self.behaviour
        fault = fault_for(number, inquiry=self.count_inquiry(number), rate=behaviour.fault_rate, seed=behaviour.seed)
        await self.line.pause(behaviour.latency_seconds)
        if fault is None:
            return self._send(self._sound(number))
        return await self._misbehave(fault, number)

    async def _misbehave(self, fault: Fault, number: str) -> Screen | None:
        ways: Mapping[Fault, Callable[[str], Awaitable[Screen | None]]] = {
            Fault.UNKNOWN: self._answer_unknown,
            Fault.LOCKED: self._answer_locked,
            Fault.DROP: self._answer_drop,
            Fault.HANG: self._answer_hang,
            Fault.SLOW: self._answer_slowly,
            Fault.ABEND: self._answer_abend,
            Fault.TIMED_OUT: self._answer_timed_out,
            Fault.TWO_WRITES: self._answer_in_two_writes,
            Fault.EARLY_UNLOCK: self._answer_after_early_unlock,
            Fault.MALFORMED: self._answer_malformed,
            Fault.OTHER_POLICY: self._answer_with_another,
        }
        return await ways[fault](number)

    def _send(self, screen: Screen) -> Screen:
        self.line.send(erase_write(screen))
        return screen

    def _sound(self, number: str) -> Screen:
        if not re.fullmatch(r"[A-Z0-9]{9}", number):
            return self._malformed(number)
        policy = policies_by_number().get(number)
        if policy is None:
            return panels.inquiry(self._look(f"HVM201I POLICY {number} NOT FOUND"))
        return panels.detail(policy, self._look())

    def _malformed(self, number: str) -> Screen:
        return panels.inquiry(self._look(f"HVM202E POLICY NUMBER {number} IS NOT WELL FORMED"))

    async def _answer_malformed(self, number: str) -> Screen | None:
        return self._send(self._malformed(number))

    async def _answer_locked(self, number: str) -> Screen | None:
        return self._send(panels.inquiry(self._look(f"HVM203W POLICY {number} IS LOCKED BY TERMINAL HV17, TRY LATER")))

    async def _answer_unknown(self, number: str) -> Screen | None:
        reply = await self.line.read(self._send(panels.bulletin(self._look())))
        return None if reply.key == PF12 else self._send(self._sound(number))

    async def _answer_drop(self, number: str) -> Screen | None:  # noqa: ARG002 -- every answer is told the number
        self.line.drop()
        return None

    async def _answer_hang(self, number: str) -> Screen | None:
        while True:
            await self.line.read(self._sound(number))

    async def _answer_slowly(self, number: str) -> Screen | None:
        await self.line.pause(self.behaviour.slow_seconds)
        return self._send(self._sound(number))

    async def _answer_abend(self, number: str) -> Screen | None:
        await self.line.read(self._send(panels.abend(sum(map(ord, number)) % 99_999)))
        return None

    async def _answer_timed_out(self, number: str) -> Screen | None:  # noqa: ARG002 -- every answer is told the number
        screen = self._send(panels.timed_out(self._look()))
        self._sign_off()
        await self.line.read(screen)
        return None

    async def _answer_in_two_writes(self, number: str) -> Screen | None:
        policy = policies_by_number().get(number)
        if policy is None:
            return self._send(self._sound(number))
        first, second = panels.detail_parts(policy, self._look())
        self.line.send(erase_write(first))
        await self.line.pause(_SPLIT_SECONDS)
        self.line.send(write(second))
        return first

    async def _answer_after_early_unlock(self, number: str) -> Screen | None:
        self.line.send(write())
        await self.line.pause(_EARLY_SECONDS)
        return self._send(self._sound(number))

    async def _answer_with_another(self, number: str) -> Screen | None:
        return self._send(panels.detail(_another(number), self._look()))


def _another(number: str) -> DemoPolicy:
    return next(policy for policy in demo_policies() if policy.policy_number != number)
