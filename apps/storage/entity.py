"""What every stored thing is: a frozen Pydantic model with an identity and a version.

Entities know nothing of DynamoDB but the words of their declaration: how Python's names and times are stored, and which
stored attributes are derived from others. The codec does the rest.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, ConfigDict


class Naming(StrEnum):
    """How a field's Python name becomes the stored one."""

    SNAKE = "snake"
    CAMEL = "camel"


class TimeForm(StrEnum):
    """How an instant is stored: ISO 8601 UTC text, Unix milliseconds, or epoch seconds (TTL attributes)."""

    ISO = "iso"
    MILLISECONDS = "milliseconds"
    SECONDS = "seconds"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """How one field is stored where it differs from its entity's rule.

    `name` is the stored attribute; `time` the form of an instant; `flag` stores a bool as the number 0 or 1, as index
    keys demand; `compressed` stores text as deflated bytes.
    """

    name: str | None = None
    time: TimeForm | None = None
    flag: bool = False
    compressed: bool = False


@dataclass(frozen=True, slots=True)
class Unique:
    """A field whose value only one item may have, over the whole table or among those with the same `within` field.

    None takes no place. `folded` compares without case. `message` is what somebody is told who wants a taken value.
    """

    field: str
    within: str | None = None
    folded: bool = False
    message: str = ""


Upgrade = Callable[[dict[str, Any]], dict[str, Any]]
"""Turns an item as an earlier release wrote it (plain values by stored name) into what the next release expects."""


def _instant(value: datetime) -> datetime:
    zone = value.tzinfo
    if zone is not UTC:
        if zone is None:
            raise ValueError("an instant needs its time zone")
        value = value.astimezone(UTC)
    return whole_millisecond(value)


def whole_millisecond(value: datetime) -> datetime:
    """The instant as it can be stored: an entity must not change by being stored and read."""
    rest = value.microsecond % 1000
    return value.replace(microsecond=value.microsecond - rest) if rest else value


def _whole_second(value: datetime) -> datetime:
    return _instant(value).replace(microsecond=0)


Instant = Annotated[datetime, AfterValidator(_instant)]
"""An aware UTC datetime of millisecond precision; naive ones are refused."""

Expiry = Annotated[datetime, AfterValidator(_whole_second), Stored(time=TimeForm.SECONDS)]
"""When DynamoDB may delete the item: an instant stored as epoch seconds."""


class Entity(BaseModel):
    """A stored thing as it was read, or as it is to be written; never changed in place.

    `version` is the number of times it was written. `derived` maps stored attributes to templates over fields, such as
    `{"status_key": "{status}#{policy_number}"}`: index keys that follow from the rest. One whose fields are not all set
    is left out, which makes its index sparse.

    `unique` lists fields whose values are guarded. `upgrades` leads an item of an earlier release step by step to this
    one's form: an entity with two upgrades is in schema version 3. `kept_deleted` is how long a deleted item can be
    restored; None deletes at once.
    """

    # Pydantic's messages would quote the whole input, and with it whatever is secret there.
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, hide_input_in_errors=True)
    # Where an entity came from is no part of it: slots count in no comparison, copy or dump, and cost nothing to make.
    __slots__ = ("_as_read", "_projected")

    naming: ClassVar[Naming] = Naming.SNAKE
    times: ClassVar[TimeForm] = TimeForm.ISO
    derived: ClassVar[Mapping[str, str]] = {}
    unique: ClassVar[tuple[Unique, ...]] = ()
    upgrades: ClassVar[tuple[Upgrade, ...]] = ()
    kept_deleted: ClassVar[timedelta | None] = None
    remembered: ClassVar[tuple[str, ...]] = ()
    stamped: ClassVar[bool] = False

    version: int = 0

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Work out which fields a changed entity must still know as they were read."""
        super().__pydantic_init_subclass__(**kwargs)
        fields = [unique.field for unique in cls.unique]
        if len(set(fields)) < len(fields):
            raise TypeError(f"{cls.__name__} declares a field unique twice: one guard cannot be for two scopes")
        guarded = [name for unique in cls.unique for name in (unique.field, unique.within) if name is not None]
        cls.remembered = tuple(dict.fromkeys((*guarded, *(["created_at", "updated_at"] if cls.stamped else []))))

    # A copy still knows where it came from: a partial entity must never look whole, or saving it would lose the rest.

    def __copy__(self) -> Self:
        """A copy, as `model_copy` makes it too."""
        return self._carried_to(super().__copy__())

    def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
        """A copy down to its parts."""
        return self._carried_to(super().__deepcopy__(memo))

    def __getstate__(self) -> dict[Any, Any]:
        """What is pickled."""
        return {**super().__getstate__(), "slots": {name: getattr(self, name, None) for name in Entity.__slots__}}

    def __setstate__(self, state: dict[Any, Any]) -> None:
        """The entity out of a pickle."""
        kept = state.pop("slots")
        super().__setstate__(state)
        for name, value in kept.items():
            object.__setattr__(self, name, value)

    def _carried_to(self, copied: Self) -> Self:
        for name in Entity.__slots__:
            object.__setattr__(copied, name, getattr(self, name, None))
        return copied

    @property
    def is_projected(self) -> bool:
        """Whether it was read through an index that carries only some attributes; such a one cannot be saved."""
        return bool(getattr(self, "_projected", False))

    def evolve(self, **changes: Any) -> Self:
        """The same thing with these fields changed, validated as a whole. Raises pydantic's `ValidationError`."""
        current = {name: getattr(self, name) for name in type(self).model_fields}
        unknown = changes.keys() - current.keys()
        if unknown:
            raise TypeError(f"{type(self).__name__} has no field {', '.join(sorted(unknown))}")
        changed = type(self).model_validate({**current, **changes})
        object.__setattr__(changed, "_projected", self.is_projected)
        object.__setattr__(changed, "_as_read", self.as_read)
        return changed

    def remember(self, **stored: Any) -> None:
        """Take the present values of the remembered fields for the stored ones: called when it was read or written.

        `stored` are those that an upgrade changed since.
        """
        if self.remembered:
            found = {name: stored.get(name, getattr(self, name)) for name in self.remembered}
            object.__setattr__(self, "_as_read", found)

    @property
    def as_read(self) -> Mapping[str, Any] | None:
        """The remembered fields as they are stored; None for an entity that was neither read nor written."""
        return getattr(self, "_as_read", None)

    def at_version(self, version: int) -> Self:
        """The same thing as it is stored under this version number."""
        stored = self.model_copy(update={"version": version})
        stored.remember()
        return stored


class Stamped(Entity):
    """An entity that knows when it came to be, when it last changed and who made it; repositories fill these in.

    A time that the caller gives is kept.
    """

    stamped: ClassVar[bool] = True

    created_at: Instant | None = None
    updated_at: Instant | None = None
    created_by: str = ""


def stored_name(field: str, naming: Naming) -> str:
    """The stored name of a Python field under a naming rule: `team_id` is `teamId` in camel case."""
    if naming is Naming.SNAKE:
        return field
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), field)
