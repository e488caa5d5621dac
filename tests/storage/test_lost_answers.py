"""Who writes and hears nothing: whether it was done, by oneself or by a rival, is never guessed."""

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from botocore.retries import quota, standard

from apps.storage.conditions import Update, attribute
from apps.storage.connection import DataPlaneName, Store
from apps.storage.engine import EngineKind
from apps.storage.errors import (
    AlreadyExists,
    ConditionFailed,
    Contention,
    ItemNotFound,
    OutcomeUnknown,
    StaleVersion,
    StoreUnavailable,
    Throttled,
)
from apps.storage.plane import backoff
from apps.storage.transaction import TRIES, Transaction
from tests.conftest import create_tables, new_store
from tests.storage.fault_proxy import Fault, FaultProxy, Plan, fault_proxy, in_turn
from tests.storage.things import NOON, THINGS, Thing, Things, some_id

FREE = attribute("owner").missing()
# Neither of these reaches the engine; only after the second can that not be known.
CLEAR, UNCLEAR = Fault.THROTTLED, Fault.RESET_BEFORE


@pytest.fixture(scope="module")
def direct(engine_endpoint: Callable[[EngineKind], str]) -> Store:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, THINGS)
    return store


@pytest.fixture(scope="module")
def proxy(direct: Store) -> Iterator[FaultProxy]:
    with fault_proxy(str(direct.endpoint)) as proxy:
        yield proxy


@pytest.fixture(autouse=True)
def without_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda *_: 0.0)
    monkeypatch.setattr(quota.RetryQuota, "acquire", lambda *_: True)
    monkeypatch.setattr(backoff, "LONGEST_SECONDS", 0.0)


@pytest.fixture
def rival(direct: Store) -> Things:
    return Things(direct)


@pytest.fixture(scope="module", params=get_args(DataPlaneName))
def things(request: pytest.FixtureRequest, proxy: FaultProxy, direct: Store) -> Things:
    return Things(
        Store(
            environment="dev",
            prefix=direct.prefix,
            endpoint=proxy.address,
            region="eu-west-1",
            attempts=3,
            data_plane=request.param,
        )
    )


def overtaken(fault: Fault, rivals_turn: Callable[[], Any]) -> Plan:
    """The first request fails so, and before the second one a rival has acted."""
    faults = iter([fault])

    def plan(_: str) -> Fault | None:
        found = next(faults, None)
        if found is not None:
            rivals_turn()
        return found

    return plan


def stored(rival: Things, key: Any) -> Thing:
    return rival.get(key, consistent=True)


@pytest.mark.parametrize("fault", [CLEAR, UNCLEAR])
@pytest.mark.parametrize("mine", [(), ("owner",)])
def test_what_a_rival_took_is_not_mistaken_for_ones_own(
    proxy: FaultProxy, things: Things, rival: Things, fault: Fault, mine: tuple[str, ...]
) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0]))
    turn = lambda: rival.update(key, Update(set={"owner": "rival"}), condition=FREE)  # noqa: E731
    with proxy.planned(overtaken(fault, turn)), pytest.raises(ConditionFailed) as error:
        things.update(key, Update(set={"owner": "me"}), condition=FREE, mine=mine)
    assert error.value.is_certain is (fault is CLEAR)
    assert error.value.stored.owner == "rival"


def test_what_one_took_oneself_is_known_by_its_own_value(proxy: FaultProxy, things: Things, rival: Things) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0]))
    with proxy.planned(in_turn(Fault.RESET_AFTER)):
        taken = things.update(key, Update(set={"owner": "me"}), condition=FREE, mine=["owner"])
    assert taken == stored(rival, key)
    assert (taken.owner, taken.version) == ("me", 2)


def test_without_a_value_of_ones_own_a_lost_success_is_uncertain(
    proxy: FaultProxy, things: Things, rival: Things
) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0]))
    with proxy.planned(in_turn(Fault.RESET_AFTER)), pytest.raises(ConditionFailed) as error:
        things.update(key, Update(set={"owner": "me"}), condition=FREE)
    assert not error.value.is_certain
    assert stored(rival, key).owner == "me"


def test_an_equal_thing_that_a_rival_added_first_is_the_rivals(
    proxy: FaultProxy, things: Things, rival: Things
) -> None:
    lock = Thing(thing_id=some_id())
    with proxy.planned(overtaken(CLEAR, lambda: rival.add(lock))), pytest.raises(AlreadyExists):
        things.add(lock)


def test_what_one_added_oneself_is_known(proxy: FaultProxy, things: Things, rival: Things) -> None:
    thing = Thing(thing_id=some_id(), title="mine")
    with proxy.planned(in_turn(Fault.CUT)):
        assert things.add(thing) == stored(rival, (thing.thing_id, NOON))


