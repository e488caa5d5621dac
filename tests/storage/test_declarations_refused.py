"""What could not come back from the store as it went in is refused when the codec is made, by entity and field."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import Enum
from itertools import count
from typing import Annotated, Any, ClassVar, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel

from apps.storage.entity import Entity, Expiry, Instant, Stored, TimeForm
from apps.storage.items.codec import Codec

PRECISE = datetime(2026, 1, 2, 3, 4, 5, 123456, tzinfo=UTC)
AS_SECONDS = Stored(time=TimeForm.SECONDS)


class Plain(Enum):
    A = "a"


class Mixed(Enum):
    A = 1
    B = "b"


class Numbered(Enum):
    ONE = 1


class Cat(BaseModel):
    lives: int = 9


class Dog(BaseModel):
    name: str = ""


class Aliased(BaseModel):
    kind: str = Field(alias="type")


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Numbers(RootModel[list[int]]):
    pass


class Node(BaseModel):
    children: tuple["Node", ...] = ()


class Branch(BaseModel):
    leaf: "Leaf | None" = None


class Leaf(BaseModel):
    branch: Branch | None = None


class Twins(BaseModel):
    one: Annotated[str, Stored(name="same")] = ""
    other: Annotated[str, Stored(name="same")] = ""


Branch.model_rebuild()


def kind_with(annotation: Any, default: Any = ...) -> type[Entity]:
    """An entity with one field of this type."""
    members = {} if default is ... else {"value": default}
    return type("Odd", (Entity,), {"__annotations__": {"value": annotation}, "__module__": __name__, **members})


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        (frozenset[str] | None, "like None"),
        (Annotated[frozenset[str], "crew"] | None, "like None"),
        (str | date, "date cannot be told"),
        (str | datetime, "datetime cannot be told"),
        (datetime | date | None, "cannot be told"),
        (Cat | Dog, "Cat cannot be told"),
        (int | Plain, "Plain cannot be told"),
        (frozenset[str] | int, "frozenset cannot be told"),
        (str | dict[str, date], "date cannot be told"),
        (str | dict[int, str], "names of type str"),
        (list[int] | tuple[int, ...], "stored alike"),
        (Annotated[str, Stored(compressed=True)] | int, "cannot be declared"),
        (tuple[str | date, ...], "date cannot be told"),
        (Literal["a", 1], "several types"),
        (Literal["a", True], "several types"),
        (Mixed, "several types"),
        (dict[Numbered, str], "stored as text"),
        (dict[Literal[1, 2], str], "stored as text"),
        (Numbers, "RootModel"),
        (Aliased, "Aliased.kind has an alias"),
        (Open, "does not declare"),
        (Twins, "several fields as same: one, other"),
        (Node, "Node holds itself"),
        (tuple[Leaf, ...], "holds itself"),
        (Annotated[Instant, AS_SECONDS], "declare it as Expiry"),
        (Annotated[Instant | None, AS_SECONDS], "declare it as Expiry"),
    ],
    ids=count(),
)
def test_a_type_that_does_not_come_back_is_refused_by_name(annotation: Any, why: str) -> None:
    with pytest.raises(TypeError, match=rf"^Odd\.value: .*{why}"):
        Codec(kind_with(annotation))


@pytest.mark.parametrize(
    ("annotation", "default"),
    [
        (str | None, Field(default_factory=lambda: "made")),
        (frozenset[str], Field(default_factory=lambda: frozenset({"new"}))),
        (Annotated[set[str], "crew"], Field(default_factory=lambda: {"new"})),
        (Any, 5),
        (str | None, Field(default_factory=lambda data: data["version"])),
    ],
    ids=count(),
)
def test_a_default_that_nothing_would_turn_into_is_refused(annotation: Any, default: Any) -> None:
    with pytest.raises(TypeError, match=r"^Odd\.value: .*by being stored"):
        Codec(kind_with(annotation, default))


def test_aliases_and_shared_stored_names_of_an_entity_are_refused() -> None:
    class Called(Entity):
        kind: str = Field(default="", validation_alias="type")

    class Doubled(Entity):
        one: Annotated[str, Stored(name="version")] = ""

    with pytest.raises(TypeError, match=r"Called\.kind has an alias"):
        Codec(Called)
    with pytest.raises(TypeError, match="Doubled stores several fields as version: version, one"):
        Codec(Doubled)


@pytest.mark.parametrize(
    ("annotation", "values"),
    [
        (str | int | bool | Decimal | None, ["1", 1, True, Decimal("1.5"), None]),
        (bool | Decimal, [Decimal(1), True, Decimal("0.1")]),
        (bytes | str, [b"abc", "abc"]),
        (str | tuple[str, ...], ["a", ("a", "b")]),
        (dict[str, str | int | bool], [{"a": "1", "b": 1, "c": False}]),
        (Literal["a", "b"] | int, ["a", 5]),
        (str | Mapping[str, int | None], ["a", {"b": None}]),
        (Annotated[str, Stored(compressed=True)] | None, ["a", None]),
        (Annotated[datetime, AS_SECONDS], [PRECISE.replace(microsecond=0)]),
        (Expiry | None, [PRECISE]),
    ],
    ids=count(),
)
def test_what_is_taken_comes_back_as_it_was(annotation: Any, values: list[Any]) -> None:
    kind = kind_with(annotation)
    codec = Codec(kind)
    for value in values:
        stored: Any = kind(value=value)  # type: ignore[call-arg]
        back: Any = codec.decode(codec.encode(stored))
        assert back == stored
        assert type(back.value) is type(stored.value)


@pytest.mark.parametrize("form", TimeForm)
def test_a_time_that_nothing_cuts_is_refused_rather_than_shortened(form: TimeForm) -> None:
    kind = kind_with(Annotated[datetime, Stored(time=form)])
    with pytest.raises(ValueError, match="smaller part than is stored"):
        Codec(kind).encode(kind(value=PRECISE))  # type: ignore[call-arg]


def test_an_instant_is_cut_where_it_is_compared_too() -> None:
    codec = Codec(kind_with(Instant))
    assert codec.encode_value("value", PRECISE) == {"S": "2026-01-02T03:04:05.123Z"}


@pytest.mark.parametrize("annotation", [bytes, frozenset[str], tuple[str, ...], dict[str, str], Cat, bytes | None])
def test_what_has_no_one_text_is_refused_in_a_template(annotation: Any) -> None:
    class Keyed(kind_with(annotation)):  # type: ignore[misc]
        derived: ClassVar[Mapping[str, str]] = {"PK": "ODD#{value}"}

    with pytest.raises(TypeError, match=r"Keyed\.value cannot stand in a key, as 'ODD#\{value\}' has it"):
        Codec(Keyed)
