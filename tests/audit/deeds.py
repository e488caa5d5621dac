"""What the services of the apps are driven with, and what is said of each deed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from apps.accounts import services as accounts
from apps.accounts.mail import LinkMailer
from apps.accounts.passwords import Passwords
from apps.accounts.repository import ApiTokens, Invitations, Users
from apps.accounts.throttle import Buckets, Throttle
from apps.audit.repository import AuditLog
from apps.jobs.entities import Control
from apps.policy_runs.hosts import add_host
from apps.policy_runs.services import control
from apps.storage.sessions import WebSessions
from apps.terminal.entities import Host
from tests.policy_runs.conftest import person

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
        self.as_by = {**self.recorded, "by": self.ada}
        self.invitations, self.mailer = Invitations(store), LinkMailer(site="https://rungs.example.org")
        self.nora = self.users.add(person(name="Nora New"))

    def token(self) -> Any:
        valid_for = timedelta(days=1)
        hashed = self.passwords.hashed(SECRETS[0])
        known = self.users.get(self.ada.user_id, consistent=True).evolve(password_hash=hashed)
        proof = {"password": SECRETS[0], "address": ADDRESS, "throttle": self.throttle, "passwords": self.passwords}
        return accounts.create_token(self.tokens, user=known, name="ci", valid_for=valid_for, **proof, **self.recorded)

    def link(self) -> Any:
        return accounts.show_link(self.invitations, user=self.nora, **self.as_by)

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
    by: str = "Ada Admin"


def of_run(world: World) -> str:
    return f"AstExecutions#{world.run.execution_id}"


def of_ada(world: World) -> str:
    return f"Users#{world.ada.user_id}"


def of_nora(world: World) -> str:
    return f"Users#{world.nora.user_id}"
