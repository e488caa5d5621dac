"""Conditions and updates: what the engine makes of them is what they say."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Annotated, Any, ClassVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from pydantic import BaseModel

from apps.storage.conditions import Condition, Query, Update, attribute, everything
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Instant, Naming, Stored, TimeForm
from apps.storage.errors import ConditionFailed
from apps.storage.items.codec import Codec
from apps.storage.requests.expressions import Expressions
from tests.conftest import create_tables, new_store
from tests.storage.things import NOON, THINGS, Part, State, Thing, Things, some_id

STORED = (
    Thing(thing_id="all", amount=0, title="a"),
    Thing(thing_id="all", amount=1, title="anvil", state=State.WORN, tags=frozenset({"old"}), price=Decimal("9.5")),
    Thing(thing_id="all", amount=2, tags=frozenset({"old", "red"}), notes=("n",), part=Part(name="lid")),
    Thing(thing_id="all", amount=3, title="bolt", notes=("n", "m"), part=Part(name="leg", weight=Decimal(3))),
    Thing(thing_id="all", amount=-4, title="ä", queue="open", extra={"colour": "red", "size": {"width": 3}}),
)
ITEMS = [thing.evolve(made_at=NOON.replace(minute=place)) for place, thing in enumerate(STORED)]


@pytest.fixture(scope="module")
def things(engine_endpoint: Callable[[EngineKind], str]) -> Things:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    things = Things(store)
    things.put_many(ITEMS)
    return things


def matching(things: Things, condition: Condition) -> list[int]:
    """Which of the stored things the engine lets pass, by amount."""
    return [thing.amount for thing in things.stream(Query(partition="all", filter=condition))]


# --- the same condition in Python

Rule = tuple[Condition, Callable[[Thing], bool]]
Maker = Callable[[Any], Condition]


def comparisons(field: str, values: some.SearchStrategy[Any]) -> some.SearchStrategy[Rule]:
    """Every comparison of a field with a value of its type."""

    def rule(name: str, value: Any, other: Any) -> Rule:
        return compared(attribute(field), lambda thing: getattr(thing, field), name, value, other)

    return some.builds(rule, some.sampled_from(sorted(COMPARED)), values, values)


def sizes(field: str) -> some.SearchStrategy[Rule]:
    """Every comparison of a field's size."""

    def rule(name: str, value: int, other: int) -> Rule:
        return compared(attribute(field).size, lambda thing: size_of(thing, field), name, value, other)

    return some.builds(rule, some.sampled_from(sorted(COMPARED)), some.integers(0, 3), some.integers(0, 3))


def size_of(thing: Thing, field: str) -> int | None:
    value = getattr(thing, field)
    if value is None or value == frozenset():  # neither is stored
        return None
    return len(value)


COMPARED: Mapping[str, Callable[[Any, Any, Any], bool]] = {
    "equals": lambda stored, value, _: stored == value,
    "differs": lambda stored, value, _: stored != value,
    "below": lambda stored, value, _: stored < value,
    "at_most": lambda stored, value, _: stored <= value,
    "above": lambda stored, value, _: stored > value,
    "at_least": lambda stored, value, _: stored >= value,
    "between": lambda stored, low, high: low <= stored <= high,
}


def compared(left: Any, read: Callable[[Thing], Any], name: str, value: Any, other: Any) -> Rule:
    arguments = (value, other) if name == "between" else (value,)

    def says(thing: Thing) -> bool:
        stored = read(thing)
        if stored is None:
            return name == "differs"
        return COMPARED[name](stored, value, other)

    return getattr(left, name)(*arguments), says


