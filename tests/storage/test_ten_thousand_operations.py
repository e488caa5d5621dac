"""Ten thousand operations over a bad line: nothing that was confirmed is lost, nothing is done twice.

Every worker changes boxes of its own and knows what may be in each: after a confirmed change exactly that, after an
error without a clear outcome either the old or the new. Money moves between the workers' purses and shared banks in
transactions. In the end the engine is asked directly.
"""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.retries import standard

from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity
from apps.storage.errors import (
    AlreadyExists,
    ConditionFailed,
    ItemNotFound,
    OutcomeUnknown,
    StoreUnavailable,
    may_be_written,
)
from apps.storage.plane import backoff
from apps.storage.repository import Repository
from apps.storage.table import Key, Table
from apps.storage.transaction import Transaction
from tests.conftest import create_tables, new_store
from tests.storage.fault_proxy import CHANGES, Fault, FaultProxy, by_chance, fault_proxy

WORKERS = 32
BOXES = 6
BANKS = 4
READ_TIMEOUT_SECONDS = 2.0
FAULTS = {
    **dict.fromkeys((Fault.THROUGHPUT_EXCEEDED, Fault.THROTTLED, Fault.LIMIT_EXCEEDED), 0.004),
    **dict.fromkeys((Fault.SERVER_ERROR, Fault.BAD_GATEWAY, Fault.OUT_OF_SERVICE, Fault.RESET_BEFORE), 0.004),
    **dict.fromkeys((Fault.RESET_AFTER, Fault.SERVER_ERROR_AFTER, Fault.CUT, Fault.SHORTENED), 0.006),
    **dict.fromkeys((Fault.WRONG_CRC, Fault.HTML, Fault.EMPTY, Fault.NO_OBJECT), 0.006),
    **dict.fromkeys((Fault.CONFLICT, Fault.SLOW, Fault.PARTIAL), 0.02),
    Fault.HANGS: 0.001,
}
LOSING_ANSWERS = (Fault.RESET_AFTER, Fault.SERVER_ERROR_AFTER, Fault.CUT, Fault.WRONG_CRC, Fault.HTML, Fault.EMPTY)


class Box(Entity):
    """A thing on a worker's shelf, or somebody's money."""

    shelf: str
    name: str
    label: str = ""
    amount: int = 0


BOXES_TABLE = Table(name="Boxes", partition_key=Key("shelf"), sort_key=Key("name"))


class Boxes(Repository[Box]):
    entity = Box
    table = BOXES_TABLE
    noun = "box"


Content = tuple[str, int] | None
"""Label and amount, or None for a box that is not there."""


