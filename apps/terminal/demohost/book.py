"""The demo host's policies: made up, and the same in every process."""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from functools import cache
from types import MappingProxyType

from apps.terminal.demohost.faults import FAULT_PREFIXES, ONCE

_SEED = 20240229
_SOUND_POLICIES = 320
_FAULTY_POLICIES_EACH = 3

_FIRST_NAMES = (
    *("ADA", "AMOS", "BEATRIX", "CALEB", "CLARA", "DESMOND", "EDITH", "ELIAS", "FAYE", "GIDEON", "HATTIE", "IRIS"),
    *("JONAS", "KEZIA", "LEOPOLD", "MABEL", "NADIA", "OSCAR", "PETRA", "QUINCY", "ROSALIND", "SILAS", "TABITHA"),
    *("URSULA", "VERNON", "WINIFRED", "XAVIER", "YOLANDA", "ZELDA"),
)
_LAST_NAMES = (
    *("ALDERWICK", "BARNABY", "CASTELLAN", "DUNMORE", "EVERHART", "FENWICK", "GRANTHAM", "HOLLOWAY", "INGERSOLL"),
    *("JESSOP", "KILBRIDE", "LARKSPUR", "MERRIWEATHER", "NIGHTINGALE", "OAKESHOTT", "PEMBERTON", "QUILLFEATHER"),
    *("RAVENSCROFT", "STANHOPE", "THORNBURY", "UNDERHILL", "VANTERPOOL", "WHITCOMBE", "YARBOROUGH"),
)
# code letter, name, lowest and highest yearly premium in dollars
_PRODUCTS = (
    ("A", "PERSONAL AUTO", 480, 2900),
    ("B", "SMALL BUSINESS", 900, 9800),
    ("H", "HOMEOWNERS", 620, 4200),
    ("L", "TERM LIFE 20", 180, 2400),
    ("R", "RENTERS", 96, 380),
    ("U", "PERSONAL UMBRELLA", 150, 720),
)
_STATUSES = ("IN FORCE", "LAPSED", "PENDING", "CANCELLED")
_STATUS_WEIGHTS = (80, 8, 7, 5)
_STATES = ("AZ", "CO", "CT", "GA", "IA", "IL", "MA", "ME", "MN", "NC", "NJ", "NY", "OH", "OR", "PA", "VA", "VT", "WA")
_BILLING = ("MONTHLY", "QUARTERLY", "YEARLY")
_FIRST_EFFECTIVE_DATE = date(2025, 12, 1)


@dataclass(frozen=True, slots=True)
class DemoPolicy:
    """One policy of the demo host. `premium` is in US dollars a year."""

    policy_number: str
    holder: str
    product: str
    status: str
    premium: Decimal
    state: str
    effective_date: date
    expiry_date: date
    agent: str
    billing: str


@cache
def demo_policies() -> Sequence[DemoPolicy]:
    """Return every policy in the book: first the sound ones, then those whose prefix makes the host misbehave."""
    chance = random.Random(_SEED)  # noqa: S311 -- made-up data, no secret
    numbers = [f"HV{chance.choice(_PRODUCTS)[0]}{100_000 + 271 * i:06d}" for i in range(_SOUND_POLICIES)]
    for prefix in FAULT_PREFIXES:
        numbers += [f"{prefix}{i:06d}" for i in range(1, _FAULTY_POLICIES_EACH + 1)]
        numbers.append(f"{prefix}{ONCE}{1:05d}")
    return tuple(_policy(number, chance) for number in numbers)


@cache
def policies_by_number() -> Mapping[str, DemoPolicy]:
    """Return the book by policy number."""
    return MappingProxyType({policy.policy_number: policy for policy in demo_policies()})


def _policy(number: str, chance: random.Random) -> DemoPolicy:
    by_letter = {product[0]: product for product in _PRODUCTS}
    _, product, lowest, highest = by_letter.get(number[2]) or chance.choice(_PRODUCTS)
    effective = _FIRST_EFFECTIVE_DATE + timedelta(days=chance.randrange(340))
    years = 20 if product.startswith("TERM LIFE") else 1
    return DemoPolicy(
        policy_number=number,
        holder=f"{chance.choice(_FIRST_NAMES)} {chance.choice(_LAST_NAMES)}",
        product=product,
        status=chance.choices(_STATUSES, weights=_STATUS_WEIGHTS)[0],
        premium=Decimal(chance.randrange(lowest * 100, highest * 100)) / 100,
        state=chance.choice(_STATES),
        effective_date=effective,
        expiry_date=effective + timedelta(days=365 * years),
        agent=f"{chance.randrange(100, 990)}-{chance.choice(_LAST_NAMES)}",
        billing=chance.choice(_BILLING),
    )
