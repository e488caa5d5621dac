"""Every service that acts for somebody, driven once: its entry says who did what, when and from where, without secrets.

What records is found by its signature: it is given an actor, or the audit log. A new one fails here until it is driven.
"""

import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any

import pytest

import apps
from apps.accounts import services as accounts
from apps.accounts.entities import Role
from apps.accounts.passwords import Passwords
from apps.accounts.repository import ApiTokens, Users
from apps.accounts.throttle import Buckets, Throttle
from apps.audit.entities import BLANK
from apps.audit.repository import AuditLog, Selection
from apps.jobs.entities import Control
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import PolicyStatus
from apps.policy_runs.hosts import add_host, change_host, remove_host
from apps.policy_runs.looks import note_export as note_run_export
from apps.policy_runs.looks import note_screens_seen
from apps.policy_runs.registry import switch_ast, synchronise_registry
from apps.policy_runs.services import LaunchRequest, control, launch
from apps.storage.sessions import WebSessions
from apps.terminal.entities import Host
from apps.trail.services import EXPORTS, note_export
from tests.policy_runs.web import member

NOW = datetime.now(UTC).replace(microsecond=0)
ADDRESS = "192.0.2.1"
SECRETS = ("hunter2-hunter2", "correct horse battery", "HOSTPASS")


@dataclass
class World:
    """Who acts, on what there is; every service is called as the pages call it."""

    stores: Any
    run: Any
    ada: Any
    olga: Any

    def __post_init__(self) -> None:
        store = self.stores.store
        self.users, self.tokens, self.audit = Users(store), ApiTokens(store), AuditLog(store)
        self.sessions, self.passwords = WebSessions(store), Passwords()
        self.throttle = Throttle(Buckets(store, clock=lambda: NOW))
        self.by = {"actor": self.ada.acting(ADDRESS), "now": NOW}
        self.recorded = {**self.by, "audit": self.audit}
        self.as_admin = {**self.recorded, "user": self.ada}

    def token(self) -> Any:
        valid_for = timedelta(days=1)
        return accounts.create_token(self.tokens, user=self.ada, name="ci", valid_for=valid_for, **self.recorded)

    def host(self) -> Host:
        return add_host(self.stores.hosts, host=HOST, **self.as_admin)

    def ast(self) -> Any:
        return self.stores.asts.get("login", consistent=True)

    def controlled(self, wish: Control, **more: Any) -> None:
        control(self.stores, actor=self.ada, key=self.run.execution_id, wish=wish, now=NOW, address=ADDRESS, **more)


HOST = Host(host_name="new-1", address="192.0.2.9", port=992)


@dataclass(frozen=True)
class Deed:
    """Something that a service does, and the entry that it must leave."""

    service: Callable[..., Any]
    done: Callable[[World], Any]
    object: Callable[[World], str]
    action: str
    before: Any = None
    after: Any = None


def of_run(world: World) -> str:
    return f"AstExecutions#{world.run.execution_id}"


def of_ada(world: World) -> str:
    return f"Users#{world.ada.user_id}"


def of_host(_: World) -> str:
    return "Hosts#new-1"


def of_ast(_: World) -> str:
    return "AstRegistry#login"


def made_user(w: World) -> None:
    made = accounts.create_user(
        w.users, email="n@example.org", name="Nora", roles={Role.VIEWER}, password=SECRETS[0], passwords=w.passwords,
        **w.recorded,
    )  # fmt: skip
    w.made = f"Users#{made.user_id}"  # type: ignore[attr-defined]


def changed_password(w: World) -> None:
    known = w.users.save(w.ada.evolve(password_hash=w.passwords.hashed(SECRETS[0])))
    accounts.change_password(
        w.users, user=known, current=SECRETS[0], new=SECRETS[1], address=ADDRESS, throttle=w.throttle,
        passwords=w.passwords, sessions=w.sessions, **w.recorded,
    )  # fmt: skip


def launched(w: World) -> None:
    request = LaunchRequest(ast_name="login", host_name="demo", numbers=("ABC123DEF",), key="again")
    w.run = launch(
        w.stores, actor=w.ada, request=request, credentials=Credentials("U", SECRETS[2]), asts=ASTS, now=NOW,
        address=ADDRESS,
    ).run  # fmt: skip


def resumed(w: World) -> None:
    w.controlled(Control.PAUSE)
    w.controlled(Control.RUN, credentials=Credentials("U", SECRETS[2]))


def removed(w: World) -> None:
    remove_host(w.stores.hosts, host=w.host(), **w.as_admin)


def synchronised(w: World) -> None:
    w.stores.asts.delete("login")
    synchronise_registry(w.stores, asts=ASTS, now=NOW)


def seen(w: World) -> None:
    note_screens_seen(w.stores, run=w.run, policy_number="ABC123DEF", **w.by)