@dataclass
class Tally:
    """What came of all operations."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: Counter[str] = field(default_factory=Counter)

    def note(self, kind: str, outcome: str) -> None:
        with self.lock:
            self.ended[f"{kind} {outcome}"] += 1

    def of(self, outcome: str) -> int:
        return sum(number for name, number in self.ended.items() if name.endswith(outcome))


class Worker:
    """One thread's boxes and what may be in them."""

    def __init__(self, number: int, store: Store, tally: Tally) -> None:
        self.boxes = Boxes(store)
        self.shelf = f"worker-{number}"
        self.tally = tally
        self.dice = random.Random(1000 + number)  # noqa: S311  (a script, not a secret)
        self.may_hold: dict[str, set[Content]] = {f"box-{number}": {None} for number in range(BOXES)}
        self.purse: set[int] = {0}
        self.serial = 0
        self.script: list[Callable[[], None]] = [
            *(self.add, self.save, self.relabel, self.count_up, self.take, self.take_by_name),
            *(
                self.delete,
                self.delete_if_labelled,
                self.put_many,
                self.delete_many,
                self.get_many,
                self.read,
                self.read,
                self.list_all,
            ),
            *(self.transfer, self.transfer, self.transfer, self.deposit_twice_in_one),
        ]

    def work(self, operations: int) -> None:
        for _ in range(operations):
            self.dice.choice(self.script)()

    # --- what it does ---

    def add(self) -> None:
        name, label = self.some_box(), self.fresh()
        self.changing(
            {name: lambda _: (label, 0)},
            lambda: self.boxes.add(Box(shelf=self.shelf, name=name, label=label)),
            refuses=lambda content: content is not None,
        )

    def save(self) -> None:
        name, label = self.some_box(), self.fresh()
        if (box := self.look(name)) is not None:
            self.changing(
                {name: lambda content: (label, content[1])},
                lambda: self.boxes.save(box.evolve(label=label)),
            )

    def relabel(self) -> None:
        name, label = self.some_box(), self.fresh()
        self.changing(
            {name: lambda content: (label, content[1])},
            lambda: self.boxes.update((self.shelf, name), Update(set={"label": label})),
            refuses=lambda content: content is None,
        )

    def count_up(self) -> None:
        name = self.some_box()
        self.changing(
            {name: lambda content: (content[0], content[1] + 1)},
            lambda: self.boxes.update((self.shelf, name), Update(add={"amount": 1})),
            refuses=lambda content: content is None,
        )

    def take(self, mine: tuple[str, ...] = ()) -> None:
        """A claim: allowed only while nobody has it, which the first try itself ends."""
        name, label = self.some_box(), self.fresh()
        self.changing(
            {name: lambda _: (label, 7)},
            lambda: self.boxes.update(
                (self.shelf, name),
                Update(set={"label": label, "amount": 7}),
                condition=attribute("amount").differs(7),
                mine=mine,
            ),
            refuses=lambda content: content is None or content[1] == 7,
        )

    def take_by_name(self) -> None:
        self.take(mine=("label",))

    def delete(self) -> None:
        name = self.some_box()
        self.changing({name: lambda _: None}, lambda: self.boxes.delete((self.shelf, name)))

    def delete_if_labelled(self) -> None:
        name = self.some_box()
        self.changing(
            {name: lambda _: None},
            lambda: self.boxes.delete((self.shelf, name), condition=attribute("label").exists()),
            refuses=lambda content: content is None,
            gone_is_done=True,
        )

    def put_many(self) -> None:
        labels = {name: self.fresh() for name in self.some_boxes()}
        entities = [Box(shelf=self.shelf, name=name, label=label) for name, label in labels.items()]
        self.changing(
            {name: (lambda _, label=label: (label, 0)) for name, label in labels.items()},
            lambda: self.boxes.put_many(entities),
        )

    def delete_many(self) -> None:
        names = self.some_boxes()[:2]
        self.changing(
            {name: (lambda _: None) for name in names},
            lambda: self.boxes.delete_many([(self.shelf, name) for name in names]),
        )

    def get_many(self) -> None:
        names = self.some_boxes()
        found = self.reading(
            "get_many", lambda: self.boxes.get_many([(self.shelf, name) for name in names], consistent=True)
        )
        if found is not None:
            self.seen(names, found)

    def read(self) -> None:
        self.look(self.some_box())

    def list_all(self) -> None:
        found = self.reading("stream", lambda: list(self.boxes.stream(Query(partition=self.shelf), consistent=True)))
        if found is not None:
            self.seen(list(self.may_hold), [box for box in found if box.name != "purse"])

    def transfer(self) -> None:
        """From a shared bank to the worker's own purse: two sums without any condition that would tell a repeat."""
        amount = self.dice.randint(1, 9)
        bank = self.boxes.updating(("bank", str(self.dice.randrange(BANKS))), Update(add={"amount": -amount}))
        purse = self.boxes.updating((self.shelf, "purse"), Update(add={"amount": amount}))
        self.moving(amount, lambda: Transaction(self.boxes.store, bank, purse).commit())

    def deposit_twice_in_one(self) -> None:
        """A transaction with a new box and a sum: all or nothing."""
        name, label = self.some_box(), self.fresh()
        box = self.boxes.adding(Box(shelf=self.shelf, name=name, label=label))
        bank = self.boxes.updating(("bank", "0"), Update(add={"amount": -1}))
        purse = self.boxes.updating((self.shelf, "purse"), Update(add={"amount": 1}))
        outcome = self.moving(1, lambda: Transaction(self.boxes.store, box, bank, purse).commit())
        may = self.may_hold[name]
        if outcome == "confirmed":
            assert None in may, f"{name} was added over {may}"
            self.may_hold[name] = {(label, 0)}
        elif outcome == "refused":
            self.keep(name, lambda content: content is not None)
        elif outcome == "unknown" and None in may:
            may.add((label, 0))

    # --- what it knows ---

    def some_box(self) -> str:
        return self.dice.choice(list(self.may_hold))

    def some_boxes(self) -> list[str]:
        return self.dice.sample(list(self.may_hold), k=4)

    def fresh(self) -> str:
        self.serial += 1
        return f"{self.shelf}/{self.serial}"

    def look(self, name: str) -> Box | None:
        found = self.reading("find", lambda: [self.boxes.find((self.shelf, name), consistent=True)])
        if found is None:
            return None
        self.seen([name], [box for box in found if box is not None])
        return found[0]

    def seen(self, names: list[str], found: list[Any]) -> None:
        held = {box.name: (box.label, box.amount) for box in found}
        for name in names:
            assert held.get(name) in self.may_hold[name], f"{self.shelf} {name}: read {held.get(name)}"
            self.may_hold[name] = {held.get(name)}

    def keep(self, name: str, holds: Callable[[Content], bool]) -> None:
        left = {content for content in self.may_hold[name] if holds(content)}
        assert left, f"{self.shelf} {name}: refused, although it holds {self.may_hold[name]}"
        self.may_hold[name] = left

    def reading(self, kind: str, ask: Callable[[], list[Any]]) -> list[Any] | None:
        try:
            found = ask()
        except StoreUnavailable:
            self.tally.note(kind, "unknown")
            return None
        self.tally.note(kind, "confirmed")
        return found

    def changing(
        self,
        becomes: dict[str, Callable[[Any], Content]],
        change: Callable[[], Any],
        *,
        refuses: Callable[[Content], bool] = lambda _: False,
        gone_is_done: bool = False,
    ) -> None:
        """Do it, and note what may be in those boxes now.

        Where `gone_is_done`, a deletion whose first answer was lost counts as done when nothing is left.
        """
        outcome = self.outcome(change)
        if outcome == "not done":
            return
        for name, after in becomes.items():
            if outcome == "refused":
                self.keep(name, refuses)
                continue
            before = self.may_hold[name]
            changed = {after(content) for content in before if not refuses(content) or gone_is_done}
            assert changed or outcome == "unknown", f"{self.shelf} {name}: done, although it holds {before}"
            self.may_hold[name] = changed if outcome == "confirmed" else before | changed

    def moving(self, amount: int, commit: Callable[[], None]) -> str:
        outcome = self.outcome(commit)
        if outcome in {"confirmed", "unknown"}:
            moved = {has + amount for has in self.purse}
            self.purse = moved if outcome == "confirmed" else self.purse | moved
            if len(self.purse) > 8:  # sums without end: look
                found = self.reading("find", lambda: [self.boxes.get((self.shelf, "purse"), consistent=True).amount])
                if found is not None:
                    assert found[0] in self.purse
                    self.purse = set(found)
        return outcome

    def outcome(self, change: Callable[[], Any]) -> str:
        kind = change.__qualname__.split(".")[1]
        try:
            change()
        except (AlreadyExists, ConditionFailed, ItemNotFound) as error:
            certain = getattr(error, "is_certain", True)
            self.tally.note(kind, "refused" if certain else "perhaps refused")
            return "refused" if certain else "unknown"
        except StoreUnavailable as error:
            if isinstance(error, OutcomeUnknown):
                self.tally.note(kind, "declared unknown")
                return "unknown"
            found = "unknown" if may_be_written(error.__cause__) else "not done"
            self.tally.note(kind, found)
            return found
        self.tally.note(kind, "confirmed")
        return "confirmed"


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.0005)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.001)


