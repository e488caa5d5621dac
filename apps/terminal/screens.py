"""What a screen is and says, and what of it may be kept. Pure: text and fields in, values out."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from types import MappingProxyType

PANEL_LOGON, PANEL_MENU, PANEL_INQUIRY, PANEL_DETAIL = "HVM010", "HVM100", "HVM210", "HVM220"
_PANEL_GOODBYE, _PANEL_TIMED_OUT = "HVM900", "HVM930"
_MESSAGE_ROW = 21  # from 0


class ScreenKind(StrEnum):
    """The screens we know."""

    BLANK = "blank"
    LOGON = "logon"
    LOGGED_OFF = "logged_off"
    MENU = "menu"
    INQUIRY = "inquiry"
    DETAIL = "detail"
    INCOMPLETE = "incomplete"  # a detail of which something is still missing
    NOT_FOUND = "not_found"
    MALFORMED = "malformed"
    LOCKED = "locked"
    ABEND = "abend"
    TIMED_OUT = "timed_out"
    USER_IN_USE = "user_in_use"
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 -- a kind of screen
    USER_REVOKED = "user_revoked"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 -- a kind of screen
    MESSAGE = "message"  # a known panel with a message we do not know
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a screen: where its text starts (from 0, row by row) and how long it is."""

    start: int
    length: int
    protected: bool
    hidden: bool
    bright: bool


@dataclass(frozen=True, slots=True)
class PolicyDetail:
    """A policy as the host shows it. `premium` is in US dollars a year."""

    policy_number: str
    holder: str
    product: str
    status: str
    premium: Decimal
    state: str
    effective_date: date
    expiry_date: date
    billing: str
    agent: str

    def as_map(self) -> dict[str, str | Decimal]:
        """Return it as plain values under its field names; dates as ISO 8601 strings."""
        return {
            "policy_number": self.policy_number,
            "holder": self.holder,
            "product": self.product,
            "status": self.status,
            "premium": self.premium,
            "state": self.state,
            "effective_date": self.effective_date.isoformat(),
            "expiry_date": self.expiry_date.isoformat(),
            "billing": self.billing,
            "agent": self.agent,
        }


@dataclass(frozen=True, slots=True)
class Reading:
    """What a screen was recognised as: its kind, its message and, on a whole detail screen, the policy."""

    kind: ScreenKind
    message: str = ""
    detail: PolicyDetail | None = None


@dataclass(frozen=True, slots=True)
class CapturedScreen:
    """A screen as it may be kept: `text` has exactly rows * columns characters and holds no secret.

    `bright` are the spans (start, length) of intensified fields.
    """

    step: str
    captured_at: datetime
    text: str
    bright: tuple[tuple[int, int], ...]


def classify(text: str, *, columns: int = 80) -> Reading:
    """Return what the screen `text` (rows * columns characters, hidden fields blank) is."""
    first_row = text[:columns].split(maxsplit=1)
    panel = first_row[0] if first_row else ""
    if panel == PANEL_DETAIL:
        detail = read_detail(text, columns=columns)
        return Reading(ScreenKind.DETAIL if detail else ScreenKind.INCOMPLETE, detail=detail)
    if panel in _KINDS_BY_PANEL:
        message = text[_MESSAGE_ROW * columns : (_MESSAGE_ROW + 1) * columns].strip()
        return Reading(_kind_of_panel(panel, message), message)
    said = " ".join(text.split())
    return Reading(_kind_of_text(panel, said), said)


def read_detail(text: str, *, columns: int = 80) -> PolicyDetail | None:
    """Return the policy on a detail screen, or None as long as one of its fields is missing or unreadable."""
    values = _labelled_values(text, columns=columns)
    try:
        return PolicyDetail(
            policy_number=values["policy number"],
            holder=values["holder"],
            product=values["product"],
            status=values["status"],
            premium=Decimal(values["premium usd"].replace(",", "")),
            state=values["state"],
            effective_date=date.fromisoformat(values["effective"]),
            expiry_date=date.fromisoformat(values["expires"]),
            billing=values["billing"],
            agent=values["agent"],
        )
    except (KeyError, ValueError, InvalidOperation):
        return None


