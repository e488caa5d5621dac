"""The filters of a list, each one object: what it asks somebody, and what it asks the store.

Where an index's key holds the field, a filter is part of the key that is read; where the index only carries it, rows
are looked through under a budget. `list_checks.py` refuses one that no listing answers.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import UTC, date, datetime, time, timedelta
from enum import Enum
from functools import cached_property
from typing import Any, ClassVar, Self, get_args, get_origin

from django import forms
from django.utils import timezone
from ulid import ULID

from apps.console.fields import kind_of, words
from apps.storage.conditions import Condition, SortKey, at_least, at_most, attribute, between, everything
from apps.storage.entity import Entity

FIRST_YEAR, LAST_YEAR = 1970, 9998
LONGEST_VALUE = 2048
MOST = 10**18
_EPOCH = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)
_ULID_TIME, _LAST_OF_ULID = 10, "7ZZZZZZZZZZZZZZZZZZZZZZZZZ"


class Filter(ABC):
    """What somebody may choose about the field `name`; an empty choice is none.

    `keys` are the fields of a sort key that it can be asked of; `is_range` says that it is then a range.
    """

    is_range: ClassVar[bool] = False

    def __init__(self, name: str, *, label: str = "", default: Callable[[], Any] | None = None) -> None:
        """`default` is chosen where somebody chose nothing, and nothing else is asked that a listing answers."""
        self.name = name
        self.label = label
        self.default = default
        self.entity: type[Entity] = Entity

    def of(self, entity: type[Entity], *, label: str = "") -> Self:
        """The same filter, which knows whose field it is of, and how that is labelled elsewhere."""
        known = copy(self)
        known.entity = entity
        words = self.label or label or self.name.replace("_", " ")
        known.label = words[:1].upper() + words[1:]
        return known

    @property
    def keys(self) -> frozenset[str]:
        """The fields of a sort key that this can be asked of."""
        return frozenset({self.name})

    @property
    def unfit(self) -> str:
        """Why the field cannot be filtered so, as a hint for who declared it; empty where it can."""
        return ""

    @property
    def _kind(self) -> type:
        info = self.entity.model_fields.get(self.name)
        return object if info is None else kind_of(info)

    @abstractmethod
    def fields(self) -> Mapping[str, forms.Field]:
        """The fields of the form above the table, by the names that they have in the address."""

    def value(self, cleaned: Mapping[str, Any]) -> Any:
        """What is chosen, or None. Raises `ValidationError`."""
        return cleaned.get(self.name) or None

    def shown(self, value: Any) -> Mapping[str, str]:
        """The value as the address has it, by name."""
        return {self.name: str(value)}

    def condition(self, value: Any) -> Condition:
        """What must hold of a row."""
        return attribute(self.name).equals(self.key_value(value))

    def holds(self, entity: Entity, value: Any) -> bool:
        """The same, asked of an entity at hand."""
        return bool(getattr(entity, self.name) == self.key_value(value))

    def key_value(self, value: Any) -> Any:
        """The value as part of a key."""
        return value

    def key_range(self, part: str, value: Any) -> SortKey | None:
        """The range of the sort key's field `part`, for what is a range."""
        raise NotImplementedError


class Choices(Filter):
    """One member of an enum; of a set of them, those that hold it."""

    @property
    def unfit(self) -> str:
        """There must be members."""
        return "" if self._members else "Use Exactly for a text or a number, and YesNo for a flag."

    def fields(self) -> Mapping[str, forms.Field]:
        """A list to choose from."""
        choices = [("", "All"), *((value, words(member)) for value, member in self._members.items())]
        return {self.name: forms.ChoiceField(choices=choices, required=False, label=self.label)}

    def condition(self, value: Any) -> Condition:
        """It is, or holds, the member."""
        is_set = get_origin(self.entity.model_fields[self.name].annotation) in {set, frozenset}
        member = self._members[value]
        return attribute(self.name).contains(member) if is_set else attribute(self.name).equals(member)

    def holds(self, entity: Entity, value: Any) -> bool:
        """The same, asked of an entity at hand."""
        held = getattr(entity, self.name)
        return self._members[value] in held if isinstance(held, set | frozenset) else super().holds(entity, value)

    def key_value(self, value: Any) -> Any:
        """The member."""
        return self._members[value]

    @cached_property
    def _members(self) -> Mapping[str, Enum]:
        info = self.entity.model_fields.get(self.name)
        for kind in (kind_of(info), *get_args(info.annotation)) if info else ():
            if isinstance(kind, type) and issubclass(kind, Enum):
                return {str(member.value): member for member in kind}
        return {}


class YesNo(Filter):
    """Whether a flag is set."""

    @property
    def unfit(self) -> str:
        """It must be a flag."""
        return "" if self._kind is bool else "Use Choices for an enum, and Exactly for a text or a number."

    def fields(self) -> Mapping[str, forms.Field]:
        """Yes, no, or all."""
        choices = [("", "All"), ("yes", "Yes"), ("no", "No")]
        return {self.name: forms.ChoiceField(choices=choices, required=False, label=self.label)}

    def key_value(self, value: Any) -> Any:
        """The flag."""
        return value == "yes"


class Exactly(Filter):
    """A whole value, typed in."""

    @property
    def unfit(self) -> str:
        """It must be a text or a whole number, or follow from other fields."""
        is_typed = issubclass(self._kind, str | int) and self._kind is not bool
        if is_typed or self.name not in self.entity.model_fields:
            return ""
        return "Only texts and whole numbers are typed in: use YesNo for a flag, Choices for enums, Days for dates."

    def fields(self) -> Mapping[str, forms.Field]:
        """A line of text, or of a number."""
        if self._kind is int:
            number = forms.IntegerField(required=False, label=self.label, min_value=-MOST, max_value=MOST)
            return {self.name: number}
        return {self.name: forms.CharField(required=False, label=self.label, max_length=LONGEST_VALUE)}

    def value(self, cleaned: Mapping[str, Any]) -> Any:
        """What is typed; 0 is a value."""
        found = cleaned.get(self.name)
        return None if found in {None, ""} else found


