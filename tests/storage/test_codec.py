"""Entities to DynamoDB's JSON and back, exactly."""

import base64
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, ClassVar, Literal

import pytest
from boto3.dynamodb.types import Binary, TypeDeserializer, TypeSerializer
from hypothesis import assume, given, settings
from hypothesis import strategies as some
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator

from apps.storage.entity import Entity, Expiry, Instant, Naming, Stored, TimeForm
from apps.storage.items.codec import Codec, decode_any, encode_any
from tests.storage.things import NOON, Part, State, Thing

ZONES = [UTC, timezone(timedelta(hours=5, minutes=45)), timezone(-timedelta(hours=11))]
numbers = some.decimals(allow_nan=False, allow_infinity=False, places=6, min_value=-(10**20), max_value=10**20).filter(
    lambda number: not (number.is_zero() and number.is_signed())
)
texts = some.text(max_size=20)
FIRST, LAST = (datetime.fromisoformat(day) for day in ("1900-01-01", "2200-01-01"))  # hypothesis adds the zone
instants = some.datetimes(min_value=FIRST, max_value=LAST, timezones=some.sampled_from(ZONES))


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Shade(Enum):
    DARK = "dark"


class Everything(Entity):
    """Every type that may be declared."""

    naming: ClassVar[Naming] = Naming.CAMEL

    plain_text: str
    count: int
    exact: Decimal
    is_set: bool
    is_key: Annotated[bool, Stored(flag=True)]
    day: date
    at: Instant
    at_ms: Annotated[Instant, Stored(time=TimeForm.MILLISECONDS)]
    expires_at: Expiry
    blob: bytes
    packed: Annotated[str, Stored(compressed=True)]
    packed_map: Annotated[Mapping[str, Any], Stored(compressed=True)]
    packed_rows: Annotated[tuple[Decimal, ...] | None, Stored(compressed=True)]
    state: State
    level: Level
    word: Literal["a", "b"]
    part: Part
    parts: tuple[Part, ...]
    rows: list[list[int]]
    names: frozenset[str]
    numbers: frozenset[int]
    prices: frozenset[Decimal]
    blobs: frozenset[bytes]
    states: frozenset[State]
    scores: Mapping[str, Decimal]
    gaps: tuple[str | None, ...]
    by_state: dict[State, str | None]
    either: int | str
    perhaps: str | None
    perhaps_at: Instant | None
    renamed: Annotated[int | None, Stored(name="n")] = None
    anything: Mapping[str, Any] = {}


