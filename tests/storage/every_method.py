"""Every method of the layer that talks to the store, once, and every one that must not."""

import importlib
import inspect
import pkgutil
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar
from unittest.mock import patch

from django.core.signing import TimestampSigner

import apps.storage
from apps.storage import connection, sessions
from apps.storage.collection import Collection
from apps.storage.conditions import Query, Update, attribute
from apps.storage.connection import Store
from apps.storage.entity import Entity, Unique
from apps.storage.errors import Duplicate
from apps.storage.items.codec import Codec
from apps.storage.repository import Repository
from apps.storage.requests.reading import Reader
from apps.storage.sessions import SessionStore, WebSessions
from apps.storage.table import Key, Table
from apps.storage.tables import CHECKPOINTS, TRASH, UNIQUES, WEB_SESSIONS
from apps.storage.transaction import Transaction, read_together
from apps.storage.trash import Trash
from apps.storage.unique import Guards
from apps.storage.upkeep.backfill import pages_of, sweep
from apps.storage.upkeep.reencrypt import count_former, passes
from apps.storage.upkeep.repair import check_guards
from tests.storage.things import THINGS, Thing, Things

NOW = datetime.now(UTC).replace(microsecond=0)
THING = Thing(thing_id="anvil-7", made_at=NOW, title="first", owner="ada", queue="q")
KEY = ("anvil-7", NOW)
ADAS = attribute("owner").equals("ada")
NEW = Thing(thing_id="new", made_at=NOW, title="new")


class Tool(Entity):
    """Something with a name of its own, which is kept for a while when it is deleted."""

    unique: ClassVar[tuple[Unique, ...]] = (Unique("name"),)
    kept_deleted: ClassVar[timedelta | None] = timedelta(days=1)

    tool_id: str
    name: str


TOOLS = Table(name="Tools", partition_key=Key("tool_id"))


class Tools(Repository[Tool]):
    entity = Tool
    table = TOOLS
    noun = "tool"


TABLES = (THINGS, TOOLS, UNIQUES, TRASH, WEB_SESSIONS, CHECKPOINTS)


class Polishing:
    """A change to every tool that nobody has written a second time."""

    verb = "polish"

    def goal(self, _: Codec[Any]) -> str:
        return "version 2"

    def is_due(self, _: Codec[Any], item: dict[str, Any]) -> bool:
        return item["version"] == {"N": "1"}

    def remade(self, _: Codec[Any], item: dict[str, Any]) -> dict[str, Any]:
        return dict(item)


