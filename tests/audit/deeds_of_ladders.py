"""What is done to the career ladder."""

from apps.ladders import services
from apps.ladders.entities import LadderVersion
from apps.ladders.stores import Stores, stores_on
from tests.audit.deeds import ADDRESS, NOW, Deed, World

LADDER = "# Craft\n\n## Design\n\n1. Does small things.\n"


def ladders_of(world: World) -> Stores:
    return stores_on(world.stores.store)


def uploaded(w: World, version: str = "1.0.0") -> LadderVersion:
    return services.upload_ladder(
        ladders_of(w), content=LADDER, ladder_version=version, note="New.", actor=w.ada, now=NOW, address=ADDRESS
    )


def activated(w: World, version: LadderVersion) -> None:
    services.activate_ladder(ladders_of(w), config_id=version.config_id, actor=w.ada, now=NOW, address=ADDRESS)


def replaced(w: World) -> None:
    activated(w, uploaded(w))
    activated(w, uploaded(w, "1.1.0"))


def of_the_oldest(world: World) -> str:
    every = ladders_of(world).ladders.listed().items
    return f"ConfigVersions#{min(every, key=lambda one: one.order).config_id}"


DEEDS = [
    Deed(
        services.upload_ladder,
        uploaded,
        of_the_oldest,
        "ladder.uploaded",
        {},
        {"version": "1.0.0", "note": "New.", "categories": 1, "competencies": 1},
    ),
    Deed(
        services.activate_ladder,
        lambda w: activated(w, uploaded(w)),
        of_the_oldest,
        "ladder.activated",
        {"active": ""},
        {"version": "1.0.0"},
    ),
    Deed(services.activate_ladder, replaced, of_the_oldest, "ladder.replaced", None, {"version": "1.1.0"}),
]
