"""The 3270 data stream, as far as a host of plain panels needs it (IBM GA23-0059)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

ROWS, COLUMNS = 24, 80
CODE_PAGE = "cp037"

_ERASE_WRITE, _WRITE = 0xF5, 0xF1
_SBA, _SF, _SFE, _IC = 0x11, 0x1D, 0x29, 0x13
_PROTECTED, _SKIP, _BRIGHT, _HIDDEN = 0x20, 0x30, 0x08, 0x0C
_LOCKED_WCC, _UNLOCKED_WCC = 0xC1, 0xC3
_TYPE_BASIC, _TYPE_COLOUR = 0xC0, 0x42
TURQUOISE, YELLOW = 0xF5, 0xF6

# The 64 graphic characters that stand for six bits in addresses and attributes.
_SIX_BITS = bytes(
    (
        *(0x40, *range(0xC1, 0xCA), *range(0x4A, 0x50)),
        *(0x50, *range(0xD1, 0xDA), *range(0x5A, 0x60)),
        *(0x60, 0x61, *range(0xE2, 0xEA), *range(0x6A, 0x70)),
        *(*range(0xF0, 0xFA), *range(0x7A, 0x80)),
    )
)

ENTER, PF3, PF12, CLEAR = 0x7D, 0xF3, 0x7C, 0x6D
_KEYS_WITHOUT_DATA = frozenset((CLEAR, 0x6C, 0x6E, 0x6B))  # CLEAR, PA1, PA2, PA3


class DataStreamError(Exception):
    """The terminal sent something that is not an answer to a panel."""


@dataclass(frozen=True, slots=True)
class Text:
    """Protected text; `row` and `column` (both from 1) are where its first character stands."""

    row: int
    column: int
    text: str
    bright: bool = False
    colour: int | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """A field to type into, `length` characters long, closed by a protected attribute."""

    row: int
    column: int
    length: int
    name: str
    hidden: bool = False
    value: str = ""


Item = Text | Input


@dataclass(frozen=True, slots=True)
class Screen:
    """Orders ready to send, the addresses of its inputs by name, and where the cursor goes."""

    orders: bytes
    inputs: Mapping[int, str] = field(default_factory=dict)
    cursor: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """The key a terminal pressed and what stood in its changed fields, by name, blanks stripped."""

    key: int
    values: Mapping[str, str]


def address(row: int, column: int) -> int:
    """Return the buffer address of a row and column, both counted from 1."""
    return ((row - 1) * COLUMNS + column - 1) % (ROWS * COLUMNS)


def orders(items: Iterable[Item], *, extended: bool = False) -> bytes:
    """Return the orders that draw `items`; colours only for terminals with `extended` attributes."""
    return b"".join(_text(item, extended) if isinstance(item, Text) else _input(item) for item in items)


def inputs(items: Iterable[Item]) -> dict[int, str]:
    """Return the names of the inputs among `items` by their addresses."""
    return {address(item.row, item.column): item.name for item in items if isinstance(item, Input)}


def erase_write(screen: Screen, *, unlock: bool = True) -> bytes:
    """Return the command that clears the terminal and draws `screen`."""
    wcc = _UNLOCKED_WCC if unlock else _LOCKED_WCC
    return bytes((_ERASE_WRITE, wcc)) + screen.orders + _sba(screen.cursor) + bytes((_IC,))


def write(drawn: bytes = b"", *, unlock: bool = True) -> bytes:
    """Return the command that adds orders to what the terminal shows; without any it only unlocks the keyboard."""
    return bytes((_WRITE, _UNLOCKED_WCC if unlock else _LOCKED_WCC)) + drawn


def parse_reply(record: bytes, names: Mapping[int, str]) -> Reply:
    """Read an inbound record against the inputs of the panel it answers; raise `DataStreamError` if it is none."""
    if not record:
        raise DataStreamError("empty record")
    key = record[0]
    if key in _KEYS_WITHOUT_DATA:
        return Reply(key, {})
    values: dict[str, str] = {}
    position = 3
    while position < len(record):
        if record[position] != _SBA or position + 3 > len(record):
            raise DataStreamError("field without address")
        where = _decoded(record[position + 1], record[position + 2])
        end = record.find(_SBA, position + 3)
        end = len(record) if end < 0 else end
        name = names.get(where)
        if name is not None:
            typed = record[position + 3 : end].replace(b"\x00", b"")
            values[name] = typed.decode(CODE_PAGE).strip()
        position = end
    return Reply(key, values)


def _text(item: Text, extended: bool) -> bytes:  # noqa: FBT001 -- an inner step of `orders`
    attribute = _SIX_BITS[_SKIP | (_BRIGHT if item.bright else 0)]
    if extended and item.colour is not None:
        start = bytes((_SFE, 2, _TYPE_BASIC, attribute, _TYPE_COLOUR, item.colour))
    else:
        start = bytes((_SF, attribute))
    return _sba(address(item.row, item.column - 1)) + start + _encoded(item.text)


def _input(item: Input) -> bytes:
    attribute = _HIDDEN if item.hidden else _BRIGHT
    start = _sba(address(item.row, item.column - 1)) + bytes((_SF, _SIX_BITS[attribute]))
    end = _sba(address(item.row, item.column + item.length)) + bytes((_SF, _SIX_BITS[_PROTECTED]))
    return start + _encoded(item.value[: item.length]) + end


def _encoded(text: str) -> bytes:
    return text.encode(CODE_PAGE, errors="replace")


def _sba(where: int) -> bytes:
    return bytes((_SBA, _SIX_BITS[where >> 6], _SIX_BITS[where & 0x3F]))


def _decoded(high: int, low: int) -> int:
    if high & 0xC0:
        return ((high & 0x3F) << 6) | (low & 0x3F)
    return (high << 8) | low