parts = some.builds(Part, name=texts, weight=some.none() | numbers)
json_like = some.recursive(
    some.none() | some.booleans() | texts | some.integers(-(10**30), 10**30) | some.binary(max_size=9),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
everything = some.builds(
    Everything,
    plain_text=texts,
    count=some.integers(-(10**37), 10**37),
    exact=numbers,
    day=some.dates(),
    at=instants,
    at_ms=instants,
    expires_at=instants,
    packed=texts,
    packed_map=some.deferred(lambda: some.dictionaries(texts, json_like, max_size=3)),
    packed_rows=some.none() | some.lists(numbers, max_size=3).map(tuple),
    parts=some.lists(parts, max_size=2).map(tuple),
    part=parts,
    prices=some.frozensets(numbers, max_size=3),
    numbers=some.frozensets(some.integers(-9, 9)),
    scores=some.dictionaries(texts, numbers, max_size=3),
    perhaps_at=some.none() | instants,
    renamed=some.none() | some.integers(-9, 9),
    anything=some.dictionaries(texts, json_like, max_size=3),
    rows=some.lists(some.lists(some.integers(-(10**37), 10**37), max_size=3), max_size=3),
    either=texts | some.integers(-(10**37), 10**37),
    version=some.integers(0, 9),
)


@settings(max_examples=40)
@given(everything)
def test_every_declared_type_comes_back_as_it_was(entity: Everything) -> None:
    codec = Codec(Everything)
    assert codec.decode(codec.encode(entity)) == entity


@settings(max_examples=40)
@given(everything)
def test_boto3s_own_deserializer_reads_what_is_stored(entity: Everything) -> None:
    stored = Codec(Everything).encode(entity)
    plain = {name: TypeDeserializer().deserialize(value) for name, value in stored.items()}
    assert plain["plainText"] == entity.plain_text
    assert (plain["count"], plain["exact"], plain["isSet"], plain["isKey"]) == (
        entity.count,
        entity.exact,
        entity.is_set,
        int(entity.is_key),
    )
    assert plain["blob"] == Binary(entity.blob)
    assert plain.get("names", set()) == entity.names
    assert plain.get("prices", set()) == entity.prices
    assert plain["scores"] == entity.scores
    assert plain["rows"] == entity.rows
    assert plain["gaps"] == list(entity.gaps)
    assert plain["part"]["name"] == entity.part.name


def over_the_wire(json: Any) -> Any:
    """The same JSON as it is sent: bytes in base64."""
    if isinstance(json, dict):
        return {name: over_the_wire(part) for name, part in json.items()}
    if isinstance(json, list):
        return [over_the_wire(part) for part in json]
    return base64.b64encode(json).decode() if isinstance(json, bytes) else json


@settings(max_examples=40)
@given(everything)
def test_what_comes_as_it_is_sent_is_read_as_what_boto3_gives(entity: Everything) -> None:
    codec = Codec(Everything)
    assert codec.decode(over_the_wire(codec.encode(entity))) == entity


@settings(max_examples=40)
@given(everything)
def test_what_boto3_writes_of_the_same_values_is_read_as_they_were(entity: Everything) -> None:
    codec = Codec(Everything)
    stored = codec.encode(entity)
    rewritten = {
        name: TypeSerializer().serialize(TypeDeserializer().deserialize(json)) for name, json in stored.items()
    }
    assert codec.decode(rewritten) == entity


@settings(max_examples=40)
@given(everything)
def test_each_value_alone_is_stored_as_in_its_item_and_read_alone_as_well(entity: Everything) -> None:
    codec = Codec(Everything)
    for stored, json in codec.encode(entity).items():
        field = codec.by_stored[stored]
        assert codec.encode_value(field.name, getattr(entity, field.name)) == json
        assert field.decode(json) == getattr(entity, field.name)


@given(some.dictionaries(texts, json_like, max_size=4))
def test_values_without_a_declared_type_are_stored_as_boto3_stores_them(value: dict[str, Any]) -> None:
    assert encode_any(value) == TypeSerializer().serialize(value)
    assert decode_any(encode_any(value)) == value


@pytest.mark.parametrize("values", [frozenset({"a", "b"}), frozenset({1, 2}), frozenset({b"x"})])
def test_a_set_without_a_declared_type_stays_a_set(values: frozenset[Any]) -> None:
    assert decode_any(encode_any({"set": values})) == {"set": values}


@pytest.mark.parametrize("values", [frozenset({"a", 1}), frozenset({True})])
def test_a_set_that_dynamodb_does_not_know_is_refused(values: frozenset[Any]) -> None:
    with pytest.raises(TypeError, match="all of one kind"):
        encode_any(values)


# --- numbers


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("NaN", "finite"),
        ("Infinity", "finite"),
        ("-Infinity", "finite"),
        ("-0", "-0"),
        ("0." + "1" * 39, "38 digits"),
        ("1" * 39, "38 digits"),
        ("1E+126", "larger or smaller"),
        ("1E-131", "larger or smaller"),
    ],
)
def test_a_number_that_dynamodb_would_not_keep_exactly_is_refused(number: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Codec(Thing).encode(Thing(thing_id="x", price=Decimal(number)))


@pytest.mark.parametrize("number", ["9" * 38, "1E+125", "-1E-130", "0", "0.00", "1.10", "-0.000001"])
def test_a_number_within_38_digits_is_kept_exactly(number: str) -> None:
    codec = Codec(Thing)
    assert codec.decode(codec.encode(Thing(thing_id="x", price=Decimal(number)))).price == Decimal(number)


@pytest.mark.parametrize("number", [int("1" * 39), -int("1" * 39), 10**126])
def test_an_integer_that_dynamodb_would_not_keep_is_refused(number: int) -> None:
    with pytest.raises(ValueError, match="DynamoDB keeps"):
        Codec(Thing).encode(Thing(thing_id="x", amount=number))


def test_a_round_integer_may_be_long() -> None:
    codec = Codec(Thing)
    assert codec.decode(codec.encode(Thing(thing_id="x", amount=-(10**60)))).amount == -(10**60)


def test_a_comparison_is_not_rounded_behind_ones_back() -> None:
    codec = Codec(Thing)
    assert codec.encode_value("price", 2) == {"N": "2"}
    with pytest.raises(ValueError, match="no whole number"):
        codec.encode_value("amount", Decimal("1.5"))
    with pytest.raises(TypeError, match="use Decimal"):
        codec.encode_value("price", 1.5)


@pytest.mark.parametrize(
    "annotation",
    [
        float,
        float | None,
        list[float],
        dict[str, float],
        int | float,
        frozenset[float],
        complex,
        object,
        tuple[int, str],
    ],
    ids=str,
)
def test_a_type_without_an_exact_form_is_refused_when_the_codec_is_made(annotation: Any) -> None:
    kind = type("Inexact", (Entity,), {"__annotations__": {"value": annotation}, "__module__": __name__})
    with pytest.raises(TypeError, match=r"no (exact )?stored form"):
        Codec(kind)


def test_a_float_inside_a_value_of_no_declared_type_is_refused() -> None:
    with pytest.raises(TypeError, match="float has no exact stored form; for fractions use Decimal"):
        Codec(Thing).encode(Thing(thing_id="x", extra={"deep": [1.5]}))


# --- instants


@pytest.mark.parametrize(
    ("written", "iso", "milliseconds", "seconds"),
    [
        (
            datetime(2026, 3, 1, 9, 30, 0, 123_999, tzinfo=UTC),
            "2026-03-01T09:30:00.123Z",
            "1772357400123",
            "1772357400",
        ),
        (datetime(1969, 12, 31, 23, 59, 58, 1_000, tzinfo=UTC), "1969-12-31T23:59:58.001Z", "-1999", "-2"),
        (
            datetime(2026, 3, 1, 2, 30, 0, 5_000, tzinfo=timezone(-timedelta(hours=7))),
            "2026-03-01T09:30:00.005Z",
            "1772357400005",
            "1772357400",
        ),
    ],
    ids=["after 1970", "before 1970", "another zone"],
)
def test_an_instant_is_stored_in_its_fields_form_to_the_millisecond(
    written: datetime, iso: str, milliseconds: str, seconds: str
) -> None:
    codec = Codec(Thing)
    thing = Thing(thing_id="x", made_at=written, seen_at=written, expires_at=written)
    stored = codec.encode(thing)
    assert stored["madeAt"] == {"N": milliseconds}
    assert stored["seenAt"] == {"S": iso}
    assert stored["expiresAt"] == {"N": seconds}
    back = codec.decode(stored)
    assert back == thing
    assert back.made_at.tzinfo is UTC
    assert abs(back.made_at - written) < timedelta(milliseconds=1)


@given(instants, instants)
def test_stored_text_sorts_as_time_does(one: datetime, other: datetime) -> None:
    assume(abs(one - other) >= timedelta(milliseconds=1))
    first, second = (Codec(Thing).encode_value("seen_at", at)["S"] for at in (one, other))
    assert (first < second) is (one < other)


@pytest.mark.parametrize("field", ["made_at", "seen_at", "expires_at"])
def test_a_naive_time_is_refused_by_entity_and_codec_alike(field: str) -> None:
    naive = datetime(2026, 3, 1)  # noqa: DTZ001  (the point)
    with pytest.raises(ValidationError, match="an instant needs its time zone"):
        Thing.model_validate({"thing_id": "x", field: naive})
    with pytest.raises(ValueError, match="an instant needs its time zone"):
        Codec(Thing).encode_value(field, naive)
    with pytest.raises(ValueError, match="an instant needs its time zone"):
        encode_any(naive)


# --- what is stored, and what is not


def test_none_and_empty_sets_are_not_stored_and_come_back() -> None:
    class Bare(Entity):
        title: str | None
        tags: frozenset[str]

    stored = Codec(Bare).encode(Bare(title=None, tags=frozenset()))
    assert stored == {"version": {"N": "0"}}
    assert Codec(Bare).decode(stored) == Bare(title=None, tags=frozenset())


def test_a_default_that_none_would_turn_into_is_refused_when_the_codec_is_made() -> None:
    class Lossy(Entity):
        title: str | None = "untitled"

    class LossySet(Entity):
        tags: frozenset[str] = frozenset({"new"})

    for kind in (Lossy, LossySet):
        with pytest.raises(TypeError, match="would turn"):
            Codec(kind)


def test_null_written_by_another_program_is_none() -> None:
    stored = {"thingId": {"S": "x"}, "title": {"NULL": True}, "price": {"NULL": True}, "tags": {"NULL": True}}
    assert Codec(Thing).decode(stored) == Thing(thing_id="x")


@pytest.mark.parametrize(
    ("stored", "json"),
    [
        ("title", {"N": "5"}),
        ("amount", {"S": "5"}),
        ("amount", {"N": "five"}),
        ("price", {"N": "1.2.3"}),
        ("state", {"S": "unheard of"}),
        ("tags", {"L": [{"S": "a"}]}),
        ("notes", {"M": {}}),
        ("notes", {"L": [{"N": "1"}]}),
        ("part", {"M": {"name": {"N": "1"}}}),
        ("madeAt", {"S": "noon"}),
        ("seenAt", {"N": "1"}),
        ("text", {"B": b"not deflated"}),
        ("extra", {"L": []}),
        ("title", "no JSON of DynamoDB's"),
    ],
)
def test_a_value_in_another_form_than_its_fields_is_an_error_that_names_the_field(stored: str, json: Any) -> None:
    name = Codec(Thing).by_stored[stored].name
    with pytest.raises(ValidationError) as error:
        Codec(Thing).decode({"thingId": {"S": "x"}, stored: json})
    assert {problem["loc"][0] for problem in error.value.errors()} == {name}


def test_nulls_inside_lists_and_models_are_none() -> None:
    class Inner(BaseModel):
        note: str | None = None

    class Holey(Entity):
        notes: tuple[str | None, ...]
        moments: dict[str, Instant | None]
        inner: Inner

    null = {"NULL": True}
    stored = {"notes": {"L": [null, {"S": "a"}]}, "moments": {"M": {"a": null}}, "inner": {"M": {"note": null}}}
    assert Codec(Holey).decode(stored) == Holey(notes=(None, "a"), moments={"a": None}, inner=Inner())


def test_fields_that_look_at_their_input_get_finished_values() -> None:
    seen: list[Any] = []

    def look(value: Any) -> Any:
        seen.append(value)
        return value

    class Careful(BaseModel):
        model_config = ConfigDict(strict=True)
        number: int
        times: tuple[datetime, ...]

    class Looking(Entity):
        count: Annotated[int, BeforeValidator(look)]
        prices: list[Annotated[Decimal, BeforeValidator(look)]]
        size: int = Field(strict=True)
        careful: Careful

    class Watching(Entity):
        count: int

        @field_validator("count", mode="before")
        @classmethod
        def watch(cls, value: Any) -> Any:
            return look(value)

    looking = Looking(count=1, prices=[Decimal("1.5")], size=3, careful=Careful(number=1, times=(NOON,)))
    stored = Codec(Looking).encode(looking)
    seen.clear()
    assert Codec(Looking).decode(stored) == looking
    assert Codec(Watching).decode({"count": {"N": "7"}}) == Watching(count=7)
    assert [type(value) for value in seen] == [int, Decimal, int, int]


def test_attributes_of_others_are_passed_over() -> None:
    assert Codec(Thing).decode({"thingId": {"S": "x"}, "legacy": {"M": {}}}) == Thing(thing_id="x")


@pytest.mark.parametrize("nothing", [None, frozenset()])
def test_one_cannot_compare_with_what_is_never_stored(nothing: Any) -> None:
    with pytest.raises(ValueError, match="remove it"):
        Codec(Thing).encode_value("tags", nothing)


def test_an_unknown_field_is_a_mistake_in_the_code() -> None:
    with pytest.raises(LookupError, match="Thing has no field colour"):
        Codec(Thing).stored("colour")
    with pytest.raises(TypeError, match="Thing has no field colour"):
        Thing(thing_id="x").evolve(colour="red")


def test_stored_names_follow_the_naming_rule_or_the_fields_own_mark() -> None:
    codec = Codec(Everything)
    assert (codec.stored("plain_text"), codec.stored("at_ms"), codec.stored("renamed")) == ("plainText", "atMs", "n")


def test_a_model_inside_follows_its_own_naming() -> None:
    class Inner(BaseModel):
        model_config = ConfigDict(frozen=True)
        naming: ClassVar[Naming] = Naming.CAMEL
        self_score: int
        note: str | None
        seen_at: Instant

    class Outer(Entity):
        times: ClassVar[TimeForm] = TimeForm.MILLISECONDS
        inner: Inner
        by_name: Mapping[str, dict[str, Inner]] = {}

    outer = Outer(
        inner=Inner(self_score=1, note=None, seen_at=NOON),
        by_name={"a": {"b": Inner(self_score=2, note="n", seen_at=NOON)}},
    )
    stored = Codec(Outer).encode(outer)
    assert stored["inner"] == {"M": {"selfScore": {"N": "1"}, "seenAt": {"N": "1772366400000"}}}
    assert Codec(Outer).decode(stored) == outer


def test_an_empty_set_inside_a_map_is_refused_rather_than_lost() -> None:
    class Nested(Entity):
        groups: dict[str, frozenset[str]]

    with pytest.raises(ValueError, match="empty set"):
        Codec(Nested).encode(Nested(groups={"a": frozenset()}))


def test_enums_name_the_keys_of_maps_by_their_values() -> None:
    class Shaded(Entity):
        names: dict[Shade, str]

    stored = Codec(Shaded).encode(Shaded(names={Shade.DARK: "x"}))
    assert stored["names"] == {"M": {"dark": {"S": "x"}}}
    assert Codec(Shaded).decode(stored).names == {Shade.DARK: "x"}


def test_compressed_text_takes_a_fraction_of_its_size() -> None:
    screen = (" " * 70 + "POLICY 1\n") * 24
    stored = Codec(Thing).encode(Thing(thing_id="x", text=screen))
    assert len(stored["text"]["B"]) < len(screen) / 20


def test_maps_and_lists_are_compressed_as_well_and_stay_exact() -> None:
    class Report(Entity):
        rows: Annotated[list[dict[str, Any]], Stored(compressed=True)]
        blob: Annotated[bytes | None, Stored(compressed=True)] = None

    rows = [{"policy": "ABC123DEF", "premium": Decimal("10.50"), "seen": frozenset({1, 2}), "raw": b"\0"}] * 200
    report = Report(rows=rows, blob=b"\xff" * 100)
    stored = Codec(Report).encode(report)
    assert stored["rows"].keys() == stored["blob"].keys() == {"B"}
    assert len(stored["rows"]["B"]) < 500
    assert Codec(Report).decode(stored) == report


def test_an_entity_is_never_changed_in_place_and_its_next_version_is_checked() -> None:
    thing = Thing(thing_id="x")
    with pytest.raises(ValidationError):
        thing.title = "y"  # type: ignore[misc]
    with pytest.raises(ValidationError):
        thing.evolve(amount="many")
    assert thing.evolve(amount=2).amount == 2
    assert thing.amount == 0
