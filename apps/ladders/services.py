"""What administrators do with the ladder: upload a version, and put one into force.

A version is never changed and never deleted: plans, assessments and reports go by the one they were made with. A
mistake is put right by uploading the next one; an earlier one can be activated again.
"""

from datetime import datetime
from uuid import uuid4

from pydantic import ValidationError

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor
from apps.errors import Invalid
from apps.ladders.entities import LadderVersion
from apps.ladders.errors import LadderNotFound, OtherLadderActivated
from apps.ladders.parsing import parse_ladder
from apps.ladders.repository import ACTIVE_LADDER
from apps.ladders.stores import Stores
from apps.storage.conditions import Update, attribute
from apps.storage.pointers import Pointer
from apps.storage.transaction import Transaction, read_together
from apps.storage.writes import Write


def upload_ladder(
    stores: Stores,
    *,
    content: str,
    ladder_version: str,
    note: str = "",
    actor: User,
    now: datetime,
    address: str = "",
    via: str = "",
) -> LadderVersion:
    """Store a new version of the ladder, which is not in force yet, and return it.

    Raises `NotFound` and `Forbidden`; `InvalidLadder` (field `content`) with each problem and its line; `Invalid`
    (field `ladder_version` or `note`), also for a version that is not higher than the active one; `Duplicate` (field
    `ladder_version`). Nothing is stored then.
    """
    require(actor, Permission.LADDER_CHANGE)
    active = stores.ladders.active()
    acting = actor.acting(address, via=via)
    return add_version(
        stores, content=content, ladder_version=ladder_version, note=note, above=active, actor=acting, now=now
    )


def add_version(
    stores: Stores,
    *,
    content: str,
    ladder_version: str,
    note: str,
    above: LadderVersion | None,
    actor: Actor,
    now: datetime,
) -> LadderVersion:
    """The same without asking who it is, for commands on the machine itself; it must be higher than `above`."""
    content = content.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    ladder = parse_ladder(content)
    try:
        version = LadderVersion(
            config_id=str(uuid4()),
            ladder_version=ladder_version.strip(),
            note=note.strip(),
            config_content=content,
            parsed_config=ladder,
            created_at=now,
            updated_at=now,
            created_by=actor.actor_id,
        )
    except ValidationError as error:
        raise _invalid(error) from None
    if above is not None and version.order <= above.order:
        message = f"Version {above} is active. Give the new one a higher number, such as {next_version(above)}."
        raise Invalid(message, field="ladder_version")
    after = {
        "version": version.ladder_version,
        "note": version.note,
        "categories": len(ladder.categories),
        "competencies": len(list(ladder.places)),
    }
    entry = stores.audit.recording(_object(version), action="ladder.uploaded", actor=actor, at=now, after=after)
    return stores.ladders.add(version, entry)


def activate_ladder(
    stores: Stores,
    *,
    config_id: str,
    replaces: str | None = None,
    actor: User,
    now: datetime,
    address: str = "",
    via: str = "",
) -> LadderVersion:
    """Let plans that are made from now on go by this version, and return it; existing plans keep theirs.

    `replaces` is the id of the version that was active when somebody looked at what would change ("" for none), None
    where that does not matter. Activating the active one changes nothing. Raises `NotFound` and `Forbidden`,
    `LadderNotFound`, `OtherLadderActivated`.
    """
    require(actor, Permission.LADDER_CHANGE)
    acting = actor.acting(address, via=via)
    return put_into_force(stores, config_id=config_id, replaces=replaces, actor=acting, now=now)


def put_into_force(
    stores: Stores, *, config_id: str, replaces: str | None, actor: Actor, now: datetime
) -> LadderVersion:
    """The same without asking who it is, for commands on the machine itself."""
    pointers, ladders = stores.pointers, stores.ladders
    pointer, version = read_together(stores.store, pointers.reading(ACTIVE_LADDER), ladders.reading(config_id))
    if version is None:
        raise LadderNotFound("There is no such version of the ladder.")
    former = pointer.target if pointer else ""
    if former == config_id:
        return version
    other = OtherLadderActivated("Another version was activated in the meantime. Look again at what would change.")
    if replaces is not None and replaces != former:
        raise other
    switched_on = Update(set={"is_active": True, "updated_at": now})
    Transaction(
        stores.store,
        _moving(stores, former, config_id).otherwise(other),
        ladders.updating(config_id, switched_on),
        *_ending(stores, former, version, actor=actor, now=now),
        stores.audit.recording(
            _object(version),
            action="ladder.activated",
            actor=actor,
            at=now,
            before={"active": former},
            after={"active": config_id, "version": version.ladder_version},
        ),
    ).commit()
    return ladders.get(config_id, consistent=True)


def next_version(version: LadderVersion | None) -> str:
    """The number that a version after this one usually has: `1.3.0` after `1.2.4`, `1.0.0` for the first."""
    if version is None:
        return "1.0.0"
    major, minor, _ = version.order
    return f"{major}.{minor + 1}.0"


def _moving(stores: Stores, former: str, config_id: str) -> Write:
    """The write that moves the pointer, on the condition that it is where it was read."""
    if not former:
        return stores.pointers.adding(Pointer(name=ACTIVE_LADDER, target=config_id))
    unmoved = attribute("target").equals(former)
    return stores.pointers.updating(ACTIVE_LADDER, Update(set={"target": config_id}), condition=unmoved)


def _ending(stores: Stores, former: str, successor: LadderVersion, *, actor: Actor, now: datetime) -> tuple[Write, ...]:
    """The writes by which the former version is no longer active."""
    if not former:
        return ()
    switched_off = Update(set={"is_active": False, "updated_at": now})
    return (
        stores.ladders.updating(former, switched_off),
        stores.audit.recording(
            f"ConfigVersions#{former}",
            action="ladder.replaced",
            actor=actor,
            at=now,
            before={"active": former},
            after={"active": successor.config_id, "version": successor.ladder_version},
        ),
    )


def _object(version: LadderVersion) -> str:
    return f"ConfigVersions#{version.config_id}"


def _invalid(error: ValidationError) -> Invalid:
    field = str(error.errors()[0]["loc"][0])
    if field == "ladder_version":
        return Invalid("Enter a version of three numbers, such as 1.2.0.", field=field)
    return Invalid("A note has at most 500 characters.", field="note")
