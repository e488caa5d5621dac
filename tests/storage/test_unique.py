"""Values that only one item may have: declared on the entity, guarded in the transaction of every change."""

from collections.abc import Callable
from typing import Any, ClassVar

import pytest

from apps.storage.conditions import Update, attribute
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Unique
from apps.storage.errors import AlreadyExists, ConditionFailed, Duplicate, ItemNotFound, StaleVersion
from apps.storage.metering import metering
from apps.storage.repository import Repository
from apps.storage.table import Key, Table
from apps.storage.tables import UNIQUES
from apps.storage.transaction import Transaction
from apps.storage.unique import Guards
from apps.storage.upkeep.repair import Fault, check_guards
from tests.conftest import create_tables, new_store
from tests.storage.things import some_id

InThreads = Callable[[int, Callable[[int], None]], None]


class Crew(Entity):
    """A crew's badge is nobody else's; its name is one of a kind with its captain."""

    unique: ClassVar[tuple[Unique, ...]] = (
        Unique("badge"),
        Unique("name", within="captain", folded=True, message="This captain has a crew of that name."),
    )

    crew_id: str
    port: str = "home"
    badge: str | None = None
    name: str = ""
    captain: str | None = None
    size: int = 0


CREWS = Table(name="Crews", partition_key=Key("crew_id"))
MOORED = Table(name="MooredCrews", partition_key=Key("crew_id"), sort_key=Key("port"))


class Crews(Repository[Crew]):
    entity = Crew
    table = CREWS
    noun = "crew"


class MooredCrews(Repository[Crew]):
    entity = Crew
    table = MOORED
    noun = "crew"


@pytest.fixture(scope="module", params=EngineKind)
def engine(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(request.param))
    create_tables(store, CREWS, MOORED, UNIQUES)
    return store


@pytest.fixture
def alone(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    """Tables that no other test writes to, on the engine that keeps simultaneous requests apart."""
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, CREWS, UNIQUES)
    return store


@pytest.fixture
def crews(engine: Store) -> Crews:
    return Crews(engine)


def crew(**fields: Any) -> Crew:
    return Crew(**{"crew_id": some_id(), "badge": some_id(), "name": "Jolly", "captain": some_id(), **fields})


def test_a_value_is_given_once_and_the_error_names_its_field(crews: Crews) -> None:
    first = crews.add(crew())
    with pytest.raises(Duplicate, match="Another crew has this badge already") as taken:
        crews.add(crew(badge=first.badge))
    assert taken.value.field == "badge"
    assert crews.find_unique("badge", first.badge) == first


def test_two_taken_values_are_told_together(crews: Crews) -> None:
    first = crews.add(crew())
    with pytest.raises(Duplicate) as taken:
        crews.add(crew(badge=first.badge, name="JOLLY", captain=first.captain))
    assert taken.value.field == "badge"
    (other,) = taken.value.others
    assert (other.field, other.public_message) == ("name", "This captain has a crew of that name.")


def test_what_is_unique_within_a_scope_may_recur_in_another(crews: Crews) -> None:
    first = crews.add(crew(name="Straße"))
    assert crews.add(crew(name="Straße")).name == first.name
    with pytest.raises(Duplicate):
        crews.add(crew(name="STRASSE", captain=first.captain))
    assert crews.find_unique("name", "strasse", within=first.captain) == first
    assert crews.find_unique("name", "strasse", within="nobody") is None


def test_scope_and_value_are_not_mixed_up(crews: Crews) -> None:
    captain = some_id()
    crews.add(crew(captain=f"{captain}#a", name="b"))
    assert crews.add(crew(captain=captain, name="a#b")).version == 1
    assert crews.add(crew(captain=f"{captain}%23a", name="b")).version == 1


def test_no_value_takes_no_place(crews: Crews) -> None:
    assert crews.add(crew(badge=None)).version == crews.add(crew(badge=None)).version == 1
    assert crews.add(crew(captain=None)).version == crews.add(crew(captain=None)).version == 1


def test_a_value_longer_than_a_key_is_guarded_too(crews: Crews) -> None:
    long = some_id() * 400
    crews.add(crew(badge=long))
    with pytest.raises(Duplicate):
        crews.add(crew(badge=long))
    assert crews.add(crew(badge=long + "x")).version == 1


