"""Ways to lose something without a word, each of them closed."""

import copy
import pickle
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar

import pytest
from pydantic import Field, ValidationError

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Expiry, Stamped, Unique, Upgrade
from apps.storage.errors import ConditionFailed, Duplicate, ItemNotFound, StaleVersion, TokenUsed
from apps.storage.metering import metering
from apps.storage.repository import Repository
from apps.storage.requests.writing import Writer
from apps.storage.table import Index, Key, Table
from apps.storage.tables import CHECKPOINTS, TRASH, UNIQUES
from apps.storage.transaction import Transaction
from apps.storage.unique import Guards
from apps.storage.upkeep.backfill import Upgrading, sweep
from apps.storage.upkeep.repair import Fault, check_guards
from tests.conftest import create_tables, new_store
from tests.storage.things import BOOKS, Book, Books, Thing, Things, some_id


class Ship(Stamped):
    derived: ClassVar[Mapping[str, str]] = {"fleet": "ships", "name_key": "{name_key}"}
    unique: ClassVar[tuple[Unique, ...]] = (Unique("sail"),)

    ship_id: str
    name: str = "Swan"
    sail: str | None = None
    cargo: str = ""
    miles: int = Field(default=0, ge=0)

    @property
    def name_key(self) -> str:
        return self.name.casefold()


SHIPS = Table(
    name="Ships",
    partition_key=Key("ship_id"),
    indexes=(
        Index(
            name="fleet-index",
            partition_key=Key("fleet"),
            sort_key=Key("name_key"),
            include=("name", "version"),
        ),
    ),
)


class Ships(Repository[Ship]):
    entity = Ship
    table = SHIPS
    noun = "ship"


class Price(Entity):
    unique: ClassVar[tuple[Unique, ...]] = (Unique("amount"),)

    price_id: str
    amount: Decimal


PRICES = Table(name="Prices", partition_key=Key("price_id"))


class Prices(Repository[Price]):
    entity = Price
    table = PRICES
    noun = "price"


def lowered(item: dict[str, Any]) -> dict[str, Any]:
    return {**item, "email": item["email"].lower()}


class OldReader(Entity):
    unique: ClassVar[tuple[Unique, ...]] = (Unique("email"),)

    reader_id: str
    email: str


class NewReader(OldReader):
    upgrades: ClassVar[tuple[Upgrade, ...]] = (lowered,)


READERS = Table(name="Readers", partition_key=Key("reader_id"))


class OldReaders(Repository[OldReader]):
    entity = OldReader
    table = READERS
    noun = "reader"


class NewReaders(Repository[NewReader]):
    entity = NewReader
    table = READERS
    noun = "reader"


@pytest.fixture
def store(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, SHIPS, PRICES, READERS, UNIQUES, TRASH, CHECKPOINTS, BOOKS)
    return store


@pytest.fixture
def ships(store: Store) -> Ships:
    return Ships(store)


def ship(**fields: Any) -> Ship:
    return Ship(**{"ship_id": some_id(), "sail": some_id(), "cargo": "tea", **fields})


COPIES: Mapping[str, Callable[[Ship], Ship]] = {
    "as it is": lambda one: one,
    "evolved": lambda one: one.evolve(name="Gull"),
    "model_copy": lambda one: one.model_copy(update={"name": "Gull"}),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
    "pickle": lambda one: pickle.loads(pickle.dumps(one)),  # noqa: S301  (our own)
}


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
def test_what_an_index_told_in_part_is_never_written_over_the_whole(
    ships: Ships, copied: Callable[[Ship], Ship]
) -> None:
    whole = ships.add(ship())
    (listed,) = ships.page(Query(partition="ships", index="fleet-index")).items
    part = copied(listed)
    assert part.is_projected
    for write in (ships.save, ships.adding, lambda one: Writer.putting(ships, one)):
        with pytest.raises(TypeError, match="lacks attributes"):
            write(part)
    assert ships.get(whole.ship_id) == whole


def test_batches_refuse_what_is_told_in_part(store: Store) -> None:
    create_tables(store, THINGS_WITH_VERSION)
    things = ThingsWithVersion(store)
    things.add(Thing(thing_id="1", owner="ada", text="long"))
    (listed,) = things.page(Query(partition="ada", index="owner-index")).items
    with pytest.raises(TypeError, match="lacks attributes"):
        things.put_many([listed])


THINGS_WITH_VERSION = Table(
    name="ThingsWithVersion",
    partition_key=Key("thingId"),
    indexes=(Index(name="owner-index", partition_key=Key("owner"), include=("version",)),),
)


class ThingsWithVersion(Things):
    table = THINGS_WITH_VERSION


def test_saving_a_stamped_guarded_kind_is_one_write(ships: Ships) -> None:
    read = ships.get(ships.add(ship()).ship_id)
    with metering() as cost:
        ships.save(read.evolve(cargo="silk"))
    assert cost.requests == {("update_item", "Ships"): 1}


