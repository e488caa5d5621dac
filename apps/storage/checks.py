"""What `manage.py check` says about declarations that could not work; nothing is asked of the store.

Keys of bytes are among these: DynamoDB takes them, but cursors and the keys that are read back are text here.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from itertools import combinations
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from django.core.checks import CheckMessage, Error, Warning  # noqa: A004  (Django's name)

from apps.storage.entity import Entity, Stored, TimeForm
from apps.storage.items.codec import Codec
from apps.storage.items.kinds import Kind
from apps.storage.registry import declared_readers
from apps.storage.requests.reading import Reader
from apps.storage.table import AttributeType, Index, Key, Table


def check_repositories(**_: Any) -> list[CheckMessage]:
    """The faults of all that the installed apps declare; Django calls this."""
    return faults_of(declared_readers())


def faults_of(repositories: Iterable[type[Reader[Any]]]) -> list[CheckMessage]:
    """What is wrong with these repositories, their entities and their tables, each with a hint what to do."""
    found: list[CheckMessage] = []
    tables: dict[Table, list[Kind[Any]]] = defaultdict(list)
    entities: set[tuple[type[Entity], Table]] = set()
    for repository in repositories:
        entity, table = repository.entity, repository.table
        if (entity, table) in entities:
            continue
        entities.add((entity, table))
        try:
            tables[table].append(Kind(Codec(entity, table), table))
        except (TypeError, ValueError) as error:
            found.append(_error(1, entity, f"it cannot be stored: {error}.", "Change the field or the template named."))
    for table, kinds in tables.items():
        for kind in kinds:
            found += [*_templates(kind), *_uniques(kind), *_table_keys(kind)]
        found += [*_indexes(table, kinds), *_expiry(table, kinds), *_binary_keys(table, kinds), *_apart(table, kinds)]
    return found


def _templates(kind: Kind[Any]) -> Iterator[CheckMessage]:
    entity = kind.codec.entity
    all_keys = (kind.table.keys, *(index.keys for index in kind.table.indexes))
    sort_keys = {key.name for keys in all_keys for key in keys[1:]}
    for stored, template in kind.codec.derived.items():
        if stored in kind.codec.by_stored:
            yield _error(
                2,
                entity,
                f"the template of {stored} would overwrite the field {kind.codec.by_stored[stored].name}.",
                "Give the derived attribute another name, or leave it out: a field needs no template to be a key.",
            )
        for slot in template.slots:
            if not hasattr(entity, slot.field) and slot.field not in entity.model_fields:
                yield _error(
                    3,
                    entity,
                    f"{template.template!r} names {slot.field}, which is no field.",
                    "Correct the name in `derived`, or add the field or a property of that name.",
                )
            elif stored in sort_keys and slot.width is None and _is_number(entity, slot.field):
                message = f"{entity.__name__}: the number {slot.field} in {template.template!r} sorts as text."
                hint = f"Give it a width, as in {{{slot.field}:06}}: else 10 comes before 9."
                yield Warning(message, hint=hint, obj=_place(entity), id="storage.W004")


def _uniques(kind: Kind[Any]) -> Iterator[CheckMessage]:
    entity = kind.codec.entity
    for unique in entity.unique:
        for name in (unique.field, unique.within):
            if name is not None and name not in entity.model_fields:
                yield _error(
                    5,
                    entity,
                    f"`unique` names {name}, which is no field.",
                    "Correct the name, or add the field.",
                )


def _table_keys(kind: Kind[Any]) -> Iterator[CheckMessage]:
    for key in kind.table.keys:
        if not _stores(kind, key):
            yield _error(
                6,
                kind.codec.entity,
                f"it has no {key.name}, which is a key of {kind.table.name}.",
                f"Add a field that is stored as {key.name}, or a template for it in `derived`.",
            )
            continue
        if not _has_type(kind, key):
            yield _wrong_type(kind, key, kind.table.name)
        for name in kind.fields_in(key):
            if _may_be_missing(kind.codec.entity, name):
                yield _error(
                    14,
                    kind.codec.entity,
                    f"{name} may be None, and {kind.table.name} needs it for its key {key.name}.",
                    f"Leave None out of the type of {name}.",
                )


def _indexes(table: Table, kinds: list[Kind[Any]]) -> Iterator[CheckMessage]:
    """An index of a table of several kinds is right if it serves one of them."""
    for index in table.indexes:
        served = [kind for kind in kinds if all(_stores(kind, key) for key in index.keys)]
        if not served:
            names = " or ".join(key.name for key in index.keys)
            yield _error(
                7,
                kinds[0].codec.entity,
                f"nothing of it would ever be in {index.name} of {table.name}: it has no {names}.",
                f"Add fields or templates for the keys of {index.name}, or drop the index.",
            )
        for kind in served:
            yield from (_wrong_type(kind, key, index.name) for key in index.keys if not _has_type(kind, key))
            yield from _carried(index, kind)
        known = {name for kind in kinds for name in _stored_names(kind)}
        for name in index.include or ():
            if name not in known:
                yield _error(
                    8,
                    kinds[0].codec.entity,
                    f"{index.name} of {table.name} includes {name}, which is not stored.",
                    f"Write the stored name; there are {', '.join(sorted(known))}.",
                )


def _carried(index: Index, kind: Kind[Any]) -> Iterator[CheckMessage]:
    schema = kind.codec.schema
    if schema is not None and index.include is not None and schema.attribute not in index.include:
        yield _error(
            9,
            kind.codec.entity,
            f"{index.name} does not carry {schema.attribute}, so what is read through it would be upgraded once more.",
            f"Add {schema.attribute!r} to `include` of {index.name}.",
        )


def _binary_keys(table: Table, kinds: list[Kind[Any]]) -> Iterator[CheckMessage]:
    for key in table.key_attributes():
        if key.type is AttributeType.BINARY:
            yield _error(
                16,
                kinds[0].codec.entity,
                f"{key.name} is a key of {table.name} of type B, which no cursor can hold.",
                f"Store {key.name} as text, for example in hexadecimal.",
            )


def _expiry(table: Table, kinds: list[Kind[Any]]) -> Iterator[CheckMessage]:
    if table.ttl is None:
        return
    table_keys = {key.name for key in table.keys}
    for index in table.indexes:
        if index.include is not None and table.ttl not in {
            *index.include,
            *table_keys,
            *(key.name for key in index.keys),
        }:
            yield _error(
                15,
                kinds[0].codec.entity,
                f"{index.name} does not carry {table.ttl}, so expired items would still be read through it.",
                f"Add {table.ttl!r} to `include` of {index.name}.",
            )
    holders = [kind for kind in kinds if table.ttl in kind.codec.by_stored]
    if not holders:
        yield _error(
            10,
            kinds[0].codec.entity,
            f"it has no {table.ttl}, by which items of {table.name} expire.",
            f"Add a field of type Expiry that is stored as {table.ttl}, or drop `ttl` of the table.",
        )
    for kind in holders:
        name = kind.codec.by_stored[table.ttl].name
        if _form(kind.codec.entity, name) is not TimeForm.SECONDS:
            yield _error(
                11,
                kind.codec.entity,
                f"{name} is the expiry of {table.name}, but is not stored as epoch seconds.",
                f"Declare {name} as Expiry, or Expiry | None: DynamoDB ignores other times.",
            )


def _apart(table: Table, kinds: list[Kind[Any]]) -> Iterator[CheckMessage]:
    for one, other in combinations(kinds, 2):
        pairs = [(one.codec.derived.get(key.name), other.codec.derived.get(key.name)) for key in table.keys]
        if all(mine is None or theirs is None or mine.overlaps(theirs) for mine, theirs in pairs):
            yield _error(
                12,
                one.codec.entity,
                f"its keys in {table.name} could be those of {other.codec.entity.__name__} too.",
                "Begin a key template of each with a word of its own, such as 'JOB#{job_id}'.",
            )


def _stores(kind: Kind[Any], key: Key) -> bool:
    return key.name in kind.codec.derived or key.name in kind.codec.by_stored


def _has_type(kind: Kind[Any], key: Key) -> bool:
    if key.name in kind.codec.derived:
        return key.type == "S"
    return _letter_of(kind.codec.entity, kind.codec.by_stored[key.name].name) == key.type


def _wrong_type(kind: Kind[Any], key: Key, where: str) -> CheckMessage:
    is_derived = key.name in kind.codec.derived
    letter = "S" if is_derived else _letter_of(kind.codec.entity, kind.codec.by_stored[key.name].name)
    return _error(
        13,
        kind.codec.entity,
        f"{key.name} is stored as {letter or 'something that cannot be a key'}; {where} declares {key.type}.",
        "Make them agree: number(...) declares N, Stored(flag=True) stores a bool as N, and a time is stored as its"
        " entity says.",
    )


def _stored_names(kind: Kind[Any]) -> set[str]:
    schema = {kind.codec.schema.attribute} if kind.codec.schema else set()
    return {*kind.codec.by_stored, *kind.codec.derived} | schema


def _error(number: int, entity: type[Entity], sentence: str, hint: str) -> CheckMessage:
    return Error(f"{entity.__name__}: {sentence}", hint=hint, obj=_place(entity), id=f"storage.E{number:03}")


def _place(entity: type[Entity]) -> str:
    return f"{entity.__module__}.{entity.__qualname__}"


# --- how a type is stored ---------------------------------------------------------------------------------------------


def _letter_of(entity: type[Entity], field: str) -> str:
    """The letter of DynamoDB's type of a field that can be part of a key, else an empty text."""
    info = entity.model_fields.get(field)
    if info is None:
        return ""
    kind, mark = _plain(info.rebuild_annotation(), Stored())
    if not isinstance(kind, type):
        return ""
    if issubclass(kind, datetime):
        return "S" if (mark.time or entity.times) is TimeForm.ISO else "N"
    if issubclass(kind, bool):
        return "N" if mark.flag else ""
    if mark.compressed:
        return "B"
    letters: dict[type, str] = {str: "S", int: "N", Decimal: "N", date: "S", bytes: "B"}
    return next((letter for base, letter in letters.items() if issubclass(kind, base)), "")


