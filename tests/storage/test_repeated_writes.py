"""A write whose answer was lost: made once, known as one's own, or said to be uncertain; never made twice."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest

from apps.storage.conditions import Update, attribute
from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind
from apps.storage.errors import AlreadyExists, ConditionFailed, ItemNotFound, OutcomeUnknown, StoreUnavailable
from apps.storage.plane import backoff
from apps.storage.tables import UNIQUES
from apps.storage.transaction import Transaction, read_together
from tests.conftest import create_tables, new_store
from tests.storage.fault_proxy import Fault, FaultProxy, fault_proxy, in_turn
from tests.storage.things import NOON, THINGS, Thing, Things, some_id


@pytest.fixture(scope="module")
def direct(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS, UNIQUES)
    return store


@pytest.fixture(scope="module")
def proxy(direct: Store) -> Iterator[FaultProxy]:
    with fault_proxy(str(direct.endpoint)) as proxy:
        yield proxy


@pytest.fixture(scope="module", params=["fast", "boto3"])
def through(request: pytest.FixtureRequest, direct: Store, proxy: FaultProxy) -> Store:
    plane: DataPlaneName = request.param
    return Store(
        environment="dev",
        prefix=direct.prefix,
        endpoint=proxy.address,
        region="eu-west-1",
        attempts=3,
        read_timeout_seconds=1,
        data_plane=plane,
    )


@pytest.fixture
def things(through: Store, monkeypatch: pytest.MonkeyPatch) -> Things:
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)
    return Things(through)


@pytest.fixture
def sure(direct: Store) -> Things:
    return Things(direct)


def key(thing: Thing) -> tuple[str, Any]:
    return thing.thing_id, thing.made_at


def thing(**fields: Any) -> Thing:
    return Thing(**{"thing_id": some_id(), "title": "anvil", **fields})


def test_an_addition_whose_answer_was_lost_is_known_as_ones_own(
    things: Things, sure: Things, proxy: FaultProxy
) -> None:
    made = thing()
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):
        added = things.add(made)
    assert added == sure.get(key(made))
    assert added.version == 1


def test_a_save_whose_answer_was_lost_is_made_once(things: Things, sure: Things, proxy: FaultProxy) -> None:
    read = sure.add(thing(expires_at=NOON + timedelta(days=10**5)))
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):
        saved = things.save(read.evolve(title="saw", notes=("one",)))
    assert saved == sure.get(key(read))
    assert saved.version == 2


def test_a_deletion_whose_answer_was_lost_is_done(things: Things, sure: Things, proxy: FaultProxy) -> None:
    read = sure.add(thing())
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):
        things.delete(read)
    assert sure.find(key(read)) is None
    with pytest.raises(ItemNotFound):
        things.delete(read)


def test_a_claim_whose_answer_was_lost_is_known_by_the_claimants_own_mark(
    things: Things, sure: Things, proxy: FaultProxy
) -> None:
    free = sure.add(thing())
    claim = Update(set={"amount": 1, "owner": "me"})
    is_free = attribute("amount").equals(0)
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):
        claimed = things.update(key(free), claim, condition=is_free, mine=("owner",))
    assert claimed == sure.get(key(free))
    assert (claimed.owner, claimed.version) == ("me", 2)


def test_a_change_without_such_a_mark_is_refused_as_uncertain(things: Things, sure: Things, proxy: FaultProxy) -> None:
    free = sure.add(thing())
    is_free = attribute("amount").equals(0)
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)), pytest.raises(ConditionFailed) as refused:
        things.update(key(free), Update(set={"amount": 1}), condition=is_free)
    assert not refused.value.is_certain
    assert refused.value.stored == sure.get(key(free))
    with pytest.raises(ConditionFailed) as plain:
        things.update(key(free), Update(set={"amount": 1}), condition=is_free)
    assert plain.value.is_certain


def test_a_rival_who_won_while_one_was_throttled_is_not_taken_for_oneself(
    things: Things, sure: Things, proxy: FaultProxy
) -> None:
    lock = sure.add(thing(owner="me"))
    with proxy.planned(in_turn(Fault.THROTTLED, None)), pytest.raises(AlreadyExists):
        things.add(lock.model_copy(update={"version": 0}))
    is_free = attribute("amount").equals(0)
    sure.update(key(lock), Update(set={"amount": 1, "owner": "me"}))
    with proxy.planned(in_turn(Fault.THROTTLED, None)), pytest.raises(ConditionFailed) as lost:
        things.update(key(lock), Update(set={"owner": "me"}), condition=is_free, mine=("owner",))
    assert lost.value.is_certain
    sure.delete(key(lock))
    with proxy.planned(in_turn(Fault.THROTTLED, None)), pytest.raises(ItemNotFound):
        things.delete(lock)


def test_ones_own_write_is_known_through_a_conflict_on_the_way(things: Things, sure: Things, proxy: FaultProxy) -> None:
    made = thing()
    with proxy.planned(in_turn(Fault.RESET_AFTER, Fault.CONFLICT, None)):
        assert things.add(made) == sure.get(key(made))


def test_counting_is_never_sent_twice(things: Things, sure: Things, proxy: FaultProxy) -> None:
    counted = sure.add(thing())
    for update in (Update(add={"amount": 1}), Update(append={"notes": ("x",)})):
        with proxy.planned(in_turn(Fault.RESET_AFTER, None)), pytest.raises(OutcomeUnknown) as unknown:
            things.update(key(counted), update)
        assert not unknown.value.retryable
        assert (unknown.value.table, unknown.value.operation) == ("Things", "update_item")
    with proxy.planned(in_turn(Fault.THROTTLED, None)):  # this one surely did not arrive
        things.update(key(counted), Update(add={"amount": 1}))
    stored = sure.get(key(counted))
    assert (stored.amount, stored.notes) == (2, ("x",))


def test_counting_that_may_be_done_twice_is_sent_again(things: Things, sure: Things, proxy: FaultProxy) -> None:
    counted = sure.add(thing())
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):
        assert things.update(key(counted), Update(add={"amount": 1}), repeatable=True).amount == 2
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):  # elements of a set are there or not
        assert things.update(key(counted), Update(add={"tags": {"x"}})).tags == {"x"}


def test_in_a_transaction_counting_is_exact(things: Things, sure: Things, proxy: FaultProxy) -> None:
    counted = sure.add(thing())
    with proxy.planned(in_turn(Fault.RESET_AFTER, None)):
        Transaction(things.store, things.updating(key(counted), Update(add={"amount": 1}))).commit()
    assert sure.get(key(counted)).amount == 1


def test_a_transaction_that_is_never_answered_is_safe_to_commit_again_only_with_a_token_of_ones_own(
    things: Things, sure: Things, proxy: FaultProxy
) -> None:
    counted = sure.add(thing())
    more = things.updating(key(counted), Update(add={"amount": 1}))
    with proxy.planned(in_turn(*[Fault.RESET_AFTER] * 10)), pytest.raises(OutcomeUnknown):
        Transaction(things.store, more).commit()
    assert sure.get(key(counted)).amount == 1
    mine = Transaction(things.store, more, token=some_id())
    with proxy.planned(in_turn(*[Fault.RESET_AFTER] * 10)), pytest.raises(StoreUnavailable) as unanswered:
        mine.commit()
    assert not isinstance(unanswered.value, OutcomeUnknown)
    mine.commit()
    assert sure.get(key(counted)).amount == 2


def test_items_read_together_are_as_of_one_moment(things: Things, sure: Things, proxy: FaultProxy) -> None:
    first, second = sure.add(thing()), sure.add(thing())
    nobody = (some_id(), NOON)
    with proxy.planned(in_turn(Fault.CONFLICT, Fault.CUT, None)):
        found = read_together(
            things.store, things.reading(key(first)), things.reading(nobody), things.reading(key(second))
        )
    assert found == (first, None, second)
    assert read_together(things.store) == ()
    with pytest.raises(ValueError, match="at most 100"):
        read_together(things.store, *[things.reading(nobody)] * 101)
