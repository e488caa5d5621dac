"""Dates, and moments entered as a date and a time in the reader's zone."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone

from apps.console.forms.value_fields import REQUIRED, ValueField
from apps.console.forms.widgets import OwnTemplate

OUT_OF_RANGE = "Enter a date between the years 1 and 9999."
_FIRST, _SECOND = "0", "1"


class DayField(ValueField):
    """A date."""

    widget = forms.DateInput(attrs={"type": "date"})

    def entered(self, value: Any) -> str:
        """`2026-03-01`."""
        return "" if value is None else str(value.isoformat())

    def clean(self, value: Any) -> date | None:
        """The date. Raises `ValidationError` for what is none."""
        text = str(value or "").strip()
        if not text:
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        return _day(text)


class MomentInput(OwnTemplate):
    """A date, a time, and the zone in which both are meant: the page carries it, in case the reader's changes."""

    template_name = "console/inputs/moment.html"
    use_fieldset = True
    PARTS = ("date", "time", "zone", "fold")

    def value_from_datadict(self, data: Any, files: Any, name: str) -> dict[str, str]:
        """What is in the inputs."""
        del files
        return {part: data.get(f"{name}-{part}", "") for part in self.PARTS}

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        """Whether the inputs were not sent at all."""
        del files
        return f"{name}-date" not in data

    def id_for_label(self, id_: str) -> str:
        """That of the date."""
        return f"{id_}-date"

    def get_context(self, name: str, value: Any, attrs: dict[str, Any] | None) -> dict[str, Any]:
        """The inputs, and where a time comes twice the question which of the two is meant."""
        context = super().get_context(name, value, attrs)
        entered = dict(value) if isinstance(value, Mapping) else _blank()
        clock = str(entered.get("time", ""))
        step = "0.001" if "." in clock else "1" if clock.count(":") > 1 else "60"
        zone = _zone(entered.get("zone"))
        twice = _both(entered, zone)
        context["widget"] |= {"entered": entered, "step": step, "twice": twice, "zone_name": _name(zone)}
        return context


class MomentField(ValueField):
    """A moment; seconds and their fractions stay where nobody changes them."""

    widget = MomentInput

    def entered(self, value: Any) -> dict[str, str]:
        """Date and time in the zone of whoever reads; `fold` where this time comes twice."""
        if value is None:
            return _blank()
        local = value.astimezone(timezone.get_current_timezone())
        clock = local.time().isoformat()
        if not local.second and not local.microsecond:
            clock = clock[:5]
        elif local.microsecond and not local.microsecond % 1000:
            clock = clock[:-3]
        entered = {**_blank(), "date": local.date().isoformat(), "time": clock}
        return {**entered, "fold": str(local.fold) if _both(entered, _zone(entered["zone"])) else ""}

    def clean(self, value: Any) -> datetime | None:
        """The moment, in UTC. Raises `ValidationError` for a time that the zone's clocks leave out or show twice."""
        entered = value if isinstance(value, Mapping) else _blank()
        day, clock = (str(entered.get(part) or "").strip() for part in ("date", "time"))
        if not day and not clock:
            if self.required:
                raise ValidationError(REQUIRED)
            return None
        if not day or not clock:
            raise ValidationError("Enter a date as well." if clock else "Enter a time as well, such as 09:30.")
        try:
            return _moment(datetime.combine(_day(day), _clock(clock)), entered)
        except OverflowError:
            raise ValidationError(OUT_OF_RANGE) from None


def _moment(local: datetime, entered: Mapping[str, Any]) -> datetime:
    zone = _zone(entered.get("zone"))
    first, second = (local.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if first.utcoffset() == second.utcoffset():
        return first.astimezone(UTC)
    if _is_left_out(first):
        resumes = first.astimezone(UTC).astimezone(zone)
        skipped = (second.utcoffset() or timedelta()) - (first.utcoffset() or timedelta())
        raise ValidationError(
            f"In {_name(zone)} the clocks go forward on that day by {abs(skipped)}: {local:%H:%M} is left out. "
            f"Perhaps you mean {resumes:%H:%M}."
        )
    if entered.get("fold") not in (_FIRST, _SECOND):
        raise ValidationError(
            f"In {_name(zone)} the clocks go back on that day: {local:%H:%M} comes twice. Choose which one you mean."
        )
    return (first if entered["fold"] == _FIRST else second).astimezone(UTC)


def _both(entered: Mapping[str, Any], zone: tzinfo) -> list[tuple[str, str]]:
    """Where this time comes twice: the two, with words for them. Otherwise nothing."""
    try:
        local = datetime.combine(_day(str(entered.get("date"))), _clock(str(entered.get("time"))))
        both = [local.replace(tzinfo=zone, fold=fold) for fold in (0, 1)]
        if both[0].utcoffset() == both[1].utcoffset() or _is_left_out(both[0]):
            return []
    except (ValidationError, OverflowError):
        return []
    return [(str(one.fold), f"the {'second' if one.fold else 'first'}, {one.tzname()} (UTC{one:%z})") for one in both]


def _is_left_out(local: datetime) -> bool:
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) != local.replace(tzinfo=None)


def _blank() -> dict[str, str]:
    return {"date": "", "time": "", "zone": _name(timezone.get_current_timezone()), "fold": ""}


def _name(zone: tzinfo) -> str:
    return str(getattr(zone, "key", zone))


def _zone(name: Any) -> tzinfo:
    """The zone of this name; the reader's where there is none."""
    current = timezone.get_current_timezone()
    if not name or name == _name(current):
        return current
    try:
        return ZoneInfo(str(name))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return current


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValidationError("Enter a date such as 2026-03-01.") from None


def _clock(text: str) -> time:
    try:
        clock = time.fromisoformat(text)
    except ValueError:
        clock = None
    if clock is None or clock.tzinfo is not None:
        raise ValidationError("Enter a time such as 09:30 or 09:30:15.")
    return clock
