"""A demo host, a host row that points to it, people, and a worker that does what is launched."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from apps.accounts.entities import Role, User
from apps.accounts.repository import Users
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import AstExecution, PolicyResult
from apps.policy_runs.handler import PolicyRunHandler
from apps.policy_runs.registry import synchronise_registry
from apps.policy_runs.services import LaunchRequest, launch
from apps.policy_runs.stores import Stores, stores_on
from apps.policy_runs.verdicts import Patience
from apps.storage.connection import Store
from apps.terminal.demohost.book import demo_policies
from apps.terminal.demohost.host import DemoHost
from apps.terminal.entities import Host
from apps.terminal.session import Deadlines

PASSWORD = "DEMOPASS"
QUICK = Patience(
    deadlines=Deadlines(connect_seconds=2.0, screen_seconds=0.6, log_off_seconds=0.5),
    policy=3.0,
    retry=0.05,
    put_off=0.1,
    user_in_use=(0.2, 0.4),
)


def person(*roles: Role, name: str = "Olga Operator") -> User:
    return User(user_id=secrets.token_hex(8), email=f"{secrets.token_hex(4)}@example.org", name=name, roles=set(roles))


def good_policies(number: int) -> list[str]:
    """Policies of the book that the host answers for without a fault."""
    faulty = {"UNK", "LCK", "DRP", "HNG", "SLW", "ABN", "TMO", "TWO", "ERL", "MAL"}
    fine = [policy.policy_number for policy in demo_policies() if policy.policy_number[:3] not in faulty]
    return fine[:number]


def faulty_policy(prefix: str) -> str:
    """A policy of the book that triggers this fault."""
    return next(
        (policy.policy_number for policy in demo_policies() if policy.policy_number.startswith(prefix)),
        f"{prefix}000001",
    )


@pytest.fixture
async def demo_host() -> AsyncIterator[DemoHost]:
    host = DemoHost()
    await host.start()
    yield host
    await host.stop()


@pytest.fixture
def stores(store: Store) -> Stores:
    found = stores_on(store)
    synchronise_registry(found, asts=ASTS, now=datetime.now(UTC))
    return found


@pytest.fixture
def operator() -> User:
    return person(Role.OPERATOR)


def host_row(port: int, **changes: Any) -> Host:
    return Host(**{"host_name": "demo", "address": "127.0.0.1", "port": port, "use_tls": False, **changes})


@pytest.fixture
def launched(stores: Stores, demo_host: DemoHost, operator: User) -> Callable[..., AstExecution]:
    """Launch a run of these policies on the demo host."""

    def start(
        numbers: Sequence[str], *, user_id: str = "DEMO01", password: str = PASSWORD, **host: Any
    ) -> AstExecution:
        if stores.hosts.find("demo") is None:
            stores.hosts.add(host_row(demo_host.port, **host))
        request = LaunchRequest(ast_name="login", host_name="demo", numbers=tuple(numbers), key=secrets.token_hex(8))
        return launch(
            stores,
            actor=operator,
            request=request,
            credentials=Credentials(user_id, password),
            asts=ASTS,
            now=datetime.now(UTC),
        ).run

    return start


@pytest.fixture
def owner(store: Store, operator: User) -> User:
    """The operator, who is in the store and may sign in."""
    return Users(store).add(operator)


@pytest.fixture
def run(launched_offline: AstExecution, owner: User) -> AstExecution:
    """A run of two policies whose owner may sign in."""
    return launched_offline


@pytest.fixture
def launched_offline(stores: Stores, operator: User) -> AstExecution:
    """A run of two policies on a host that nobody will reach."""
    stores.hosts.add(host_row(9))
    request = LaunchRequest(ast_name="login", host_name="demo", numbers=("ABC123DEF", "ABC123DEG"), key="key-of-two")
    return launch(
        stores,
        actor=operator,
        request=request,
        credentials=Credentials("DEMO01", PASSWORD),
        asts=ASTS,
        now=datetime.now(UTC),
    ).run


@pytest.fixture
def handler(stores: Stores) -> PolicyRunHandler:
    return PolicyRunHandler(lambda: stores, patience=QUICK)


@pytest.fixture
def worked(handler: PolicyRunHandler, stores: Stores) -> Callable[[AstExecution], Awaitable[AstExecution]]:
    """Let a worker claim a run and work on it until it lets go; returns the run as it is then."""

    async def work(run: AstExecution, owner: str = "worker-1") -> AstExecution:
        assert await handler.work(run.execution_id, owner=owner, stop=asyncio.Event())
        return stores.executions.get(run.execution_id, consistent=True)

    return work


@pytest.fixture
def results(stores: Stores) -> Callable[[AstExecution], dict[str, PolicyResult]]:
    """Every result of a run with its screens, by policy number."""

    def read(run: AstExecution) -> dict[str, PolicyResult]:
        from apps.storage.conditions import Query  # noqa: PLC0415

        found = stores.results.stream(Query(partition=run.execution_id), consistent=True)
        return {result.policy_number: result for result in found}

    return read


@pytest.fixture(autouse=True)
def fresh_channel_layer() -> Iterator[None]:
    """The in-memory layer belongs to one event loop."""
    from channels.layers import channel_layers  # noqa: PLC0415

    channel_layers.backends.clear()
    yield
    channel_layers.backends.clear()
