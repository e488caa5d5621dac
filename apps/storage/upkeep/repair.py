"""Guards that do not match their items: found, and mended where it is certain what is right.

Guards and items are written together, so they part only by a hand or a program from outside, or by a restore of one
table without the other. Both sides are read whole, page by page: this is for a command, never to answer somebody.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from pydantic import ValidationError

from apps.errors import Conflict, NotFound
from apps.storage.conditions import attribute
from apps.storage.entity import Entity
from apps.storage.errors import StoreUnavailable, UnreadableItem
from apps.storage.repository import Repository
from apps.storage.transaction import Transaction
from apps.storage.unique import Guard, Guards, Place, owner_key, owner_text, places
from apps.storage.writes import Write

Item = dict[str, Any]


class Fault(StrEnum):
    """What can be wrong between an item and a guard."""

    MISSING = "missing"  # an item has a value that nothing guards
    FOREIGN = "foreign"  # the value is guarded for something that does not have it
    DOUBLE = "double"  # two items have the value; only a person can say whose it is
    ORPHAN = "orphan"  # a guard's owner is gone, or has another value by now
    UNREADABLE = "unreadable"  # what is stored does not fit the entity: nobody knows what it should guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One guard that does not match; `item` is the key of the item that should have it, or that it names."""

    fault: Fault
    guard: str
    item: str
    other: str = ""
    is_mended: bool = False


def check_guards(repository: Repository[Any], *, mend: bool) -> Iterator[Finding]:
    """Every guard of this repository's kind that does not match, mended on the way where `mend`.

    Mending is a transaction that demands of item and guard to be as they were read, so that it can run beside people
    at work; what changed meanwhile is left for the next run.
    """
    guards = Guards(repository.store)
    told: set[str] = set()
    for page, _ in repository.sweep():
        items = [item for item in page if repository.kind.owns(item)]
        for finding in _unguarded(repository, guards, items, mend=mend):
            told.add(finding.guard)
            yield finding
    scopes = tuple(f"{repository.table.name}.{unique.field}#" for unique in repository.entity.unique)
    for stored, _ in guards.sweep():
        found = [guards.codec.decode(item) for item in stored]
        mine = [one for one in found if one.guard.startswith(scopes) and one.guard not in told]
        yield from _orphans(repository, guards, mine, mend=mend)


def _unguarded(repository: Repository[Any], guards: Guards, items: list[Item], *, mend: bool) -> Iterator[Finding]:
    wanted: dict[str, tuple[Place, Entity, Item]] = {}
    doubled: set[str] = set()
    for item in items:
        try:
            entity = repository.codec.decode(item)
        except (ValidationError, StoreUnavailable) as error:
            yield Finding(fault=Fault.UNREADABLE, guard="", item=_owner(repository, item), other=type(error).__name__)
            continue
        for place in places(repository.table, repository.entity, entity.__dict__):
            name = "#".join(place)
            if name in wanted:
                other = _owner(repository, wanted[name][2])
                doubled.add(name)
                yield Finding(fault=Fault.DOUBLE, guard=name, item=_owner(repository, item), other=other)
            else:
                wanted[name] = place, entity, item
    held = {guard.guard: guard for guard in guards.get_many(wanted, consistent=True)}
    for name, (place, entity, item) in wanted.items():
        owner, guard = _owner(repository, item), held.get(name)
        if name in doubled or (guard is not None and guard.owner == owner):
            continue
        if guard is None:
            taken = Conflict("Somebody took it in the meantime.")
            claim = guards.claiming(*place, owner=owner, otherwise=taken)
            done = mend and _done(repository, _as_read(repository, item, entity), claim)
            yield Finding(fault=Fault.MISSING, guard=name, item=owner, is_mended=done)
            continue
        rival = repository.find(owner_key(repository.table, guard.owner), consistent=True)
        if rival is not None and place in places(repository.table, repository.entity, rival.__dict__):
            yield Finding(fault=Fault.DOUBLE, guard=name, item=owner, other=guard.owner)
            continue
        taken_over = guards.putting(Guard(guard=name, owner=owner), condition=attribute("owner").equals(guard.owner))
        done = mend and _done(repository, _as_read(repository, item, entity), taken_over)
        yield Finding(fault=Fault.FOREIGN, guard=name, item=owner, other=guard.owner, is_mended=done)


def _orphans(repository: Repository[Any], guards: Guards, found: list[Guard], *, mend: bool) -> Iterator[Finding]:
    by_owner, unreadable = _owners(repository, {guard.owner for guard in found})
    for guard in found:
        if guard.owner in unreadable:
            continue  # told already, as an item
        entity = by_owner.get(guard.owner)
        scope, _, value = guard.guard.partition("#")
        if entity is not None and (scope, value) in places(repository.table, repository.entity, entity.__dict__):
            continue
        unchanged = (
            repository.checking(owner_key(repository.table, guard.owner), attribute("version").missing())
            if entity is None
            else _as_read(repository, repository.key_of(entity), entity)
        )
        done = mend and _done(repository, unchanged, guards.releasing(scope, value, owner=guard.owner))
        yield Finding(fault=Fault.ORPHAN, guard=guard.guard, item=guard.owner, is_mended=done)


def _owners(repository: Repository[Any], owners: set[str]) -> tuple[dict[str, Entity], set[str]]:
    """The items that guards name, by owner, and the owners whose item does not fit its entity."""
    keys = {owner: owner_key(repository.table, owner) for owner in owners}
    try:
        entities = repository.get_many(keys.values(), consistent=True)
    except UnreadableItem:
        found, unreadable = dict[str, Entity](), set[str]()
        for owner, key in keys.items():
            try:
                entity = repository.find(key, consistent=True)
            except UnreadableItem:
                unreadable.add(owner)
            else:
                found |= {owner: entity} if entity is not None else {}
        return found, unreadable
    return {owner_text(repository.key_of(entity)): entity for entity in entities}, set()


def _as_read(repository: Repository[Any], item: Item, entity: Entity) -> Write:
    """The check that nobody has written the item since it was read."""
    key = owner_key(repository.table, _owner(repository, item))
    return repository.checking(key, repository.unchanged(entity))


def _done(repository: Repository[Any], *writes: Write) -> bool:
    try:
        Transaction(repository.store, *writes).commit()
    except (Conflict, NotFound):  # it changed meanwhile: the next run looks again
        return False
    return True


def _owner(repository: Repository[Any], item: Item) -> str:
    return owner_text({key.name: item[key.name] for key in repository.table.keys})
