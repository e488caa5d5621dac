"""Several writes, all or none, and values that only one may have."""

from collections.abc import Callable
from typing import Any

import pytest

from apps.storage import transaction
from apps.storage.conditions import Update, attribute
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.errors import (
    AlreadyExists,
    ConditionFailed,
    Contention,
    Duplicate,
    ItemNotFound,
    ItemTooLarge,
    StaleVersion,
    Throttled,
)
from apps.storage.metering import metering
from apps.storage.plane import backoff
from apps.storage.tables import UNIQUES
from apps.storage.transaction import Transaction
from apps.storage.unique import Guards
from tests.conftest import EVERY_WAY, create_tables, new_store
from tests.storage.things import NOON, THINGS, State, Thing, Things, row, some_id

InThreads = Callable[[int, Callable[[int], None]], None]


@pytest.fixture(scope="module", params=EVERY_WAY)
def engine(request: pytest.FixtureRequest, engine_endpoint: Callable[[EngineKind], str]) -> Store:
    kind, data_plane = request.param
    store = new_store(engine_endpoint(kind), data_plane=data_plane)
    create_tables(store, THINGS, UNIQUES)
    return store


@pytest.fixture(scope="module")
def isolating(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    """The engine that keeps requests at the same time apart, as AWS does; moto's server does not."""
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS, UNIQUES)
    return store


@pytest.fixture
def things(engine: Store) -> Things:
    return Things(engine)


def thing(**fields: Any) -> Thing:
    return Thing(**{"thing_id": some_id(), "title": "anvil", **fields})


def key(of: Thing) -> tuple[str, Any]:
    return of.thing_id, of.made_at


def test_all_writes_of_a_transaction_happen(things: Things) -> None:
    saved, updated, deleted, checked = (things.add(thing()) for _ in range(4))
    added = thing()
    Transaction(
        things.store,
        things.adding(added),
        things.saving(saved.evolve(title="saw")),
        things.updating(key(updated), Update(add={"amount": 2})),
        things.deleting(key(deleted)),
        things.checking(key(checked), attribute("state").equals(State.NEW)),
    ).commit()
    found = things.get_many([key(added), key(saved), key(updated), key(deleted)], consistent=True)
    assert [(one.title, one.amount, one.version) for one in found] == [
        ("anvil", 0, 1),
        ("saw", 0, 2),
        ("anvil", 2, 2),
    ]


def stale(things: Things, there: Thing) -> Any:
    return things.saving(there.evolve(version=9))


FAILURES: list[tuple[Callable[[Things, Thing], Any], type[Exception]]] = [
    (lambda things, there: things.adding(there), AlreadyExists),
    (stale, StaleVersion),
    (lambda things, there: things.updating((there.thing_id + "x", NOON), Update(add={"amount": 1})), ItemNotFound),
    (lambda things, there: things.deleting(key(there), condition=attribute("amount").above(5)), ConditionFailed),
    (lambda things, there: things.checking(key(there), attribute("title").missing()), ConditionFailed),
    (lambda things, there: things.adding(there).otherwise(Duplicate("Taken.", field="name")), Duplicate),
]


@pytest.mark.parametrize(("failing", "error"), FAILURES, ids=["add", "save", "update", "delete", "check", "otherwise"])
def test_nothing_happens_where_one_fails_and_its_own_error_says_which(
    things: Things, failing: Callable[[Things, Thing], Any], error: type[Exception]
) -> None:
    there, fresh = things.add(thing()), thing()
    bystander = things.add(thing())
    with pytest.raises(error) as failed:
        Transaction(
            things.store,
            things.adding(fresh),
            failing(things, there),
            things.saving(bystander.evolve(title="changed")),
        ).commit()
    assert type(failed.value) is error
    if isinstance(failed.value, ConditionFailed):
        assert failed.value.stored == there
    assert things.find(key(fresh), consistent=True) is None
    assert things.get_many([key(there), key(bystander)], consistent=True) == [there, bystander]


def test_a_transaction_takes_a_hundred_writes_and_no_more(things: Things) -> None:
    made = row(some_id(), 101)
    writes = [things.adding(one) for one in made]
    with pytest.raises(ValueError, match="at most 100 writes, not 101"):
        Transaction(things.store, *writes)
    with metering() as cost:
        Transaction(things.store, *writes[:100]).commit()
    assert cost.total_requests == 1
    assert len(things.get_many([key(one) for one in made])) == 100


def test_a_transaction_without_writes_asks_nothing(things: Things) -> None:
    with metering() as cost:
        Transaction(things.store).commit()
    assert cost.total_requests == 0


def test_an_item_too_large_is_refused_in_a_transaction_too(things: Things) -> None:
    there, other = things.add(thing()), thing()
    with pytest.raises(ItemTooLarge, match="400 KB"):
        Transaction(
            things.store,
            things.adding(other),
            things.updating(key(there), Update(set={"notes": ("x" * 410_000,)})),
        ).commit()
    assert things.find(key(other)) is None