class Day(Filter):
    """One day, of a field that is one as ISO text (UTC): today, where nothing else is asked."""

    def __init__(self, name: str, *, label: str = "", default: Callable[[], date] | None = None) -> None:
        """Today is the default of the default."""
        super().__init__(name, label=label, default=default or (lambda: datetime.now(UTC).date()))

    def fields(self) -> Mapping[str, forms.Field]:
        """A date."""
        return {self.name: _date_field(self.label)}

    def shown(self, value: Any) -> Mapping[str, str]:
        """As browsers write dates."""
        return {self.name: value.isoformat()}

    def key_value(self, value: Any) -> Any:
        """ISO text."""
        return value.isoformat()


class Days(Filter):
    """From one day to another, both included, in the reader's zone, of a field that is a moment or a date.

    `ulid` is a field whose ULID was made at that moment: where rows are sorted by it, the days are a range of its keys.
    """

    is_range = True

    def __init__(self, name: str, *, label: str = "", ulid: str | None = None) -> None:
        """There is no default."""
        super().__init__(name, label=label)
        self.ulid = ulid

    @property
    def unfit(self) -> str:
        """It must be a moment or a date."""
        return "" if self._kind in {datetime, date} else "Use Day for a day as text, and Exactly for other values."

    @property
    def keys(self) -> frozenset[str]:
        """The field itself, and the ULID."""
        return frozenset({self.name, *filter(None, [self.ulid])})

    def fields(self) -> Mapping[str, forms.Field]:
        """Two dates."""
        return {f"{self.name}__from": _date_field(f"{self.label} from"), f"{self.name}__to": _date_field("to")}

    def value(self, cleaned: Mapping[str, Any]) -> Any:
        """First and last day, either of which may be None. Raises `ValidationError` where they are turned round."""
        first, last = cleaned.get(f"{self.name}__from"), cleaned.get(f"{self.name}__to")
        if first and last and last < first:
            raise forms.ValidationError({f"{self.name}__to": "Choose a day that is not before the first one."})
        return (first, last) if first or last else None

    def shown(self, value: Any) -> Mapping[str, str]:
        """As browsers write dates."""
        named = zip((f"{self.name}__from", f"{self.name}__to"), value, strict=True)
        return {name: day.isoformat() for name, day in named if day}

    def condition(self, value: Any) -> Condition:
        """It is not before the first moment, and not after the last one."""
        low, high = self._ends(value)
        found = everything(
            attribute(self.name).at_least(low) if low else None, attribute(self.name).at_most(high) if high else None
        )
        assert found is not None  # noqa: S101  (an empty choice is none)
        return found

    def holds(self, entity: Entity, value: Any) -> bool:
        """The same, asked of an entity at hand."""
        held, (low, high) = getattr(entity, self.name), self._ends(value)
        return held is not None and (low is None or held >= low) and (high is None or held <= high)

    def key_range(self, part: str, value: Any) -> SortKey | None:
        """The same of the sort key."""
        low, high = self._ends(value)
        if part == self.ulid:
            # The first day begins before the time of ULIDs does, where clocks are ahead of UTC.
            low = str(ULID.from_datetime(max(low, _EPOCH)))[:_ULID_TIME] if low else None
            high = str(ULID.from_datetime(high))[:_ULID_TIME] + _LAST_OF_ULID[_ULID_TIME:] if high else None
        if low and high:
            return between(low, high)
        return at_least(low) if low else at_most(high)

    def _ends(self, value: Any) -> tuple[Any, Any]:
        first, last = value
        if self._kind is date:
            return first, last
        zone = timezone.get_current_timezone()
        low = datetime.combine(first, time(), zone).astimezone(UTC) if first else None
        after = datetime.combine(last + timedelta(days=1), time(), zone).astimezone(UTC) if last else None
        return low, after - _MILLISECOND if after else None


def _date_field(label: str) -> forms.DateField:
    limits = {"min": f"{FIRST_YEAR}-01-01", "max": f"{LAST_YEAR}-12-31"}
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date", **limits})
    return _SensibleDate(input_formats=["%Y-%m-%d"], required=False, label=label, widget=widget)


class _SensibleDate(forms.DateField):
    """A date that the arithmetic of days and of ULIDs can be done with."""

    def clean(self, value: Any) -> Any:
        """Raise `ValidationError` for years that no row is of."""
        found = super().clean(value)
        if found is not None and not FIRST_YEAR <= found.year <= LAST_YEAR:
            raise forms.ValidationError(f"Choose a day from {FIRST_YEAR} to {LAST_YEAR}.")
        return found


class FilterForm(forms.Form):
    """What stands above the table; made of the fields of all filters."""

    def __init__(self, data: Any, *, filters: Sequence[Filter]) -> None:
        """`data` is the address's query."""
        super().__init__(data, auto_id="filter-%s")
        self.filters = filters
        self.values: dict[str, Any] = {}
        for one in filters:
            self.fields.update(one.fields())

    def clean(self) -> dict[str, Any]:
        """Find what is chosen: `values`, by field."""
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        for one in self.filters:
            try:
                value = one.value(cleaned)
            except forms.ValidationError as error:
                self.add_error(None, error)
                continue
            if value is not None:
                self.values[one.name] = value
        return cleaned