def rules() -> some.SearchStrategy[Rule]:
    words = some.text("anvilbotä", max_size=3)
    letters = some.sampled_from(["a", "n", "anvil", "ä", "bol"])
    single: list[some.SearchStrategy[Rule]] = [
        comparisons("amount", some.integers(-5, 4)),
        comparisons("title", words),
        comparisons("price", some.sampled_from([Decimal("9.5"), Decimal("9.4"), Decimal(0)])),
        sizes("title"),
        sizes("tags"),
        sizes("notes"),
        some.sampled_from(list(State)).map(
            lambda state: (attribute("state").one_of(state), lambda thing: thing.state is state)
        ),
        some.lists(some.integers(-5, 4), min_size=1, max_size=3).map(
            lambda values: (attribute("amount").one_of(*values), lambda thing: thing.amount in values)
        ),
        letters.map(lambda text: (attribute("title").contains(text), lambda thing: text in (thing.title or ""))),
        letters.map(
            lambda text: (attribute("title").begins_with(text), lambda thing: (thing.title or "").startswith(text))
        ),
        some.sampled_from(["old", "red", "new"]).map(
            lambda tag: (attribute("tags").contains(tag), lambda thing: tag in thing.tags)
        ),
        some.sampled_from(["n", "m", "x"]).map(
            lambda note: (attribute("notes").contains(note), lambda thing: note in thing.notes)
        ),
        some.sampled_from(["lid", "leg"]).map(
            lambda name: (
                attribute("part.name").equals(name),
                lambda thing: thing.part is not None and thing.part.name == name,
            )
        ),
        some.integers(2, 4).map(
            lambda width: (
                attribute("extra.size.width").at_least(width),
                lambda thing: thing.extra.get("size", {}).get("width", -1) >= width,
            )
        ),
        some.sampled_from(["queue", "part", "title"]).map(
            lambda field: (attribute(field).exists(), lambda thing: getattr(thing, field) is not None)
        ),
        some.sampled_from(["queue", "part", "tags"]).map(
            lambda field: (attribute(field).missing(), lambda thing: not getattr(thing, field))
        ),
    ]
    return some.recursive(some.one_of(single), composed, max_leaves=5)


def composed(inner: some.SearchStrategy[Rule]) -> some.SearchStrategy[Rule]:
    def both(one: Rule, other: Rule) -> Rule:
        return one[0] & other[0], lambda thing: one[1](thing) and other[1](thing)

    def either(one: Rule, other: Rule) -> Rule:
        return one[0] | other[0], lambda thing: one[1](thing) or other[1](thing)

    def opposite(one: Rule) -> Rule:
        return ~one[0], lambda thing: not one[1](thing)

    return some.one_of(some.builds(both, inner, inner), some.builds(either, inner, inner), inner.map(opposite))


@settings(max_examples=150, deadline=None)
@given(rule=rules())
def test_the_engine_and_python_agree_on_every_condition(things: Things, rule: Rule) -> None:
    condition, says = rule
    assert matching(things, condition) == [thing.amount for thing in ITEMS if says(thing)]


# --- single things worth saying


def test_a_nested_condition_is_asked_in_the_form_of_what_is_stored(things: Things) -> None:
    assert matching(things, attribute("part.weight").equals(Decimal(3))) == [3]
    assert matching(things, attribute("extra.colour").one_of("red", "blue")) == [-4]
    assert matching(things, attribute("extra.size").exists()) == [-4]
    assert matching(things, attribute("extra.colour").contains("e")) == [-4]


def test_a_range_turned_round_holds_of_nothing(things: Things) -> None:
    assert matching(things, attribute("amount").between(3, 1)) == []
    assert matching(things, attribute("title").size.between(5, 1)) == []
    # DynamoDB itself refuses a BETWEEN of that kind; the engine here does not.
    assert "BETWEEN" not in Expressions(things.codec).condition(attribute("amount").between(3, 1))


def test_everything_of_nothing_is_no_condition(things: Things) -> None:
    assert everything(None, None) is None
    one = attribute("amount").above(1)
    assert everything(None, one) is one
    both = everything(one, attribute("amount").below(3))
    assert both is not None
    assert matching(things, both) == [2]


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("colour", "Thing has no field colour"),
        ("colour.red", "no field colour"),
        ("part.colour", "Part has no"),
    ],
)
def test_an_unknown_field_is_a_mistake(name: str, says: str) -> None:
    with pytest.raises(LookupError, match=says):
        Expressions(Codec(Thing, THINGS)).condition(attribute(name).exists())


class Leg(BaseModel):
    naming: ClassVar[Naming] = Naming.CAMEL

    made_at: Instant = NOON
    worn_at: Annotated[Instant | None, Stored(name="Worn", time=TimeForm.ISO)] = None


class Table(Entity):
    times: ClassVar[TimeForm] = TimeForm.MILLISECONDS

    leg: Annotated[Leg, "the only one"] | None = None
    legs: Mapping[str, Leg] = {}
    rows: Mapping[str, Mapping[str, int]] = {}