WAITING = {"status": "pending", "control": "run"}
DEEDS = [
    Deed(accounts.create_user, made_user, lambda w: w.made, "user.created", {}, {"roles": ["viewer"]}),  # type: ignore[attr-defined]
    Deed(
        accounts.deactivate,
        lambda w: accounts.deactivate(w.users, user=w.olga, sessions=w.sessions, **w.recorded),
        lambda w: f"Users#{w.olga.user_id}",
        "user.deactivated",
        {"is_active": True},
        {"is_active": False},
    ),
    Deed(accounts.change_password, changed_password, of_ada, "user.password_changed", {}, {}),
    Deed(
        accounts.sign_out_everywhere,
        lambda w: accounts.sign_out_everywhere(w.users, user=w.ada, sessions=w.sessions, **w.recorded),
        of_ada,
        "user.signed_out_everywhere",
    ),
    Deed(accounts.create_token, lambda w: w.token(), of_ada, "user.token_created", {}, {"name": "ci"}),
    Deed(
        accounts.revoke_token,
        lambda w: accounts.revoke_token(w.tokens, user=w.ada, token_hash=w.token().token.token_hash, **w.recorded),
        of_ada,
        "user.token_revoked",
        {"name": "ci"},
        {},
    ),
    Deed(add_host, lambda w: w.host(), of_host, "host.added", {}, {"port": 992}),
    Deed(
        change_host,
        lambda w: change_host(w.stores.hosts, before=(host := w.host()), after=host.evolve(port=993), **w.as_admin),
        of_host,
        "host.changed",
        {"port": 992},
        {"port": 993},
    ),
    Deed(remove_host, removed, of_host, "host.deleted", {"port": 992}, {}),
    Deed(
        switch_ast,
        lambda w: switch_ast(w.stores.asts, ast=w.ast(), enabled=False, **w.as_admin),
        of_ast,
        "ast.switched_off",
        {"enabled": True},
        {"enabled": False},
    ),
    Deed(synchronise_registry, synchronised, of_ast, "ast.added", {}, {"ast_version": ASTS["login"].version}),
    Deed(launch, launched, of_run, "run.launched", {}, {"ast": "login", "host": "demo", "policies": 1}),
    Deed(control, lambda w: w.controlled(Control.PAUSE), of_run, "run.pause", WAITING, {"control": "pause"}),
    Deed(control, resumed, of_run, "run.run", {"status": "paused"}, {"control": "run", "signs_on": "as given anew"}),
    Deed(control, lambda w: w.controlled(Control.CANCEL), of_run, "run.cancel", WAITING, {"control": "cancel"}),
    Deed(note_screens_seen, seen, of_run, "run.screens_seen", {}, {"first_policy_number": "ABC123DEF"}),
    Deed(
        note_run_export,
        lambda w: note_run_export(w.stores, run=w.run, status=PolicyStatus.FAILED, **w.by),
        of_run,
        "run.exported",
        {},
        {"results": "failed"},
    ),
    Deed(
        note_export,
        lambda w: note_export(w.audit, selection=Selection(actor_id="u-1"), most=10, **w.by),
        lambda _: EXPORTS,
        "audit.exported",
        {},
        {"actor_id": "u-1", "at_most": 10},
    ),
]
BY_A_COMMAND = {"ast.added"}
BY_SETUP = {"apps.policy_runs.registry.synchronise_registry"}
# Who acts is given, or the log, for another reason.
RECORD_NOTHING = {
    "apps.policy_runs.access.visible_run": "looking at a run's state is no look at its screens",
    "apps.policy_runs.access.controllable_run": "the service that controls it records",
    "apps.accounts.demo.seed_demo_users": "by create_user",
}


def recording_services() -> set[str]:
    """The public functions of the apps that are given an actor or the audit log by keyword."""
    found = set()
    for info in pkgutil.walk_packages(apps.__path__, "apps."):
        if ".management" in info.name or ".migrations" in info.name:
            continue
        for name, function in inspect.getmembers(import_module(info.name), inspect.isfunction):
            if function.__module__ == info.name and not name.startswith("_"):
                given = set(inspect.signature(function).parameters)
                if (given & {"actor", "audit"} and "now" in given) or {"actor", "stores"} <= given:
                    found.add(f"{info.name}.{name}")
    return found


@pytest.fixture
def world(store: Any, stores: Any, run: Any, owner: Any) -> World:
    return World(stores, run, member(store, Role.ADMIN, name="Ada Admin"), owner)


def test_every_service_that_records_is_driven_here() -> None:
    driven = {f"{deed.service.__module__}.{deed.service.__name__}" for deed in DEEDS}
    assert recording_services() - set(RECORD_NOTHING) == driven - BY_SETUP


@pytest.mark.parametrize("deed", DEEDS, ids=[deed.action for deed in DEEDS])
def test_it_is_recorded_by_object_and_by_actor(world: World, deed: Deed) -> None:
    deed.done(world)
    newest = {entry.action: entry for entry in reversed(world.audit.of(deed.object(world)).items)}
    entry = newest[deed.action]
    if deed.action in BY_A_COMMAND:
        assert entry.actor_id == "command:setup_tables"
    else:
        assert (entry.actor_id, entry.actor_name) == (world.ada.user_id, "Ada Admin")
        assert (entry.address, entry.at) == (ADDRESS, NOW)
        assert deed.action in {one.action for one in world.audit.by(world.ada.user_id).items}
    for told, found in ((deed.before, entry.before), (deed.after, entry.after)):
        if told == {}:
            assert found == {}
        assert (told or {}).items() <= found.items()


def test_no_entry_holds_a_secret(world: World) -> None:
    for deed in DEEDS:
        if deed.service in {accounts.create_user, accounts.change_password, launch, accounts.create_token}:
            deed.done(world)
    resumed(world)
    stored = str(world.stores.store.client.scan(TableName=world.stores.store.physical(AuditLog.table))["Items"])
    assert "user.created" in stored
    assert not [secret for secret in (*SECRETS, "rungs_", "argon2", "DEMOPASS") if secret in stored]


def test_what_is_called_like_a_secret_is_blanked_wherever_it_is(world: World) -> None:
    written = world.audit.recording(
        "Things#1", action="thing.changed", actor=world.ada.acting(), at=NOW, after={"hosts": [{"password": "x"}]}
    )
    assert BLANK in str(written.request)
