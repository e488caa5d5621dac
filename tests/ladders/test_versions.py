"""Versions of the ladder: uploaded, put into force, and what must hold whatever happens meanwhile."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from threading import Barrier

import pytest

from apps.accounts.entities import Role, User
from apps.audit.repository import AuditLog
from apps.errors import Conflict, DomainError, Forbidden, Invalid, NotFound
from apps.ladders.demo import DEMO_LADDER, seed_demo_ladder
from apps.ladders.entities import LadderVersion
from apps.ladders.errors import LadderNotFound, OtherLadderActivated
from apps.ladders.parsing import parse_ladder
from apps.ladders.repository import ACTIVE_LADDER, LadderVersions
from apps.ladders.services import activate_ladder, next_version, upload_ladder
from apps.ladders.stores import stores_on
from apps.storage.errors import Duplicate
from apps.storage.pointers import Pointers
from tests.policy_runs.web import member
from tests.seasons import admin

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
SMALL = "# Craft\n\n## Design\n\n1. Does small things.\n\n   Asks first.\n\n2. Does larger ones.\n"


def uploaded(store, ada: User, ladder_version: str = "1.0.0", content: str = SMALL, note: str = "") -> LadderVersion:
    return upload_ladder(
        stores_on(store), content=content, ladder_version=ladder_version, note=note, actor=ada, now=NOW
    )


def activated(store, ada: User, version: LadderVersion, replaces: str | None = None) -> LadderVersion:
    return activate_ladder(stores_on(store), config_id=version.config_id, replaces=replaces, actor=ada, now=NOW)


def pointed_at(store) -> str:
    return Pointers(store).get(ACTIVE_LADDER, consistent=True).target


def those_active(store) -> list[str]:
    ladders = LadderVersions(store)
    every = [ladders.get(one.config_id, consistent=True) for one in ladders.listed().items]
    return [one.config_id for one in every if one.is_active]


def test_an_uploaded_version_is_kept_as_it_was_written_and_as_what_it_says(store):
    ada = admin(store)

    version = uploaded(store, ada, note=" First try ", content="\ufeff" + SMALL.replace("\n", "\r\n"))

    stored = LadderVersions(store).get(version.config_id, consistent=True)
    assert stored.config_content == SMALL
    assert stored.ladder == parse_ladder(SMALL)
    assert (stored.ladder_version, stored.note, stored.is_active) == ("1.0.0", "First try", False)
    assert (stored.created_by, stored.created_at) == (ada.user_id, NOW)
    assert LadderVersions(store).active() is None
    entry = AuditLog(store).of(f"ConfigVersions#{version.config_id}").items[0]
    assert (entry.action, entry.actor_id) == ("ladder.uploaded", ada.user_id)
    assert (entry.after["categories"], entry.after["competencies"]) == (1, 1)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"content": "no ladder"}, "content"),
        ({"ladder_version": "1.0"}, "ladder_version"),
        ({"ladder_version": "01.0.0"}, "ladder_version"),
        ({"ladder_version": ""}, "ladder_version"),
        ({"note": "n" * 501}, "note"),
    ],
    ids=["malformed", "two numbers", "a leading zero", "no version", "a long note"],
)
def test_what_is_refused_stores_nothing(store, changes, field):
    ada = admin(store)

    with pytest.raises(Invalid) as refused:
        uploaded(store, ada, **changes)

    assert refused.value.field == field
    assert not LadderVersions(store).listed().items
    assert not AuditLog(store).by(ada.user_id).items


def test_a_version_must_be_higher_than_the_active_one_and_a_new_one(store):
    ada = admin(store)
    activated(store, ada, uploaded(store, ada, "1.10.0"))
    uploaded(store, ada, "2.0.0")

    with pytest.raises(Invalid, match=r"1\.10\.0 is active.*such as 1\.11\.0") as lower:
        uploaded(store, ada, "1.9.9")
    with pytest.raises(Invalid):
        uploaded(store, ada, "1.10.0")
    with pytest.raises(Duplicate) as taken:
        uploaded(store, ada, "2.0.0")

    assert lower.value.field == "ladder_version"
    assert taken.value.field == "ladder_version"
    assert uploaded(store, ada, "1.11.0").ladder_version == "1.11.0"


def test_the_next_version_is_a_small_step(store):
    ada = admin(store)

    assert next_version(None) == "1.0.0"
    assert next_version(uploaded(store, ada, "1.9.4")) == "1.10.0"


def test_activation_moves_pointer_and_flags_and_is_recorded_for_both_versions(store):
    ada = admin(store)
    first = activated(store, ada, uploaded(store, ada, "1.0.0"))
    second = uploaded(store, ada, "1.1.0")

    now = activated(store, ada, second, replaces=first.config_id)

    assert now.is_active
    assert pointed_at(store) == second.config_id
    assert those_active(store) == [second.config_id]
    assert LadderVersions(store).active_for_sure().config_id == second.config_id
    log = AuditLog(store)
    started, ended = (log.of(f"ConfigVersions#{one.config_id}").items[0] for one in (second, first))
    assert (started.action, started.before["active"]) == ("ladder.activated", first.config_id)
    assert (ended.action, ended.after["version"]) == ("ladder.replaced", "1.1.0")


def test_an_earlier_version_can_be_activated_again_with_nothing_lost(store):
    ada = admin(store)
    first = activated(store, ada, uploaded(store, ada, "1.0.0"))
    activated(store, ada, uploaded(store, ada, "1.1.0"))

    again = activated(store, ada, first)

    assert again.is_active
    assert again.ladder == parse_ladder(SMALL)
    assert those_active(store) == [first.config_id]


def test_activating_the_active_version_changes_and_records_nothing(store, costs):
    ada = admin(store)
    first = activated(store, ada, uploaded(store, ada, "1.0.0"))
    before = len(AuditLog(store).by(ada.user_id).items)

    with costs(requests=1):
        assert activated(store, ada, first).is_active

    assert len(AuditLog(store).by(ada.user_id).items) == before


def test_who_looked_at_another_active_version_is_asked_to_look_again(store):
    ada = admin(store)
    first, second, third = (uploaded(store, ada, f"1.{number}.0") for number in range(3))
    activated(store, ada, first, replaces="")
    activated(store, ada, second, replaces=first.config_id)

    with pytest.raises(OtherLadderActivated):
        activated(store, ada, third, replaces=first.config_id)
    with pytest.raises(OtherLadderActivated):
        activated(store, ada, third, replaces="")

    assert those_active(store) == [second.config_id]


def test_a_version_that_is_not_there_cannot_be_activated(store):
    ada = admin(store)

    with pytest.raises(LadderNotFound):
        activate_ladder(stores_on(store), config_id="nothing", actor=ada, now=NOW)

    assert Pointers(store).find(ACTIVE_LADDER) is None


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.ADMIN])
def test_only_administrators_change_the_ladder(store, role):
    ada, other = admin(store), member(store, role)
    version = uploaded(store, ada)

    with pytest.raises(Forbidden):
        uploaded(store, other, "1.1.0")
    with pytest.raises(Forbidden):
        activated(store, other, version)
    with pytest.raises((Forbidden, NotFound)):
        activated(store, ada.evolve(is_active=False), version)

    assert LadderVersions(store).active() is None


@pytest.mark.parametrize("has_active", [False, True], ids=["the first ones", "with one active"])
def test_of_activations_at_once_one_wins_and_pointer_and_flags_agree(store, has_active):
    ada = admin(store)
    former = activated(store, ada, uploaded(store, ada, "0.1.0")).config_id if has_active else ""
    versions = [uploaded(store, ada, f"1.{number}.0") for number in range(6)]
    LadderVersions(store).active()  # its tables are there before the race
    start = Barrier(len(versions))

    def one(version: LadderVersion) -> str:
        start.wait()
        try:
            activated(store, ada, version, replaces=former)
        except Conflict:
            return ""
        return version.config_id

    with ThreadPoolExecutor(len(versions)) as threads:
        won = [config_id for config_id in threads.map(one, versions) if config_id]

    assert len(won) == 1
    assert those_active(store) == won
    assert pointed_at(store) == won[0]


def test_activations_at_once_that_insist_end_with_exactly_one_active(store):
    ada = admin(store)
    activated(store, ada, uploaded(store, ada, "0.1.0"))
    versions = [uploaded(store, ada, f"1.{number}.0") for number in range(6)]
    start = Barrier(len(versions))

    def one(version: LadderVersion) -> None:
        start.wait()
        for _ in range(20):
            try:
                activated(store, ada, version)
            except Conflict:
                continue
            return

    with ThreadPoolExecutor(len(versions)) as threads:
        list(threads.map(one, versions))

    assert those_active(store) == [pointed_at(store)]


def test_uploads_of_one_number_at_once_store_one(store):
    ada = admin(store)
    uploaded(store, ada, "0.1.0")
    start = Barrier(6)

    def one(number: int) -> bool:
        start.wait()
        try:
            uploaded(store, ada, "1.0.0", note=str(number))
        except DomainError:
            return False
        return True

    with ThreadPoolExecutor(6) as threads:
        assert sum(threads.map(one, range(6))) == 1

    assert [found.ladder_version for found in LadderVersions(store).listed().items].count("1.0.0") == 1


def test_the_demo_ladder_is_made_once_and_only_where_there_is_none(store):
    first = seed_demo_ladder(store, now=NOW)
    again = seed_demo_ladder(store, now=NOW)

    assert first.is_active
    assert again.config_id == first.config_id
    assert first.ladder == parse_ladder(DEMO_LADDER.read_text(encoding="utf-8"))
    assert len(LadderVersions(store).listed().items) == 1


def test_a_demo_that_broke_off_is_finished(store):
    ada = admin(store)
    kept = uploaded(store, ada, "1.0.0")

    assert seed_demo_ladder(store, now=NOW).config_id == kept.config_id


def test_the_demo_ladder_stays_out_of_other_environments(store, monkeypatch):
    monkeypatch.setattr(store, "environment", "prod")

    with pytest.raises(Forbidden):
        seed_demo_ladder(store, now=NOW)
