"""The ladder of the demo's first season: the present one as it was before it was revised."""

from datetime import datetime
from typing import Final

from apps.accounts.demo import DEMO_ACTOR
from apps.ladders.entities import LadderVersion
from apps.ladders.ladder import Competency, Ladder, Level
from apps.ladders.parsing import written
from apps.ladders.repository import LadderVersions
from apps.storage.errors import Duplicate

FORMER_VERSION: Final = "0.9.0"
_FORMER: Final = "1d7c5a0e-3f0a-4f0c-9c39-6a0f1d2b7e55"
_DROPPED: Final = Competency(
    title="Record keeping",
    introduction="What was done can be found again.",
    levels=tuple(
        Level(number=number, expectation=expectation)
        for number, expectation in enumerate(
            (
                "Keeps notes of the own work.",
                "Files papers and tickets where others look for them.",
                "Writes records that somebody else can go on from.",
                "Keeps the team's records complete without being asked.",
                "Improves how the team keeps its records.",
                "Agrees with other teams on one way of keeping records.",
                "Sets how the whole company keeps its records.",
            ),
            start=1,
        )
    ),
)


def seed_former_ladder(versions: LadderVersions, present: LadderVersion, *, now: datetime) -> LadderVersion:
    """The former version as it is stored, made if it is missing; another of its number stands in for it."""
    found = versions.find(_FORMER, consistent=True)
    if found is not None:
        return found
    ladder = former(present.ladder)
    try:
        return versions.add(
            LadderVersion(
                config_id=_FORMER,
                ladder_version=FORMER_VERSION,
                note="The first one, until the revision.",
                config_content=written(ladder),
                parsed_config=ladder,
                created_at=now,
                updated_at=now,
                created_by=DEMO_ACTOR.actor_id,
            )
        )
    except Duplicate:
        return versions.find_unique("ladder_version", FORMER_VERSION) or present


def former(present: Ladder) -> Ladder:
    """The present ladder without its newest competency, with one that was dropped since and one that was reworded."""
    first, *others = present.categories
    if len(first.competencies) > 1:
        first = first.model_copy(update={"competencies": first.competencies[:-1]})
    *middle, last = others or [first]
    last = last.model_copy(update={"competencies": (_reworded(last.competencies[0]), *last.competencies[1:], _DROPPED)})
    return Ladder(categories=(first, *middle, last) if others else (last,))


def _reworded(competency: Competency) -> Competency:
    first, *others = competency.levels
    early = first.model_copy(
        update={"expectation": f"With guidance: {first.expectation[:1].lower()}{first.expectation[1:]}"}
    )
    return competency.model_copy(update={"levels": (early, *others)})
