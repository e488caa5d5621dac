"""Which policies make the demo host misbehave, and how.

By the first three characters of the policy number, on every inquiry:

====== ==========================================================================
UNK    a screen that has nothing to do with the inquiry; ENTER goes on
LCK    locked for the first two inquiries since the host was started, then found
DRP    the connection drops
HNG    no answer ever
SLW    the answer takes `slow_seconds` longer
ABN    the transaction abends
TMO    the session is timed out and signed off
TWO    the answer comes in two writes, the keyboard unlocked after the first
ERL    the keyboard unlocks before the answer is there
MAL    refused as malformed
OTH    the detail of another policy is shown
====== ==========================================================================

With `O` as the fourth character (`DRPO00001`) only the first inquiry since the host was started misbehaves.
With a fault rate, sound policies misbehave at random too; the choice depends on nothing but seed, policy number and
how often it was asked for, so that a seed gives the same faults whatever the order of inquiries.
"""

import random
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

ONCE = "O"
LOCKED_INQUIRIES = 2


class Fault(Enum):
    """A way to misbehave; the value is the policy prefix that asks for it."""

    UNKNOWN = "UNK"
    LOCKED = "LCK"
    DROP = "DRP"
    HANG = "HNG"
    SLOW = "SLW"
    ABEND = "ABN"
    TIMED_OUT = "TMO"
    TWO_WRITES = "TWO"
    EARLY_UNLOCK = "ERL"
    MALFORMED = "MAL"
    OTHER_POLICY = "OTH"


FAULT_PREFIXES: Mapping[str, Fault] = MappingProxyType({fault.value: fault for fault in Fault})

# A hang costs its client a whole deadline and a lock is told apart by its number, so chance leaves those out.
_AT_RANDOM = (Fault.UNKNOWN, Fault.DROP, Fault.SLOW, Fault.ABEND, Fault.TIMED_OUT, Fault.TWO_WRITES, Fault.EARLY_UNLOCK)


def fault_for(policy_number: str, *, inquiry: int, rate: float = 0.0, seed: int = 0) -> Fault | None:
    """Return how the host misbehaves on the `inquiry`-th inquiry (from 1) of this policy, or None.

    `rate` (0 to 1) is the share of inquiries of sound policies that go wrong at random.
    """
    fault = FAULT_PREFIXES.get(policy_number[:3])
    if fault is None:
        if rate <= 0:
            return None
        chance = random.Random(f"{seed}:{policy_number}:{inquiry}")  # noqa: S311 -- repeatable on purpose
        return chance.choice(_AT_RANDOM) if chance.random() < rate else None
    if policy_number[3:4] == ONCE:
        return fault if inquiry == 1 else None
    if fault is Fault.LOCKED:
        return fault if inquiry <= LOCKED_INQUIRIES else None
    return fault