def test_one_made_anew_under_the_key_is_not_saved_over_nor_deleted(ships: Ships) -> None:
    first = ships.add(ship())
    ships.delete(first)
    second = ships.add(ship(ship_id=first.ship_id))
    assert first.version == second.version
    with pytest.raises(StaleVersion) as stale:
        ships.save(first.evolve(cargo="silk"))
    assert stale.value.stored == second
    with pytest.raises(StaleVersion):
        ships.delete(first)
    assert ships.get(first.ship_id) == second
    assert list(check_guards(ships, mend=False)) == []


def test_an_upgrade_that_changes_a_unique_value_takes_its_guard_along(store: Store) -> None:
    old, new = OldReaders(store), NewReaders(store)
    old.add(OldReader(reader_id="a", email="Ada"))
    old.add(OldReader(reader_id="b", email="Bob"))
    new.save(new.get("a"))
    done = sweep(new, Upgrading())
    assert (done.written, done.failed) == (1, 0)
    for taken in ("ada", "bob"):
        with pytest.raises(Duplicate):
            new.add(NewReader(reader_id="c", email=taken))
    assert Guards(store).owner("Readers.email", "Ada") is None
    assert list(check_guards(new, mend=False)) == []


def test_no_write_goes_round_the_guards(ships: Ships) -> None:
    with pytest.raises(TypeError, match="has guards"):
        ships.putting(ship())


def test_numbers_that_are_stored_alike_are_the_same_value(store: Store) -> None:
    prices = Prices(store)
    first = prices.add(Price(price_id="a", amount=Decimal("1.0")))
    with pytest.raises(Duplicate):
        prices.add(Price(price_id="b", amount=Decimal("1.00")))
    prices.save(prices.get("a").evolve(amount=Decimal(2)))
    assert prices.add(Price(price_id="b", amount=first.amount)).version == 1


def test_a_field_is_unique_in_one_way_only() -> None:
    with pytest.raises(TypeError, match="unique twice"):

        class Twice(Entity):
            unique = (Unique("name", within="team"), Unique("name", within="boss"))
            name: str
            team: str
            boss: str


def test_what_expires_cannot_be_unique() -> None:
    class Passing(Entity):
        unique = (Unique("name"),)
        name: str
        gone_at: Expiry

    with pytest.raises(TypeError, match="deletes its items by time"):

        class Passings(Repository[Passing]):
            entity = Passing
            table = Table(name="Passings", partition_key=Key("name"), ttl="gone_at")


# --- several writes that meet


def test_values_are_swapped_and_handed_over_in_one_transaction(ships: Ships) -> None:
    one, other = ships.add(ship()), ships.add(ship())
    swap = Transaction(
        ships.store, ships.saving(one.evolve(sail=other.sail)), ships.saving(other.evolve(sail=one.sail))
    )
    swap.commit()
    assert ships.find_unique("sail", one.sail) == ships.get(other.ship_id)
    heir = ships.get(one.ship_id)
    Transaction(
        ships.store, ships.deleting(ships.get(other.ship_id)), ships.saving(heir.evolve(sail=one.sail))
    ).commit()
    assert ships.find_unique("sail", one.sail) == ships.get(heir.ship_id)
    assert list(check_guards(ships, mend=False)) == []


def test_two_who_want_one_value_in_one_transaction_are_told(ships: Ships) -> None:
    with pytest.raises(Duplicate):
        Transaction(ships.store, ships.adding(ship(sail="x")), ships.adding(ship(sail="x")))


def test_an_item_cannot_be_written_twice_in_one_transaction(ships: Ships) -> None:
    one = ships.add(ship())
    with pytest.raises(ValueError, match="only once"):
        Transaction(ships.store, ships.saving(one), ships.updating(one.ship_id, Update(add={"miles": 1})))


def test_other_writes_under_a_used_token_are_told(ships: Ships) -> None:
    one, token = ships.add(ship()), some_id()
    Transaction(ships.store, ships.updating(one.ship_id, Update(add={"miles": 1})), token=token).commit()
    with pytest.raises(TokenUsed):
        Transaction(ships.store, ships.updating(one.ship_id, Update(add={"miles": 2})), token=token).commit()
    assert ships.get(one.ship_id).miles == 1


def test_the_last_of_several_under_one_key_is_put(store: Store) -> None:
    books = Books(store)
    made = [Book(shelf="s", genre="g", serial="1", title=title) for title in ("first", "last")]
    assert books.put_many(made) == 1
    where = books.at(shelf="s", genre="g", serial="1")
    assert books.get(where).title == "last"
    assert books.delete_many([where, where]) == 1


# --- partial updates


def test_what_an_index_key_follows_from_by_a_property_changes_with_save(ships: Ships) -> None:
    one = ships.add(ship())
    with pytest.raises(TypeError, match="name_key of Ship follows from name"):
        ships.update(one.ship_id, Update(set={"name": "Goose"}))
    ships.save(one.evolve(name="Goose"))
    assert [found.name for found in ships.page(Query(partition="ships", index="fleet-index")).items] == ["Goose"]