@pytest.fixture
def proxy(engine_endpoint: Callable[[EngineKind], str]) -> Iterator[FaultProxy]:
    with fault_proxy(engine_endpoint(EngineKind.DYNOXIDE), hang_seconds=READ_TIMEOUT_SECONDS * 1.2) as proxy:
        yield proxy


@pytest.mark.parametrize(("data_plane", "operations"), [("fast", 10_000), ("boto3", 1_200)])
def test_nothing_is_lost_or_done_twice(
    proxy: FaultProxy,
    engine_endpoint: Callable[[EngineKind], str],
    no_waiting: None,
    in_threads: Any,
    data_plane: DataPlaneName,
    operations: int,
) -> None:
    direct = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(direct, BOXES_TABLE)
    money = Boxes(direct)
    money.put_many([Box(shelf="bank", name=str(number)) for number in range(BANKS)])
    money.put_many([Box(shelf=f"worker-{number}", name="purse") for number in range(WORKERS)])
    store = over(proxy, like=direct, data_plane=data_plane)
    tally = Tally()
    workers = [Worker(number, store, tally) for number in range(WORKERS)]

    with proxy.planned(by_chance(FAULTS, seed=3)):
        in_threads(WORKERS, lambda number: workers[number].work(operations // WORKERS + 1))
        done = proxy.done.copy()

    for worker in workers:
        stored = {box.name: box for box in money.stream(Query(partition=worker.shelf), consistent=True)}
        assert stored.pop("purse").amount in worker.purse
        worker.seen(list(worker.may_hold), list(stored.values()))
    banked = sum(box.amount for box in money.stream(Query(partition="bank"), consistent=True))
    purses = sum(money.get((worker.shelf, "purse"), consistent=True).amount for worker in workers)
    assert banked + purses == 0
    assert sum(tally.ended.values()) >= operations
    assert tally.of("confirmed") > 0.7 * operations
    assert tally.of(" unknown") < 0.1 * operations
    if operations >= 10_000:  # enough for chance to have tried everything
        assert tally.of("declared unknown") > 0
        assert {fault for _, fault in done} == {None, *FAULTS}
        assert {operation for operation, fault in done if fault in LOSING_ANSWERS} >= CHANGES


def over(proxy: FaultProxy, *, like: Store, data_plane: DataPlaneName) -> Store:
    return Store(
        environment=like.environment,
        prefix=like.prefix,
        endpoint=proxy.address,
        region="eu-west-1",
        read_timeout_seconds=READ_TIMEOUT_SECONDS,
        data_plane=data_plane,
    )