def test_a_changed_value_frees_the_old_one(crews: Crews) -> None:
    first = crews.add(crew())
    moved = crews.save(first.evolve(badge=some_id()))
    assert crews.find_unique("badge", first.badge) is None
    assert crews.find_unique("badge", moved.badge) == moved == crews.get(first.crew_id)
    assert crews.add(crew(badge=first.badge)).version == 1
    # The guards know the entity that came back, too.
    assert crews.save(moved.evolve(badge=None)).version == 3
    assert crews.add(crew(badge=moved.badge)).version == 1


def test_a_changed_scope_frees_the_old_name(crews: Crews) -> None:
    first = crews.add(crew())
    moved = crews.save(crews.get(first.crew_id).evolve(captain=some_id()))
    assert crews.find_unique("name", "jolly", within=first.captain) is None
    assert crews.find_unique("name", "jolly", within=moved.captain) == moved


def test_who_wants_a_taken_value_changes_nothing(crews: Crews) -> None:
    first, second = crews.add(crew()), crews.add(crew())
    with pytest.raises(Duplicate):
        crews.save(second.evolve(badge=first.badge, size=5))
    assert crews.get(second.crew_id) == second
    assert crews.find_unique("badge", second.badge) == second


def test_saving_without_a_change_of_the_value_is_a_single_write(crews: Crews) -> None:
    read = crews.get(crews.add(crew()).crew_id)
    with metering() as cost:
        crews.save(read.evolve(size=3))
    assert cost.requests == {("update_item", "Crews"): 1}


def test_an_entity_made_by_hand_does_not_keep_the_old_value(crews: Crews) -> None:
    first = crews.add(crew())
    by_hand = Crew(**{**first.model_dump(), "badge": some_id()})
    crews.save(by_hand)
    assert crews.find_unique("badge", first.badge) is None
    copied = crews.get(first.crew_id).model_copy(update={"badge": first.badge})
    crews.save(copied)
    assert crews.find_unique("badge", by_hand.badge) is None
    assert crews.find_unique("badge", first.badge) is not None


def test_a_stale_save_moves_no_guard(crews: Crews) -> None:
    first = crews.add(crew())
    winner = crews.save(first.evolve(badge=some_id()))
    with pytest.raises(StaleVersion) as lost:
        crews.save(first.evolve(badge=some_id()))
    assert lost.value.stored == winner
    assert crews.find_unique("badge", winner.badge) == winner


def test_a_key_that_is_taken_takes_no_values(crews: Crews) -> None:
    first, badge = crews.add(crew()), some_id()
    with pytest.raises(AlreadyExists):
        crews.add(crew(crew_id=first.crew_id, badge=badge))
    assert crews.add(crew(badge=badge)).badge == badge


@pytest.mark.parametrize("by_key", [True, False])
def test_deleting_frees_every_value(crews: Crews, *, by_key: bool) -> None:
    first = crews.add(crew())
    crews.delete(first.crew_id if by_key else first)
    assert crews.find(first.crew_id) is None
    assert crews.add(crew(badge=first.badge, name=first.name, captain=first.captain)).version == 1


def test_deleting_by_key_lets_go_what_somebody_changed_meanwhile(crews: Crews, monkeypatch: pytest.MonkeyPatch) -> None:
    first, badge = crews.add(crew()), some_id()
    deleting, once = Crews.deleting, iter([True])

    def late(self: Crews, target: Any, **more: Any) -> Any:
        if next(once, False):
            Crews(self.store).save(first.evolve(badge=badge))
        return deleting(self, target, **more)

    monkeypatch.setattr(Crews, "deleting", late)
    crews.delete(first.crew_id)
    assert crews.find(first.crew_id) is None
    assert crews.find_unique("badge", badge) is None
    assert Guards(crews.store).owner("Crews.badge", badge) is None


def test_deleting_by_key_what_is_gone_is_fine_unless_something_goes_with_it(crews: Crews) -> None:
    crews.delete(some_id())
    with pytest.raises(ItemNotFound):
        crews.delete(some_id(), condition=attribute("size").equals(0))


def test_a_partial_update_leaves_guarded_fields_alone(crews: Crews) -> None:
    first = crews.add(crew())
    assert crews.update(first.crew_id, Update(add={"size": 2})).size == 2
    for update in (Update(set={"badge": "x"}), Update(remove=("captain",)), Update(default={"name": "x"})):
        with pytest.raises(TypeError, match="is guarded: change it with save"):
            crews.update(first.crew_id, update)


