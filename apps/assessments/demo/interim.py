"""A small ladder for the demo, until there is one of our own writing."""

import uuid
from datetime import datetime
from typing import Final

from apps.accounts.demo import DEMO_ACTOR
from apps.assessments.demo.ladders import as_markdown
from apps.ladders.entities import LadderVersion
from apps.ladders.ladder import Category, Competency, Ladder, Level
from apps.ladders.repository import ACTIVE_LADDER, LadderVersions
from apps.storage.connection import Store
from apps.storage.pointers import Pointer, Pointers

_HOW: Final = (
    "Learns {it} and asks for help.",
    "Handles the usual cases of {it} with some help.",
    "Handles {it} alone.",
    "Handles hard cases of {it} and helps others.",
    "Leads the team in {it}.",
    "Leads several teams in {it}.",
    "Sets what {it} means for the whole company.",
)
_TITLES: Final = {
    "Craft": ("System design", "Code and review", "Testing"),
    "Delivery": ("Planning", "Ownership", "Running systems"),
    "People": ("Communication", "Feedback", "Coaching"),
    "Business": ("Domain knowledge", "Customer focus", "Leading others"),
}


def seed_interim_ladder(store: Store, now: datetime) -> LadderVersion:
    """The active ladder; a small one where there is none yet."""
    versions = LadderVersions(store)
    found = versions.active()
    if found is not None:
        return found
    ladder = Ladder(
        categories=tuple(
            Category(title=title, competencies=tuple(_competency(one) for one in titles))
            for title, titles in _TITLES.items()
        )
    )
    made = versions.add(
        LadderVersion(
            config_id=str(uuid.uuid4()),
            ladder_version="1.0.0",
            config_content=as_markdown(ladder),
            parsed_config=ladder,
            is_active=True,
            created_at=now,
            updated_at=now,
            created_by=DEMO_ACTOR.actor_id,
        )
    )
    Pointers(store).put_many([Pointer(name=ACTIVE_LADDER, target=made.config_id)])
    return made


def _competency(title: str) -> Competency:
    levels = (
        Level(number=number, expectation=how.format(it=title.lower())) for number, how in enumerate(_HOW, start=1)
    )
    return Competency(title=title, levels=tuple(levels))
