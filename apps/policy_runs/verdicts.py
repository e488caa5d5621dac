"""What a fault means for the policy that met it, and for the run."""

import random
from dataclasses import dataclass, field

from apps.policy_runs.asts.base import ItemOutcome
from apps.policy_runs.entities import PolicyStatus
from apps.terminal.errors import FaultKind, HostFault, Remedy
from apps.terminal.session import Deadlines

TRIES = 3
TRIES_ONCE_MORE = 2
CONNECT_FAILURES = 10
LONGEST_HOLD = 15


@dataclass(frozen=True, slots=True)
class Patience:
    """How long things may take and waits between tries last, in seconds; tests shorten them."""

    deadlines: Deadlines = field(default_factory=Deadlines)
    policy: float = 90.0
    retry: float = 1.0
    put_off: float = 5.0
    slot: float = 30.0
    user_in_use: tuple[float, float] = (30.0, 60.0)


@dataclass(frozen=True, slots=True)
class Settle:
    """The policy ends so."""

    outcome: ItemOutcome


@dataclass(frozen=True, slots=True)
class Again:
    """The policy is tried again, in a new session, no sooner than in so many seconds."""

    after_seconds: float


@dataclass(frozen=True, slots=True)
class Hold:
    """The whole run waits so many seconds; the policy keeps its tries."""

    seconds: float
    reason: str


@dataclass(frozen=True, slots=True)
class Stop:
    """The run ends; going on would lock an account, or fail for every policy alike."""

    reason: str


Verdict = Settle | Again | Hold | Stop


def on_fault(
    fault: HostFault, *, attempt: int, connect_failures: int, changes_host: bool, patience: Patience
) -> Verdict:
    """What to do after a fault of the host.

    `attempt` counts the policy's tries from 1, `connect_failures` the refused connections in a row. A host that does
    not accept connections must not use up the tries of ten thousand policies: the run is held, and stopped in the end.
    """
    if fault.remedy is Remedy.STOP_RUN:
        return Stop(fault.message)
    if fault.remedy is Remedy.BACK_OFF:
        seconds = random.uniform(*patience.user_in_use)  # noqa: S311  (jitter, not a secret)
        return Hold(seconds, f"{fault.message} Trying again in {seconds:.0f} s.")
    if fault.kind is FaultKind.CONNECT_FAILED:
        if connect_failures >= CONNECT_FAILURES:
            return Stop(fault.message)
        seconds = _jittered(patience.retry * min(2**connect_failures, LONGEST_HOLD))
        return Hold(seconds, f"{fault.message} Trying again.")
    if fault.remedy is Remedy.PUT_OFF:
        return _again(fault.message, attempt=attempt, tries=TRIES, longest=patience.put_off)
    if changes_host:
        return _unknown(fault.message)
    tries = TRIES_ONCE_MORE if fault.remedy is Remedy.RETRY_ONCE else TRIES
    return _again(fault.message, attempt=attempt, tries=tries, longest=patience.retry * 2**attempt)


def on_timeout(*, attempt: int, changes_host: bool, patience: Patience) -> Verdict:
    """What to do after a policy took longer than it may."""
    message = f"The policy took longer than {patience.policy:g} s."
    if changes_host:
        return _unknown(message)
    return _again(message, attempt=attempt, tries=TRIES, longest=patience.retry * 2**attempt)


def _again(message: str, *, attempt: int, tries: int, longest: float) -> Verdict:
    if attempt >= tries:
        return Settle(ItemOutcome(PolicyStatus.FAILED, error=message))
    return Again(_jittered(longest))


def _unknown(message: str) -> Verdict:
    return Settle(ItemOutcome(PolicyStatus.UNKNOWN, error=f"{message} Check on the host what was done."))


def _jittered(longest: float) -> float:
    return random.uniform(longest / 2, longest)  # noqa: S311  (jitter, not a secret)