def test_batches_of_a_guarded_kind_are_refused(crews: Crews) -> None:
    with pytest.raises(TypeError, match="one at a time"):
        crews.put_many([crew()])
    with pytest.raises(TypeError, match="one at a time"):
        crews.delete_many(["x"])
    with pytest.raises(TypeError, match="delete the entity, not a key"):
        crews.deleting("x")
    with pytest.raises(TypeError, match="size is not declared unique"):
        crews.find_unique("size", 3)


def test_guards_go_with_their_write_into_any_transaction(crews: Crews) -> None:
    first, second, other = crews.add(crew()), crews.add(crew()), crew()
    swapped = Transaction(
        crews.store,
        crews.saving(first.evolve(badge=None)),
        crews.deleting(second),
        crews.adding(other),
    )
    swapped.commit()
    assert crews.find_unique("badge", other.badge) == other.at_version(1)
    assert [Guards(crews.store).owner("Crews.badge", str(one.badge)) for one in (first, second)] == [None, None]


def test_a_key_of_two_parts_owns_its_values(engine: Store) -> None:
    moored = MooredCrews(engine)
    first = moored.add(crew(port='a"#b'))
    assert moored.find_unique("badge", first.badge) == first
    with pytest.raises(Duplicate):
        moored.add(first.evolve(port="elsewhere"))


def test_of_sixteen_who_want_a_name_at_once_exactly_one_gets_it(alone: Store, in_threads: InThreads) -> None:
    crews, captain, lost = Crews(alone), some_id(), list[Duplicate]()

    def claim(_: int) -> None:
        try:
            crews.add(crew(captain=captain))
        except Duplicate as error:
            lost.append(error)

    in_threads(16, claim)
    assert len(lost) == 15
    assert crews.find_unique("name", "jolly", within=captain) is not None
    assert list(check_guards(crews, mend=False)) == []


# --- guards that do not match


def spoil(store: Store, guard: str, owner: str | None) -> None:
    """What a hand, or a restored table, may leave behind."""
    name = store.physical(UNIQUES)
    if owner is None:
        store.client.delete_item(TableName=name, Key={"guard": {"S": guard}})
    else:
        store.client.put_item(TableName=name, Item={"guard": {"S": guard}, "owner": {"S": owner}})


def test_every_kind_of_damage_is_found_and_mended(alone: Store) -> None:
    crews = Crews(alone)
    whole, bare, robbed, rival = (crews.add(crew(name="", captain=None)) for _ in range(4))
    assert list(check_guards(crews, mend=True)) == []
    spoil(alone, f"Crews.badge#{bare.badge}", None)
    spoil(alone, f"Crews.badge#{robbed.badge}", whole.crew_id)
    spoil(alone, "Crews.badge#gone", "nobody")
    spoil(alone, "Crews.badge#old", rival.crew_id)
    spoil(alone, "Elsewhere.badge#x", "nobody")
    found = {(one.fault, one.item, one.is_mended) for one in check_guards(crews, mend=False)}
    assert found == {
        (Fault.MISSING, bare.crew_id, False),
        (Fault.FOREIGN, robbed.crew_id, False),
        (Fault.ORPHAN, "nobody", False),
        (Fault.ORPHAN, rival.crew_id, False),
    }
    assert all(one.is_mended for one in check_guards(crews, mend=True))
    assert list(check_guards(crews, mend=True)) == []
    for one in (whole, bare, robbed, rival):
        assert crews.find_unique("badge", one.badge) == one
    assert Guards(alone).owner("Elsewhere.badge", "x") == "nobody"


def test_two_items_with_one_value_are_left_to_a_person(alone: Store) -> None:
    crews = Crews(alone)
    first, second = crews.add(crew(captain=None)), crews.add(crew(captain=None))
    alone.client.update_item(
        TableName=alone.physical(CREWS),
        Key={"crew_id": {"S": second.crew_id}},
        UpdateExpression="SET badge = :badge",
        ExpressionAttributeValues={":badge": {"S": str(first.badge)}},
    )
    faults = {one.fault for one in check_guards(crews, mend=True)}
    assert faults == {Fault.DOUBLE, Fault.ORPHAN}
    (left,) = check_guards(crews, mend=True)
    assert (left.fault, {left.item, left.other}) == (Fault.DOUBLE, {first.crew_id, second.crew_id})


def test_a_guard_that_belongs_to_another_stops_a_change_and_says_how_to_mend(crews: Crews) -> None:
    first = crews.add(crew())
    spoil(crews.store, f"Crews.badge#{first.badge}", "somebody")
    assert crews.find_unique("badge", first.badge) is None
    with pytest.raises(ConditionFailed, match="repair_guards"):
        crews.save(first.evolve(badge=some_id()))
