"""One entry of the audit log, and who acts."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from apps.storage.entity import Entity, Expiry, Instant

BLANK = "(hidden)"
_SECRET = re.compile(r"password|secret|token|credential|hash", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Actor:
    """Who does something: a user's id and name, and the network address it came from where one is known.

    `via` names what acts for the user where they do not act themselves: `token nightly export (…ab12)`.
    """

    actor_id: str
    name: str
    address: str = ""
    via: str = ""


def command(name: str) -> Actor:
    """The actor of a command that somebody runs on the machine itself."""
    return Actor(actor_id=f"command:{name}", name=f"manage.py {name}")


class AuditEntry(Entity):
    """What was done to `object` (`Users#<id>`): the fields that changed, before and after, with secrets blanked.

    `entry` is a ULID, so that entries sort by time. Read through an index, `before` and `after` are empty.
    """

    derived: ClassVar[Mapping[str, str]] = {"day": "{day}"}

    object: str
    entry: str
    action: str
    at: Instant
    actor_id: str
    actor_name: str = ""
    address: str = ""
    via: str = ""
    before: dict[str, Any] = Field(default_factory=dict)
    after: dict[str, Any] = Field(default_factory=dict)
    expires_at: Expiry | None = None

    @property
    def day(self) -> str:
        """The UTC day of the entry, `YYYY-MM-DD`."""
        return self.at.date().isoformat()


def blanked(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same values in a form that can be stored; None is left out.

    Those of secret names are blanked at any depth, in models too; a `Secret` shows itself to nobody.
    """
    return {
        name: BLANK if _SECRET.search(name) else _plain(value) for name, value in values.items() if value is not None
    }


def _plain(value: Any) -> Any:
    if isinstance(value, BaseModel):
        value = value.model_dump()
    if isinstance(value, Mapping):
        return blanked({str(name): part for name, part in value.items()})
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    if isinstance(value, set | frozenset):
        return sorted(str(_plain(part)) for part in value)
    if value is None or isinstance(value, str | bool | int | Decimal | datetime):
        return value
    return str(value)
