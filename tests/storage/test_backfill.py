"""Whole tables are brought to today's form: whatever stops it, whoever else writes, and with a list of what failed."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

from apps.storage.conditions import Update
from apps.storage.connection import Store
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Expiry
from apps.storage.errors import StoreUnavailable
from apps.storage.metering import metering
from apps.storage.repository import Repository
from apps.storage.table import Key, Table
from apps.storage.tables import CHECKPOINTS, POINTERS
from apps.storage.upkeep import backfill
from apps.storage.upkeep.backfill import Checkpoint, Checkpoints, Upgrading, sweep
from tests.storage.engines import run, using
from tests.storage.shared import Endpoints, emptied

ROOT = Path(__file__).resolve().parents[2]
NUMBER = 23
KILLED_AT = 8


def upgrade(item: dict[str, Any]) -> dict[str, Any]:
    """One text where there had been a title and a body."""
    if item.get("title") == "broken":
        raise ValueError("this title cannot be upgraded")
    title, body = item.pop("title"), item.pop("body")
    return {**item, "text": f"{title}: {body}"}


class OldNote(Entity):
    name: str
    title: str
    body: str
    edited: int = 0


class Note(Entity):
    upgrades = (upgrade,)

    name: str
    text: str
    edited: int = 0


class OldNotes(Repository[OldNote]):
    entity = OldNote
    table = POINTERS


class Notes(Repository[Note]):
    entity = Note
    table = POINTERS
    noun = "note"


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "ITEMS_A_PAGE", 5)


@pytest.fixture
def notes(engine_endpoint: Endpoints) -> Notes:
    """23 notes as the last release wrote them."""
    store = emptied(engine_endpoint(EngineKind.DYNOXIDE), POINTERS, CHECKPOINTS)
    OldNotes(store).put_many(OldNote(name=f"n{number:02}", title="t", body=str(number)) for number in range(NUMBER))
    return Notes(store)


def raw(notes: Notes) -> list[dict[str, Any]]:
    answer = notes.store.client.scan(TableName=notes.store.physical(POINTERS), ConsistentRead=True)
    return sorted(answer["Items"], key=lambda item: str(item["name"]))  # type: ignore[return-value]


def are_all_new(notes: Notes) -> bool:
    return [(item["text"]["S"], item["schema_version"]["N"]) for item in raw(notes)] == [
        (f"t: {number}", "2") for number in range(NUMBER)
    ]


def checkpoint(notes: Notes) -> Checkpoint | None:
    return Checkpoints(notes.store).find("backfill Pointers.Note", consistent=True)


def test_every_old_item_is_written_in_todays_form_and_new_ones_are_left_alone(notes: Notes) -> None:
    notes.save(notes.get("n03"))
    before = raw(notes)[3]
    done = sweep(notes, Upgrading())
    assert (done.looked_at, done.written, done.failed, done.pages) == (NUMBER, NUMBER - 1, 0, 5)
    assert are_all_new(notes)
    assert raw(notes)[3] == before
    assert raw(notes)[4] == {
        "name": {"S": "n04"},
        "text": {"S": "t: 4"},
        "edited": {"N": "0"},
        "version": {"N": "2"},
        "schema_version": {"N": "2"},
    }
    again = sweep(notes, Upgrading())
    assert (again.looked_at, again.written) == (NUMBER, 0)


def test_what_the_entity_does_not_declare_stays(notes: Notes) -> None:
    notes.store.client.update_item(
        TableName=notes.store.physical(POINTERS),
        Key={"name": {"S": "n00"}},
        UpdateExpression="SET theirs = :map",
        ExpressionAttributeValues={":map": {"M": {"a": {"L": [{"N": "1.5"}, {"B": b"x"}, {"NULL": True}]}}}},
    )
    sweep(notes, Upgrading())
    assert raw(notes)[0]["theirs"] == {"M": {"a": {"L": [{"N": "1.5"}, {"B": b"x"}, {"NULL": True}]}}}


def test_a_dry_run_tells_what_would_happen_and_writes_nothing(notes: Notes) -> None:
    OldNotes(notes.store).put_many([OldNote(name="n05", title="broken", body="")])
    before = raw(notes)
    told = sweep(notes, Upgrading(), dry_run=True)
    assert (told.written, told.failed) == (NUMBER - 1, 1)
    assert raw(notes) == before
    assert checkpoint(notes) is None


def test_what_fails_is_listed_with_its_key_and_reason_and_the_rest_is_done(notes: Notes) -> None:
    old = OldNotes(notes.store)
    old.put_many([OldNote(name="n05", title="broken", body="")])
    notes.store.client.put_item(
        TableName=notes.store.physical(POINTERS), Item={"name": {"S": "n06"}, "title": {"S": "t"}}
    )
    newer = {"name": {"S": "n07"}, "text": {"S": "from tomorrow"}, "schema_version": {"N": "9"}}
    notes.store.client.put_item(TableName=notes.store.physical(POINTERS), Item=newer)
    odd = {"name": {"S": "n08"}, "title": {"S": "t"}, "body": {"S": "b"}, "edited": {"S": "private"}}
    notes.store.client.put_item(TableName=notes.store.physical(POINTERS), Item=odd)

    done = sweep(notes, Upgrading())

    assert (done.written, done.failed) == (NUMBER - 4, 4)
    reasons = {failure.key: failure.reason for failure in done.failures}
    assert reasons["name=n05"] == "ValueError: this title cannot be upgraded"
    assert reasons["name=n06"] == "KeyError: 'body'"
    assert "this release knows 2" in reasons["name=n07"]
    assert reasons["name=n08"].startswith("edited: ")
    assert "private" not in str(done)
    kept = checkpoint(notes)
    assert kept is not None
    assert kept.failures == done.failures
    assert [item for item in raw(notes) if item["name"]["S"] in {"n07", "n08"}] == [newer, odd]


def test_only_so_many_failures_are_kept_and_all_are_counted(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "FAILURES_KEPT", 3)
    OldNotes(notes.store).put_many(OldNote(name=f"n{number:02}", title="broken", body="") for number in range(NUMBER))
    done = sweep(notes, Upgrading())
    assert (done.failed, len(done.failures)) == (NUMBER, 3)


def after_pages(number: int) -> Callable[[Checkpoint], None]:
    """Stops a sweep as Ctrl-C would, after so many pages."""

    def tell(at: Checkpoint) -> None:
        if at.pages == number:
            raise KeyboardInterrupt

    return tell


def test_stopped_it_goes_on_after_its_last_page(notes: Notes) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep(notes, Upgrading(), tell=after_pages(2))
    with metering() as cost:
        done = sweep(notes, Upgrading())
    assert (cost.count("scan"), done.looked_at, done.written) == (3, NUMBER, NUMBER)
    assert are_all_new(notes)


def test_told_to_restart_it_begins_afresh(notes: Notes) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep(notes, Upgrading(), tell=after_pages(2))
    done = sweep(notes, Upgrading(), restart=True)
    assert (done.pages, done.looked_at, done.written) == (5, NUMBER, NUMBER - 10)


def test_a_checkpoint_of_another_aim_is_of_no_use(notes: Notes, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(KeyboardInterrupt):
        sweep(notes, Upgrading(), tell=after_pages(2))
    monkeypatch.setattr(Upgrading, "goal", lambda *_: "schema version 3")
    assert sweep(notes, Upgrading()).looked_at == NUMBER


class Meddled(Store):
    """A store in which something happens just before each of the first writes of items."""

    def __init__(self, like: Store, *happenings: Callable[[], object]) -> None:
        super().__init__(environment=like.environment, prefix=like.prefix, endpoint=like.endpoint, region="eu-west-1")
        self.happenings = list(happenings)

    def call(self, operation: str, **request: Any) -> dict[str, Any]:
        if operation == "put_item" and self.happenings:
            self.happenings.pop(0)()
        return super().call(operation, **request)


def test_an_edit_between_reading_and_writing_is_not_lost(notes: Notes) -> None:
    old = OldNotes(notes.store)
    first = raw_order(notes)[0]

    def edit() -> None:
        old.update(first, Update(add={"edited": 1}))

    done = sweep(Notes(Meddled(notes.store, edit, edit)), Upgrading())
    assert (done.written, done.failed) == (NUMBER, 0)
    assert notes.get(first).edited == 2
    assert are_all_new(notes)


def test_an_item_deleted_or_upgraded_meanwhile_is_left_at_that(notes: Notes) -> None:
    first, second = raw_order(notes)[:2]
    delete = lambda: OldNotes(notes.store).delete(first)  # noqa: E731
    save = lambda: notes.save(notes.get(second).evolve(text="mine"))  # noqa: E731
    done = sweep(Notes(Meddled(notes.store, delete, save)), Upgrading())
    assert (done.written, done.failed) == (NUMBER - 2, 0)
    assert notes.find(first) is None
    assert notes.get(second).text == "mine"


def raw_order(notes: Notes) -> list[str]:
    """Keys in the order in which a scan gives them."""
    answer = notes.store.client.scan(TableName=notes.store.physical(POINTERS), ConsistentRead=True)
    return [str(item["name"]["S"]) for item in answer["Items"]]


def test_a_store_that_fails_stops_it_where_it_was(notes: Notes) -> None:
    def fail() -> None:
        raise StoreUnavailable("The store is away.")

    quiet: list[Callable[[], object]] = [lambda: None] * 12
    with pytest.raises(StoreUnavailable, match="away"):
        sweep(Notes(Meddled(notes.store, *quiet, fail)), Upgrading())
    kept = checkpoint(notes)
    assert kept is not None
    assert (kept.pages, kept.finished_at) == (2, None)
    assert sweep(notes, Upgrading()).failed == 0
    assert are_all_new(notes)


def test_two_at_once_do_no_harm(notes: Notes, in_threads: Any) -> None:
    done: list[Checkpoint] = []
    in_threads(2, lambda _: done.append(sweep(Notes(notes.store), Upgrading(), restart=True)))
    assert sum(one.written for one in done) == NUMBER
    assert sum(one.failed for one in done) == 0
    assert are_all_new(notes)
    assert {item["version"]["N"] for item in raw(notes)} == {"2"}


def test_the_rate_bounds_what_is_written_a_second(notes: Notes) -> None:
    started = time.monotonic()
    sweep(notes, Upgrading(), rate=100)
    assert time.monotonic() - started >= (NUMBER - 1) / 100


def test_the_key_of_an_item_cannot_be_upgraded(notes: Notes) -> None:
    class Renamed(Note):
        upgrades = (lambda item: {**upgrade(item), "name": "another"},)

    class AllRenamed(Repository[Renamed]):
        entity = Renamed
        table = POINTERS

    done = sweep(AllRenamed(notes.store), Upgrading())
    assert (done.written, done.failed) == (0, NUMBER)
    assert done.failures[0].reason == "ValueError: an upgrade must not change the key of an item"


MIXED = Table(name="Mixed", partition_key=Key("PK"), ttl="expires_at")


class Post(Entity):
    derived: ClassVar[Mapping[str, str]] = {"PK": "POST#{number}"}
    upgrades = (lambda item: {**item, "stars": 1},)

    number: str
    stars: int = 0
    expires_at: Expiry | None = None


class Posts(Repository[Post]):
    entity = Post
    table = MIXED


def test_items_of_other_kinds_and_expired_ones_are_passed_over(engine_endpoint: Endpoints) -> None:
    store = emptied(engine_endpoint(EngineKind.DYNOXIDE), MIXED, CHECKPOINTS)
    gone = str(int((datetime.now(UTC) - timedelta(hours=1)).timestamp()))
    items: list[dict[str, Any]] = [
        {"PK": {"S": "POST#1"}, "number": {"S": "1"}},
        {"PK": {"S": "POST#2"}, "number": {"S": "2"}, "expires_at": {"N": gone}},
        {"PK": {"S": "BLOG#1"}, "title": {"S": "not ours"}},
    ]
    for item in items:
        store.client.put_item(TableName=store.physical(MIXED), Item=item)
    done = sweep(Posts(store), Upgrading())
    assert (done.looked_at, done.written, done.failed) == (2, 1, 0)
    assert Posts(store).get("POST#1").stars == 1


SWEEPING = """
import sys, django
django.setup()
from apps.storage.upkeep import backfill
from apps.storage.connection import Store
from tests.storage.test_backfill import Notes
backfill.ITEMS_A_PAGE = 5
store = Store(environment="dev", prefix=sys.argv[1], endpoint=sys.argv[2], region="eu-west-1")
backfill.sweep(Notes(store), backfill.Upgrading(), rate=20, tell=lambda at: print(at.pages, flush=True))
"""


def test_killed_in_the_middle_it_goes_on_where_it_was(notes: Notes) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SWEEPING, notes.store.prefix, str(notes.store.endpoint)],
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "project.settings"},
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == "1\n"
        while sum("schema_version" in item for item in raw(notes)) < KILLED_AT:  # in the middle of the second page
            assert process.poll() is None
        process.kill()
    assert process.returncode == -9
    kept = checkpoint(notes)
    assert kept is not None
    assert (kept.pages, kept.looked_at) == (1, 5)
    with metering() as cost:
        done = sweep(notes, Upgrading())
    assert (done.failed, done.looked_at, cost.count("scan")) == (0, NUMBER, 4)
    assert are_all_new(notes)
    assert {item["version"]["N"] for item in raw(notes)} == {"2"}


# --- the command


@pytest.fixture
def command(notes: Notes, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Any]]:
    """`manage.py backfill` of a deployment whose notes alone have upgrades."""
    monkeypatch.setattr("apps.storage.registry.declared_repositories", lambda: (Notes, OldNotes))
    with using(notes.store, settings):
        yield lambda *arguments: run("backfill", *arguments)


def test_the_command_says_what_it_reads_and_what_it_did(command: Any, notes: Notes) -> None:
    ran = command("Pointers")
    assert (ran.code, ran.err) == (0, "")
    lines = ran.out.splitlines()
    assert lines[0] == f"Reading all of {notes.store.physical(POINTERS)}, page by page ..."
    assert lines[1] == "  page 1: 5 looked at, 5 upgraded, 0 failed"
    assert lines[-2] == "Pointers.Note: 23 looked at, 23 upgraded, 0 failed"
    assert lines[-1].startswith("23 items upgraded, 0 failed, in ")
    assert are_all_new(notes)


def test_the_command_lists_what_failed_and_ends_with_2_where_the_rest_was_done(command: Any, notes: Notes) -> None:
    OldNotes(notes.store).put_many([OldNote(name="n05", title="broken", body="")])
    dry = command("--dry-run", "--json")
    assert (dry.code, dry.json["dryRun"], dry.json["tasks"][0]["written"]) == (2, True, NUMBER - 1)
    ran = command("Pointers.Note", "--rate", "1000", "--quiet")
    assert ran.code == 2
    assert ran.err == "    name=n05: ValueError: this title cannot be upgraded\n"
    again = command("--json")
    assert again.code == 1  # nothing but failures is left
    (task,) = again.json["tasks"]
    assert (task["table"], task["entity"], task["goal"]) == ("Pointers", "Note", "schema version 2")
    assert (task["lookedAt"], task["written"], task["failed"]) == (NUMBER, 0, 1)
    assert task["failures"] == [{"key": "name=n05", "reason": "ValueError: this title cannot be upgraded"}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["Pointer"], "No kind of item is called Pointer; did you mean Pointers?"),
        (["Pointers.Nothing"], "No kind of item is called Pointers.Nothing"),
        (["--rate", "0"], "'0' is no number of items a second"),
        (["--rate", "fast"], "'fast' is no number of items a second"),
    ],
)
def test_wrong_usage_is_told_in_a_sentence(command: Any, arguments: list[str], told: str) -> None:
    ran = command(*arguments)
    assert ran.code == 1
    assert told in ran.err


def test_without_upgrades_there_is_nothing_to_do(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.storage.registry.declared_repositories", lambda: (OldNotes,))
    ran = command()
    assert (ran.code, ran.out) == (0, "No kind of item has upgrades: there is nothing to do.\n")
