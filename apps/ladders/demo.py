"""A ladder for a developer's machine, of our own writing."""

from datetime import datetime
from pathlib import Path

from apps.audit.entities import Actor
from apps.errors import Forbidden
from apps.ladders.entities import LadderVersion
from apps.ladders.errors import OtherLadderActivated
from apps.ladders.services import add_version, put_into_force
from apps.ladders.stores import stores_on
from apps.storage.connection import Store
from apps.storage.errors import Duplicate

DEMO_LADDER = Path(__file__).with_name("demo_ladder.md")
DEMO_VERSION = "1.0.0"


def seed_demo_ladder(store: Store, *, now: datetime) -> LadderVersion:
    """Make the demo ladder the active one where none is yet, and return the active one.

    Raises `Forbidden` where the store is not of the environment dev.
    """
    if store.environment != "dev":
        raise Forbidden("The demo ladder is put in force only where RUNGS_ENV is dev.")
    stores = stores_on(store)
    active = stores.ladders.active()
    if active is not None:
        return active
    actor = Actor(actor_id="command:demo", name="demo data")
    try:
        version = add_version(
            stores,
            content=DEMO_LADDER.read_text(encoding="utf-8"),
            ladder_version=DEMO_VERSION,
            note="The demo ladder.",
            above=None,
            actor=actor,
            now=now,
        )
    except Duplicate:  # another process seeds at the same time, or the last one broke off here
        found = stores.ladders.find_unique("ladder_version", DEMO_VERSION)
        if found is None:
            raise
        version = found
    try:
        return put_into_force(stores, config_id=version.config_id, replaces="", actor=actor, now=now)
    except OtherLadderActivated:
        return stores.ladders.active_for_sure()