def test_a_value_that_nobody_could_read_again_is_not_stored(ships: Ships) -> None:
    one = ships.add(ship())
    with pytest.raises(ValidationError):
        ships.update(one.ship_id, Update(set={"miles": -5}))
    assert ships.get(one.ship_id) == one


@pytest.mark.parametrize(
    "update", [Update(set={"version": 9}), Update(add={"version": 1}), Update(set={"ship_id": "x"})]
)
def test_what_is_counted_or_part_of_the_key_is_not_updated(ships: Ships, update: Update) -> None:
    with pytest.raises(TypeError, match="no update changes it"):
        ships.update(ships.add(ship()).ship_id, update)


def test_a_mark_of_ones_own_must_be_among_what_is_set(ships: Ships) -> None:
    with pytest.raises(TypeError, match="not among what is set"):
        ships.updating("x", Update(add={"miles": 1}), mine=("cargo",))


def test_an_update_that_creates_makes_a_whole_item(store: Store) -> None:
    books = Books(store)
    where = books.at(shelf="s", genre="g", serial="9")
    made = books.update(where, Update(set={"title": "t"}), or_create=True)
    assert made == books.get(where)
    assert (made.shelf, made.genre, made.serial, made.version) == ("s", "g", "9", 1)
    stored = store.client.get_item(TableName=store.physical(BOOKS), Key=books.key(where))["Item"]
    assert stored["place"] == {"S": "s#9"}


def test_an_update_that_cannot_create_a_whole_item_says_what_is_lacking(store: Store) -> None:
    with pytest.raises(TypeError, match="must give email"):
        OldReaders(store).update("x", Update(), or_create=True)


# --- deleting


def test_what_came_meanwhile_is_not_deleted_by_the_belief_that_nothing_was_there(
    ships: Ships, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, also = ship(), ships.add(ship())
    find, once = Ships.find, iter([True])

    def too_early(self: Ships, key: Any, **more: Any) -> Any:
        found = find(self, key, **more)
        if next(once, False):
            assert found is None
            Ships(self.store).add(late)
        return found

    monkeypatch.setattr(Ships, "find", too_early)
    ships.delete(late.ship_id, ships.updating(also.ship_id, Update(add={"miles": 1})))
    monkeypatch.undo()
    assert ships.find(late.ship_id) is None
    assert ships.find_unique("sail", late.sail) is None
    assert Guards(ships.store).owner("Ships.sail", str(late.sail)) is None
    assert ships.get(also.ship_id).miles == 1


def test_somebody_elses_deletion_meanwhile_is_fine(ships: Ships, monkeypatch: pytest.MonkeyPatch) -> None:
    one = ships.add(ship())
    deleting, once = Ships.deleting, iter([True])

    def late(self: Ships, target: Any, **more: Any) -> Any:
        if next(once, False):
            Ships(self.store).delete(one)
        return deleting(self, target, **more)

    monkeypatch.setattr(Ships, "deleting", late)
    ships.delete(one.ship_id)
    assert ships.find(one.ship_id) is None
    with pytest.raises(ItemNotFound):
        ships.delete(one.ship_id, condition=attribute("miles").equals(0))


def test_a_condition_that_fails_on_what_is_damaged_is_still_told(ships: Ships) -> None:
    one = ships.add(ship())
    ships.store.client.update_item(
        TableName=ships.store.physical(SHIPS),
        Key={"ship_id": {"S": one.ship_id}},
        UpdateExpression="SET miles = :m",
        ExpressionAttributeValues={":m": {"N": "-1"}},
    )
    with pytest.raises(ConditionFailed) as refused:
        ships.update(one.ship_id, Update(set={"cargo": "x"}), condition=attribute("miles").above(5))
    assert refused.value.stored is None
    (found,) = check_guards(ships, mend=True)
    assert (found.fault, found.item) == (Fault.UNREADABLE, one.ship_id)


def test_nothing_is_restored_that_would_be_gone_at_once(store: Store) -> None:
    noon = datetime(2026, 3, 1, 12, tzinfo=UTC)

    class Pass(Entity):
        kept_deleted: ClassVar[timedelta | None] = timedelta(days=30)
        pass_id: str
        gone_at: Expiry

    class Passes(Repository[Pass]):
        entity = Pass
        table = Table(name="Passes", partition_key=Key("pass_id"), ttl="gone_at")
        noun = "pass"

    create_tables(store, Passes.table)
    passes = Passes(store, clock=lambda: noon)
    passes.delete(passes.add(Pass(pass_id="1", gone_at=noon + timedelta(hours=1))))
    later = Passes(store, clock=lambda: noon + timedelta(hours=2))
    with pytest.raises(ItemNotFound, match="no deleted pass"):
        later.restore("1")
    assert passes.restore("1").version == 2
