"""What a partial update may change, and what follows from it."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime
from functools import cache
from typing import Annotated, Any

from pydantic import TypeAdapter

from apps.storage.conditions import Update
from apps.storage.entity import Entity, Stamped
from apps.storage.items.kinds import Item, Kind


def refuse_unfit(update: Update, kind: Kind[Any], key: Item, mine: Collection[str]) -> None:
    """Raise `TypeError` for what an update cannot change, or could only leave half changed."""
    codec = kind.codec
    entity: type[Entity] = codec.entity
    of_key = {codec.by_stored[name].name for name in key if name in codec.by_stored}
    if found := sorted(update.touched & {"version", *of_key}):
        raise TypeError(f"{entity.__name__}.{found[0]} is counted, or part of the key: no update changes it")
    if absent := sorted(set(mine) - update.set.keys()):
        raise TypeError(f"{absent[0]} is said to be one's own, but is not among what is set")
    for stored, template in codec.derived.items():
        for name in template.fields:
            if behind := sorted(_fields_read_by(entity, name) & update.touched):
                raise TypeError(
                    f"{stored} of {entity.__name__} follows from {', '.join(behind)} by a property: "
                    "change that with save"
                )


def validated(update: Update, entity: type[Entity]) -> Update:
    """The update with its values as the fields take them: stored unchecked, nobody could read the item again.

    Raises pydantic's `ValidationError`.
    """
    return replace(
        update,
        set={name: None if value is None else _checked(entity, name, value) for name, value in update.set.items()},
        default={name: _checked(entity, name, value) for name, value in update.default.items()},
    )


def following(update: Update, kind: Kind[Any], key: Item) -> Item:
    """Derived attributes that follow from an update, None for one to be removed.

    Each needs all its fields in the update or the key: raises `TypeError` that names what is lacking.
    """
    known = {**kind.fields_of(key), **dict.fromkeys(update.remove), **update.set}
    found: Item = {}
    for stored, template in kind.codec.derived.items():
        if not update.touched.intersection(template.fields):
            continue
        lacking = [name for name in template.fields if name not in known]
        if lacking:
            raise TypeError(f"this update changes {stored}, so it must also give {', '.join(lacking)}")
        text = template.fill(known.__getitem__)
        if stored not in key:
            found[stored] = None if text is None else {"S": text}
        elif text != key[stored]["S"]:
            raise TypeError(f"this update would change {stored}, which is part of the key")
    return found


def creating(update: Update, kind: Kind[Any], key: Item, *, now: datetime, actor_id: str) -> tuple[Update, Item]:
    """The update with what a new item needs beside it, and the derived attributes that follow from the key.

    Raises `TypeError` where a field that every item has is in neither the key nor the update.
    """
    codec, told = kind.codec, kind.fields_of(key)
    fields = {name: value for name, value in told.items() if name in codec.fields and codec.stored(name) not in key}
    if issubclass(codec.entity, Stamped):
        fields |= {"created_at": now, **({"created_by": actor_id} if actor_id else {})}
    needed = {name for name, info in codec.entity.model_fields.items() if info.is_required()}
    lacking = sorted(needed - codec.may_be_absent - told.keys() - update.touched)
    if lacking:
        raise TypeError(f"this update may create a {codec.entity.__name__}, so it must give {', '.join(lacking)}")
    fresh = {name: value for name, value in fields.items() if name not in update.touched}
    derived: Item = {}
    for stored, template in codec.derived.items():
        if stored not in key and told.keys() >= set(template.fields):
            derived[stored] = {"S": template.fill(told.__getitem__)}
    return replace(update, default={**fresh, **update.default}), derived


def may_repeat(update: Update) -> bool:
    """Whether doing it twice is doing it once: true of sets of values, not of sums and appended lists."""
    return not update.append and all(isinstance(value, set | frozenset) for value in update.add.values())


def _checked(entity: type[Entity], name: str, value: Any) -> Any:
    adapter = _adapter(entity, name)
    return value if adapter is None else adapter.validate_python(value)


@cache
def _adapter(entity: type[Entity], name: str) -> TypeAdapter[Any] | None:
    """What checks a single field's value; None for a name that is no field, such as an entry inside a map."""
    info = entity.model_fields.get(name)
    if info is None:
        return None
    kind: Any = Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation
    return TypeAdapter(kind)


@cache
def _fields_read_by(entity: type[Entity], name: str) -> frozenset[str]:
    """The fields that a property reads, as its code names them, directly or by other properties; none for a field."""
    found = getattr(entity, name, None) if name not in entity.model_fields else None
    code = getattr(getattr(found, "fget", None), "__code__", None)
    if code is None:
        return frozenset()
    read = frozenset(part for part in code.co_names if part in entity.model_fields)
    return read.union(*(_fields_read_by(entity, part) for part in code.co_names if part != name))