class World:
    """Everything there is to ask, on one store."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.things = Things(store, clock=lambda: NOW)
        self.tools = Tools(store, clock=lambda: NOW)
        self.guards = Guards(store, clock=lambda: NOW)
        self.trash = Trash(store, clock=lambda: NOW)
        self.web_sessions = WebSessions(store, clock=lambda: NOW)

    def session(self, key: str | None = "k" * 32) -> SessionStore:
        with patch.object(connection, "_default", self.store):
            return SessionStore(key)

    def furnish(self) -> None:
        """What every call finds."""
        self.things.put_many([THING, *(THING.evolve(made_at=NOW + timedelta(seconds=n)) for n in (1, 2))])
        for name in ("hammer", "saw"):
            self.tools.add(Tool(tool_id=name, name=name.title()))
        self.tools.delete("saw")
        session = self.session()
        session._session_cache = {"user_id": "ada"}  # nothing is stored under its key yet, and must not be looked for
        session.save(must_create=True)

    def saved_session(self) -> SessionStore:
        session = self.session()
        session.update({"user_id": "ada", "colour": "blue"})
        return session


@dataclass(frozen=True)
class Case:
    """How a method is called.

    `changes` is whether it writes. `once` is whether its one write must not be sent again after an unclear end; one
    that `sums` in a transaction is sent again under its token, but must not be repeated by the caller when that failed
    too. One that `claims` cannot tell its own lost success from another's, and says so. One that `notes` contention
    goes on without what it could not change.
    """

    call: Callable[[World], Any]
    changes: bool = False
    once: bool = False
    sums: bool = False
    claims: bool = False
    notes: bool = False


def _reads(call: Callable[[World], Any]) -> Case:
    return Case(call)


def _writes(call: Callable[[World], Any], **more: bool) -> Case:
    return Case(call, changes=True, **more)


def _commit(world: World, *writes: Any, token: str | None = None) -> None:
    Transaction(world.store, *writes, token=token).commit()


# By class and name, or module and name; what follows a blank tells several ways to call it apart.
CASES: dict[str, Case] = {
    "Reader.get": _reads(lambda w: w.things.get(KEY, consistent=True)),
    "Reader.find": _reads(lambda w: w.things.find(KEY)),
    "Reader.get_many": _reads(lambda w: w.things.get_many([KEY, ("no", NOW)])),
    "Reader.page": _reads(lambda w: w.things.page(Query(partition="anvil-7"), limit=2)),
    "Reader.page filtered": _reads(
        lambda w: w.things.page(Query(partition="anvil-7", filter=attribute("owner").equals("ada")), limit=2)
    ),
    "Reader.page_of": _reads(
        lambda w: w.things.page_of(
            Query(partition="anvil-7"), lambda item: item["madeAt"], limit=2, cursor=None, budget=10
        )
    ),
    "Reader.stream": _reads(lambda w: list(w.things.stream(Query(partition="ada", index="owner-index")))),
    "Reader.leaf": _reads(lambda w: len(w.things.leaf(limit=3))),
    "Reader.leafed": _reads(lambda w: len(w.things.leafed(limit=3).items)),
    "Reader.keys": _reads(lambda w: w.things.keys(Query(partition="q", index="queue-index"), limit=2)),
    "Reader.count": _reads(lambda w: w.things.count(Query(partition="anvil-7"), cap=10)),
    "Writer.sweep": _reads(lambda w: [len(items) for items, _ in w.things.sweep()]),
    "Writer.bring_up_to_date": _reads(lambda w: w.things.bring_up_to_date(w.things.key(KEY))),
    "Repository.add": _writes(lambda w: w.things.add(NEW)),
    "Repository.add guarded": _writes(lambda w: w.tools.add(Tool(tool_id="axe", name="Axe"))),
    "Repository.save": _writes(lambda w: w.things.save(THING.at_version(1).evolve(title="other"))),
    "Repository.save guarded": _writes(lambda w: w.tools.save(w.tools.get("hammer").evolve(name="Mallet"))),
    "Repository.update": _writes(lambda w: w.things.update(KEY, Update(set={"text": "longer"})).text),
    "Repository.update claiming": _writes(
        lambda w: w.things.update(KEY, Update(set={"owner": "bob"}), condition=ADAS), claims=True
    ),
    "Repository.update claiming with a name": _writes(
        lambda w: w.things.update(KEY, Update(set={"owner": "bob"}), condition=ADAS, mine=["owner"])
    ),
    "Repository.update adding": _writes(lambda w: w.things.update(KEY, Update(add={"amount": 1})), once=True),
    "Repository.update appending": _writes(lambda w: w.things.update(KEY, Update(append={"notes": ["x"]})), once=True),
    "Repository.delete": _writes(lambda w: w.things.delete(KEY)),
    "Repository.delete conditional": _writes(lambda w: w.things.delete(KEY, condition=ADAS)),
    "Repository.delete entity": _writes(lambda w: w.things.delete(THING.at_version(1))),
    "Repository.delete guarded": _writes(lambda w: w.tools.delete("hammer")),
    "Repository.restore": _writes(lambda w: w.tools.restore("saw")),
    "Repository.find_unique": _reads(lambda w: w.tools.find_unique("name", "Hammer")),
    "Repository.put_many": _writes(lambda w: w.things.put_many([NEW, *(_numbered(n) for n in range(5))])),
    "Repository.delete_many": _writes(lambda w: w.things.delete_many([KEY, ("anvil-7", NOW + timedelta(seconds=1))])),
    "Repository.saving": _reads(lambda w: w.tools.saving(Tool(tool_id="hammer", name="Mallet", version=1)).key),
    "Repository.deleting": _reads(lambda w: w.tools.deleting(Tool(tool_id="hammer", name="Hammer", version=1)).key),
    "Transaction.commit": _writes(
        lambda w: _commit(w, w.things.adding(NEW), w.tools.adding(Tool(tool_id="axe", name="Axe")))
    ),
    "Transaction.commit sums": _writes(
        lambda w: _commit(w, w.things.updating(KEY, Update(add={"amount": 1}))), sums=True
    ),
    "transaction.read_together": _reads(
        lambda w: read_together(w.store, w.things.reading(KEY), w.tools.reading("hammer"), w.tools.reading("none"))
    ),
    "Guards.owner": _reads(lambda w: w.guards.owner("Tools.name", "Hammer")),
    "Trash.of": _reads(lambda w: w.trash.of(TOOLS)),
    "repair.check_guards": _reads(lambda w: list(check_guards(w.tools, mend=True))),
    "Collection.gather": _reads(lambda w: Collection(w.store, Things).gather(Query(partition="anvil-7")).items),
    "backfill.sweep": _writes(lambda w: sweep(w.tools, Polishing()).written, notes=True),
    "backfill.pages_of": _reads(lambda w: [len(items) for items, _ in pages_of(w.tools)]),
    "reencrypt.count_former": _reads(lambda w: count_former(w.tools)),
    "WebSessions.of": _reads(lambda w: w.web_sessions.of("ada")),
    "WebSessions.end_all_of": _writes(lambda w: w.web_sessions.end_all_of("ada")),
    "SessionStore.exists": _reads(lambda w: w.session().exists("k" * 32)),
    "SessionStore.load": _reads(lambda w: w.session().load()),
    "SessionStore.peek": _reads(lambda w: w.session().peek()),
    "SessionStore.create": _writes(lambda w: w.session(None).create()),
    "SessionStore.cycle_key": _writes(lambda w: w.session().cycle_key()),
    "SessionStore.save": _writes(lambda w: w.saved_session().save()),
    "SessionStore.delete": _writes(lambda w: w.session().delete()),
}

# They only make values.
SILENT: dict[str, Callable[[World], Any]] = {
    "Reader.at": lambda w: w.tools.at(tool_id="x"),
    "Reader.fields_of": lambda w: w.tools.fields_of("x"),
    "Reader.where": lambda w: w.tools.where(tool_id="x"),
    "Reader.key": lambda w: w.things.key(KEY),
    "Writer.on_behalf_of": lambda w: w.things.on_behalf_of("ada"),
    "Writer.adding": lambda w: w.guards.adding(w.guards.entity(guard="g", owner="o")),
    "Writer.putting": lambda w: w.guards.putting(w.guards.entity(guard="g", owner="o")),
    "Writer.unchanged": lambda w: w.things.unchanged(THING),
    "Writer.saving": lambda w: w.guards.saving(w.guards.entity(guard="g", owner="o")),
    "Writer.updating": lambda w: w.guards.updating("g", Update(set={"owner": "o"})),
    "Writer.deleting": lambda w: w.guards.deleting("g"),
    "Writer.reading": lambda w: w.things.reading(KEY),
    "Writer.checking": lambda w: w.things.checking(KEY, attribute("owner").exists()),
    "Writer.key_of": lambda w: w.things.key_of(THING),
    "Writer.stamped": lambda w: w.things.stamped(THING),
    "Repository.adding": lambda w: w.tools.adding(Tool(tool_id="x", name="X")),
    "Repository.putting": lambda w: w.things.putting(THING),
    "Repository.updating": lambda w: w.things.updating(KEY, Update(add={"amount": 1})),
    "Transaction.include": lambda w: Transaction(w.store).include(w.things.adding(NEW)),
    "Guards.claiming": lambda w: w.guards.claiming("s", "v", owner="o", otherwise=Duplicate("Taken.")),
    "Guards.releasing": lambda w: w.guards.releasing("s", "v", owner="o"),
    "Collection.where": lambda w: Collection(w.store, Things).where(thing_id="x"),
    "reencrypt.passes": lambda w: len(passes(w.tools)),
    "SessionStore.clear_expired": lambda w: w.session().clear_expired(),
}

# Engines, tables and commands have tests of their own against what can go wrong with them.
APART = ("engine", "engine_package", "engine_supervisor", "management", "schema", "connection", "transport")


def _numbered(number: int) -> Thing:
    return THING.evolve(thing_id="many", amount=number, made_at=NOW + timedelta(seconds=number))


@contextmanager
def still_time() -> Iterator[None]:
    """Sessions made inside are alike."""
    with (
        patch.object(sessions, "_now", lambda: NOW),
        patch.object(sessions, "get_random_string", lambda *_: "r" * 32),
        patch.object(TimestampSigner, "timestamp", lambda _: "1"),
    ):
        yield


def methods_of_the_layer() -> set[str]:
    """Every public method and function that has a store, by class and name, or module and name."""
    found: set[str] = set()
    for info in pkgutil.walk_packages(apps.storage.__path__, "apps.storage."):
        name_within = info.name.removeprefix("apps.storage.")
        if name_within.split(".")[0] in APART or name_within.split(".")[-1] in APART:
            continue
        module = importlib.import_module(info.name)
        for name, thing in vars(module).items():
            if name.startswith("_") or getattr(thing, "__module__", None) != module.__name__:
                continue
            if inspect.isclass(thing) and _has_a_store(thing):
                found |= {f"{name}.{member}" for member, value in vars(thing).items() if _is_method(member, value)}
            elif inspect.isfunction(thing) and _takes_a_store(thing):
                found.add(f"{info.name.split('.')[-1]}.{name}")
    return found


def _has_a_store(kind: type) -> bool:
    return issubclass(kind, Reader | SessionStore) or _takes_a_store(kind.__init__)


def _takes_a_store(function: Any) -> bool:
    return any(
        re.search(r"\b(Store|Reader|Writer|Repository)\b", str(parameter.annotation))
        and "type[" not in str(parameter.annotation)
        for parameter in inspect.signature(function).parameters.values()
    )


def _is_method(name: str, value: Any) -> bool:
    is_code = inspect.isfunction(value) or isinstance(value, classmethod | staticmethod | property)
    return is_code and not name.startswith("_")