class Cancelling(Store):
    """A store whose transactions are cancelled for some rounds, for a reason of the store's own."""

    def __init__(self, *, like: Store, rounds: int, reason: str) -> None:
        super().__init__(environment=like.environment, prefix=like.prefix, endpoint=like.endpoint, region="eu-west-1")
        self.rounds = rounds
        self.reason = reason
        self.tokens: list[str] = []

    def call(self, operation: str, *, table: str, **request: Any) -> dict[str, Any]:
        from botocore.exceptions import ClientError  # noqa: PLC0415  (only this store imitates it)

        if operation == "transact_write_items":
            self.tokens.append(request["ClientRequestToken"])
            if self.rounds:
                self.rounds -= 1
                reasons = [{"Code": "None"}, {"Code": self.reason}]
                answer: Any = {
                    "Error": {"Code": "TransactionCanceledException", "Message": "cancelled"},
                    "CancellationReasons": reasons,
                }
                raise ClientError(answer, operation)
        return super().call(operation, table=table, **request)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reason", ["TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"])
def test_a_transaction_that_meets_another_is_tried_again_as_a_new_one(engine: Store, reason: str) -> None:
    busy = Cancelling(like=engine, rounds=3, reason=reason)
    one, two = thing(), thing()
    Transaction(busy, Things(busy).adding(one), Things(busy).adding(two)).commit()
    assert len(Things(engine).get_many([key(one), key(two)])) == 2
    assert len(set(busy.tokens)) == 4


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    ("reason", "error", "says"),
    [
        ("TransactionConflict", Contention, "Others are changing the same things right now"),
        ("ThrottlingError", Throttled, "busy"),
    ],
)
def test_contention_without_end_is_told_and_nothing_is_written(
    engine: Store, reason: str, error: type[Exception], says: str
) -> None:
    busy = Cancelling(like=engine, rounds=99, reason=reason)
    one, two = thing(), thing()
    with pytest.raises(error, match=says):
        Transaction(busy, Things(busy).adding(one), Things(busy).adding(two)).commit()
    assert Things(engine).get_many([key(one), key(two)]) == []
    assert len(busy.tokens) == transaction.TRIES


# --- uniqueness


TAKEN = Duplicate("This address belongs to somebody else.", field="email")


def test_a_value_is_taken_once_and_free_again_when_released(engine: Store) -> None:
    guards, value = Guards(engine), f"{some_id()}#a@b"
    Transaction(engine, guards.claiming("Users.email", value, owner="ada", otherwise=TAKEN)).commit()
    assert guards.owner("Users.email", value) == "ada"
    assert guards.owner("Teams.name", value) is None
    with pytest.raises(Duplicate) as taken:
        Transaction(engine, guards.claiming("Users.email", value, owner="bob", otherwise=TAKEN)).commit()
    assert taken.value.field == "email"
    with pytest.raises(ConditionFailed):
        Transaction(engine, guards.releasing("Users.email", value, owner="bob")).commit()
    Transaction(engine, guards.releasing("Users.email", value, owner="ada")).commit()
    Transaction(engine, guards.claiming("Users.email", value, owner="bob", otherwise=TAKEN)).commit()
    assert guards.owner("Users.email", value) == "bob"


def test_of_sixteen_who_want_a_value_at_once_exactly_one_gets_it(isolating: Store, in_threads: InThreads) -> None:
    things, guards, value, partition = Things(isolating), Guards(isolating), some_id(), some_id()
    made = row(partition, 16)
    won: list[str] = []
    lost: list[str] = []

    def claim(number: int) -> None:
        owner = made[number].title or ""
        try:
            Transaction(
                isolating,
                things.adding(made[number]),
                guards.claiming("Things.name", value, owner=owner, otherwise=TAKEN),
            ).commit()
        except Duplicate:
            lost.append(owner)
        else:
            won.append(owner)

    in_threads(16, claim)
    assert (len(won), len(lost)) == (1, 15)
    assert guards.owner("Things.name", value) == won[0]
    assert [one.title for one in things.get_many([key(one) for one in made], consistent=True)] == won


def test_of_sixteen_who_save_the_same_version_exactly_one_does(isolating: Store, in_threads: InThreads) -> None:
    things = Things(isolating)
    read = things.add(thing())
    lost: list[StaleVersion] = []

    def save(number: int) -> None:
        try:
            things.save(read.evolve(title=f"writer {number}"))
        except StaleVersion as error:
            lost.append(error)

    in_threads(16, save)
    stored = things.get(key(read), consistent=True)
    assert (len(lost), stored.version) == (15, 2)
    assert all(error.stored == stored for error in lost)


def test_sixteen_who_count_at_once_count_sixteen(isolating: Store, in_threads: InThreads) -> None:
    things = Things(isolating)
    counted = things.add(thing())
    in_threads(16, lambda _: things.update(key(counted), Update(add={"amount": 1})) and None)
    assert things.get(key(counted), consistent=True).amount == 16