@pytest.mark.parametrize(
    ("name", "stored", "json"),
    [
        ("leg.made_at", ["leg", "madeAt"], {"N": "1772366400000"}),
        ("leg.worn_at", ["leg", "Worn"], {"S": "2026-03-01T12:00:00.000Z"}),
        ("legs.left.made_at", ["legs", "left", "madeAt"], {"N": "1772366400000"}),
        ("rows.a.b", ["rows", "a", "b"], {"S": "2026-03-01T12:00:00.000Z"}),
    ],
)
def test_a_field_inside_a_field_has_its_own_stored_name_and_form(name: str, stored: list[str], json: Any) -> None:
    to = Expressions(Codec(Table))
    text = to.condition(attribute(name).equals(NOON))
    assert text == ".".join(f"#{place}" for place in range(len(stored))) + " = :0"
    assert (list(to.names.values()), to.values) == (stored, {":0": json})


# --- updates


@pytest.fixture
def thing(things: Things) -> Thing:
    made = Thing(thing_id=some_id(), tags=frozenset({"old"}), extra={"colour": "red", "size": 3}, part=Part(name="lid"))
    return things.add(made)


def key(thing: Thing) -> tuple[str, Any]:
    return thing.thing_id, thing.made_at


def test_elements_are_put_into_a_set_and_taken_out_of_it(things: Things, thing: Thing) -> None:
    changed = things.update(key(thing), Update(add={"tags": {"red", "old"}}))
    assert changed.tags == {"old", "red"}
    assert things.update(key(thing), Update(discard={"tags": {"old", "none"}})).tags == {"red"}
    assert things.update(key(thing), Update(discard={"tags": {"red"}})).tags == frozenset()
    assert things.update(key(thing), Update(add={"tags": {"new"}})).tags == {"new"}


def test_one_entry_of_a_map_is_set_and_removed(things: Things, thing: Thing) -> None:
    update = Update(set={"extra.colour": "blue", "part.weight": Decimal("1.5")}, remove=("extra.size",))
    changed = things.update(key(thing), update)
    assert changed.extra == {"colour": "blue"}
    assert changed.part == Part(name="lid", weight=Decimal("1.5"))
    assert things.update(key(thing), Update(set={"extra.colour": None})).extra == {}


def test_a_condition_on_a_set_guards_an_update(things: Things, thing: Thing) -> None:
    absent = ~attribute("tags").contains("red")
    things.update(key(thing), Update(add={"tags": {"red"}}), condition=absent)
    with pytest.raises(ConditionFailed):
        things.update(key(thing), Update(add={"tags": {"red"}}), condition=absent)


@pytest.mark.parametrize(
    "condition",
    [
        attribute("text").begins_with("a"),
        attribute("text").contains("a"),
        attribute("text").above("a"),
        attribute("text").between("a", "b"),
        attribute("text").one_of("a", "b"),
        attribute("text").size.above(3),
    ],
    ids=str,
)
def test_compressed_text_cannot_be_looked_into(condition: Condition) -> None:
    with pytest.raises(TypeError, match=r"Thing\.text is stored compressed"):
        Expressions(Codec(Thing)).condition(condition)


def test_compressed_text_can_be_found_by_the_whole_of_it(things: Things) -> None:
    things.add(Thing(thing_id="pressed", text="a" * 500))
    found = [
        list(things.stream(Query(partition="pressed", filter=condition)))
        for condition in (
            attribute("text").equals("a" * 500),
            attribute("text").exists(),
            attribute("text").equals("b"),
            attribute("text").missing(),
        )
    ]
    assert list(map(len, found)) == [1, 1, 0, 0]


def test_conditions_are_not_joined_by_words_that_python_would_drop() -> None:
    with pytest.raises(TypeError, match="combine conditions with"):
        attribute("amount").above(1) and attribute("title").exists()


def test_a_filter_on_what_the_index_lacks_is_a_mistake_in_the_code(things: Things) -> None:
    for condition in (attribute("amount").above(1), attribute("title").exists() & attribute("extra.x").equals(1)):
        with pytest.raises(LookupError, match=r"owner-index of Things does not carry (amount|extra) to filter by"):
            things.page(Query(partition="ada", index="owner-index", filter=condition))
    assert things.page(Query(partition=some_id(), index="owner-index", filter=attribute("title").exists())).items == []