def test_what_a_rival_deleted_was_not_deleted_by_oneself(proxy: FaultProxy, things: Things, rival: Things) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0], owner="me"))
    with proxy.planned(overtaken(CLEAR, lambda: rival.delete(key))), pytest.raises(ItemNotFound):
        things.delete(key, condition=attribute("owner").equals("me"))


@pytest.mark.parametrize("fault", [CLEAR, UNCLEAR])
def test_a_rivals_save_is_a_newer_version(proxy: FaultProxy, things: Things, rival: Things, fault: Fault) -> None:
    read = rival.add(Thing(thing_id=some_id(), title="old"))
    turn = lambda: rival.save(read.evolve(title="theirs"))  # noqa: E731
    with proxy.planned(overtaken(fault, turn)), pytest.raises(StaleVersion) as error:
        things.save(read.evolve(title="mine"))
    assert error.value.stored.title == "theirs"


def test_ones_own_save_is_not_a_newer_version(proxy: FaultProxy, things: Things, rival: Things) -> None:
    read = rival.add(Thing(thing_id=some_id(), title="old"))
    with proxy.planned(in_turn(Fault.SERVER_ERROR_AFTER)):
        saved = things.save(read.evolve(title="mine"))
    assert saved == stored(rival, (read.thing_id, NOON))
    assert saved.version == 2


@pytest.mark.parametrize("fault", [Fault.RESET_AFTER, Fault.WRONG_CRC, Fault.HTML, Fault.SERVER_ERROR_AFTER])
def test_a_sum_is_sent_once_and_its_end_is_not_known(
    proxy: FaultProxy, things: Things, rival: Things, fault: Fault
) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0]))
    with proxy.planned(in_turn(fault)):
        with pytest.raises(OutcomeUnknown):
            things.update(key, Update(add={"amount": 1}))
        assert sum(proxy.done.values()) == 1
    assert stored(rival, key).amount == 1


def test_a_sum_that_was_only_refused_for_now_is_sent_again(proxy: FaultProxy, things: Things, rival: Things) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0]))
    with proxy.planned(in_turn(Fault.THROTTLED, Fault.CONFLICT)):
        assert things.update(key, Update(add={"amount": 1})).amount == 1
    with proxy.planned(in_turn(*[Fault.THROTTLED] * 3)), pytest.raises(Throttled):
        things.update(key, Update(add={"amount": 1}))
    assert stored(rival, key).amount == 1


@pytest.mark.parametrize(
    "faults",
    [
        (Fault.RESET_AFTER,),
        (Fault.CUT, Fault.RESET_AFTER),
        (Fault.RESET_AFTER, Fault.CONFLICT),
        (Fault.RESET_AFTER, Fault.CONFLICT, Fault.CONFLICT),
        (Fault.CONFLICT, Fault.WRONG_CRC),
        (Fault.RESET_BEFORE, Fault.CONFLICT, Fault.RESET_AFTER),
    ],
)
def test_a_transaction_of_sums_happens_exactly_once(
    proxy: FaultProxy, things: Things, rival: Things, faults: tuple[Fault, ...]
) -> None:
    here, there = (some_id(), NOON), (some_id(), NOON)
    for key in (here, there):
        rival.add(Thing(thing_id=key[0]))
    with proxy.planned(in_turn(*faults)):
        Transaction(
            things.store,
            things.updating(here, Update(add={"amount": -5})),
            things.updating(there, Update(add={"amount": 5})),
        ).commit()
    assert (stored(rival, here).amount, stored(rival, there).amount) == (-5, 5)


def test_a_transaction_of_sums_that_stays_unclear_must_not_be_repeated_blindly(
    proxy: FaultProxy, things: Things, rival: Things
) -> None:
    key = (some_id(), NOON)
    rival.add(Thing(thing_id=key[0]))
    with proxy.planned(in_turn(Fault.RESET_AFTER, *[Fault.CONFLICT] * TRIES)), pytest.raises(OutcomeUnknown):
        Transaction(things.store, things.updating(key, Update(add={"amount": 1}))).commit()
    with proxy.planned(in_turn(*[Fault.CONFLICT] * TRIES)), pytest.raises(Contention):
        Transaction(things.store, things.updating(key, Update(add={"amount": 1}))).commit()
    assert stored(rival, key).amount == 1


def test_a_transaction_with_a_token_can_be_repeated_by_its_caller(
    proxy: FaultProxy, things: Things, rival: Things
) -> None:
    key, token = (some_id(), NOON), some_id()
    rival.add(Thing(thing_id=key[0]))

    def commit() -> None:
        Transaction(things.store, things.updating(key, Update(add={"amount": 1})), token=token).commit()

    with proxy.planned(in_turn(*[Fault.RESET_AFTER] * 3)), pytest.raises(StoreUnavailable) as error:
        commit()
    assert error.value.retryable
    commit()
    assert stored(rival, key).amount == 1