def _may_be_missing(entity: type[Entity], field: str) -> bool:
    info = entity.model_fields.get(field)
    return info is not None and type(None) in get_args(info.annotation)


def _is_number(entity: type[Entity], field: str) -> bool:
    """Whether it is a number in a key's text too; an instant is ISO text there."""
    return _letter_of(entity, field) == "N" and _form(entity, field) is None


def _form(entity: type[Entity], field: str) -> TimeForm | None:
    """How an instant is stored; None for a field that is none."""
    info = entity.model_fields.get(field)
    kind, mark = _plain(info.rebuild_annotation() if info else None, Stored())
    return (mark.time or entity.times) if isinstance(kind, type) and issubclass(kind, datetime) else None


def _plain(annotation: Any, mark: Stored) -> tuple[Any, Stored]:
    """The type itself, without None and marks, an enum as the type of its values; and the mark on it."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        marks = [part for part in arguments[1:] if isinstance(part, Stored)]
        return _plain(arguments[0], marks[-1] if marks else mark)
    if origin in {Union, UnionType}:
        kinds = [part for part in arguments if part is not type(None)]
        return _plain(kinds[0], mark) if len(kinds) == 1 else (None, mark)
    if origin is Literal:
        return type(arguments[0]), mark
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return type(next(iter(annotation)).value), mark
    return annotation, mark