def input_after(text: str, fields: Sequence[Field], *, label: str, columns: int = 80) -> Field | None:
    """Return the first unprotected field to the right of `label` in its row, or None."""
    inputs = sorted((field for field in fields if not field.protected), key=lambda field: field.start)
    for found in re.finditer(re.escape(label), text, re.IGNORECASE):
        end_of_row = (found.end() // columns + 1) * columns
        for field in inputs:
            if found.end() <= field.start < end_of_row:
                return field
    return None


def without_hidden(text: str, fields: Collection[Field]) -> str:
    """Return `text` with every hidden field blanked."""
    size = len(text)
    for field in fields:
        if field.hidden:
            end = field.start + field.length
            spans = [(field.start, min(end, size)), (0, max(0, end - size))]
            for first, last in spans:
                text = text[:first] + " " * (last - first) + text[last:]
    return text


def without_secrets(text: str, secrets: Collection[str]) -> str:
    """Return `text` with every occurrence of a secret blanked, whatever its case; the length stays."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = re.sub(re.escape(secret), lambda found: " " * len(found[0]), text, flags=re.IGNORECASE)
    return text


def bright_spans(text: str, fields: Collection[Field]) -> tuple[tuple[int, int], ...]:
    """Return what intensified fields show as spans (start, length), in their order, without blanks at their ends."""
    size = len(text)
    ranges: list[tuple[int, int]] = []
    for field in fields:
        if field.bright:
            end = field.start + field.length
            ranges += [(field.start, min(end, size)), (0, max(0, end - size))]
    spans = []
    for start, end in sorted(ranges):
        shown = text[start:end].rstrip()
        if shown:
            first = len(shown) - len(shown.lstrip())
            spans.append((start + first, len(shown) - first))
    return tuple(spans)


_KINDS_BY_PANEL: Mapping[str, ScreenKind] = MappingProxyType(
    {
        PANEL_LOGON: ScreenKind.LOGON,
        PANEL_MENU: ScreenKind.MENU,
        PANEL_INQUIRY: ScreenKind.INQUIRY,
    }
)
_KINDS_BY_MESSAGE: Sequence[tuple[str, re.Pattern[str], ScreenKind]] = tuple(
    (panel, re.compile(pattern), kind)
    for panel, pattern, kind in (
        (PANEL_LOGON, r"\bSIGNED OFF\b", ScreenKind.LOGGED_OFF),
        (PANEL_LOGON, r"\bNOT VALID\b", ScreenKind.WRONG_PASSWORD),
        (PANEL_LOGON, r"\bIN USE\b", ScreenKind.USER_IN_USE),
        (PANEL_LOGON, r"\bEXPIRED\b", ScreenKind.PASSWORD_EXPIRED),
        (PANEL_LOGON, r"\bREVOKED\b", ScreenKind.USER_REVOKED),
        (PANEL_INQUIRY, r"\bNOT FOUND\b", ScreenKind.NOT_FOUND),
        (PANEL_INQUIRY, r"\bNOT WELL FORMED\b", ScreenKind.MALFORMED),
        (PANEL_INQUIRY, r"\bLOCKED\b", ScreenKind.LOCKED),
    )
)
_ABEND = re.compile(r"\bABEND(ED|S)?\b", re.IGNORECASE)
_TIMED_OUT = re.compile(r"\bSESSION (HAS )?TIMED OUT\b", re.IGNORECASE)
_LABELLED = re.compile(r"(?P<label>[A-Z][A-Za-z ]*?)(?: *\.)* ?: {1,2}(?P<value>\S+(?: \S+)*)")


def _kind_of_text(panel: str, said: str) -> ScreenKind:
    if not said:
        return ScreenKind.BLANK
    if panel == _PANEL_GOODBYE:
        return ScreenKind.LOGGED_OFF
    if panel == _PANEL_TIMED_OUT or _TIMED_OUT.search(said):
        return ScreenKind.TIMED_OUT
    return ScreenKind.ABEND if _ABEND.search(said) else ScreenKind.UNKNOWN


def _kind_of_panel(panel: str, message: str) -> ScreenKind:
    if not message:
        return _KINDS_BY_PANEL[panel]
    if _ABEND.search(message):
        return ScreenKind.ABEND
    for known_panel, pattern, kind in _KINDS_BY_MESSAGE:
        if known_panel == panel and pattern.search(message):
            return kind
    return ScreenKind.MENU if panel == PANEL_MENU else ScreenKind.MESSAGE  # a menu may greet with any news


def _labelled_values(text: str, *, columns: int) -> dict[str, str]:
    rows = (text[start : start + columns] for start in range(0, len(text), columns))
    return {found["label"].lower(): found["value"] for row in rows for found in _LABELLED.finditer(row)}
