"""Entities to DynamoDB's JSON and back, compiled once for each entity.

Each field becomes a form chosen from its type when the codec is made; reading and writing an item is then one loop over
those forms, with no look at types any more. Where pydantic can make the finished value itself, it is left to it.
"""

import types
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Generic, TypeVar, Union, get_args, get_origin

from apps.storage.entity import Entity
from apps.storage.items.declared import alternatives, marks_in, naming, refuse_unfit_model
from apps.storage.items.forms import Decode, Encode, Form, absent_values, field_form, stored_names
from apps.storage.items.keys import KeyTemplate, stands_in_keys
from apps.storage.items.upgrades import Schema
from apps.storage.items.values import Json, bytes_of, decode_any, encode_any, iso, plain_number
from apps.storage.secrets import Place, Secret
from apps.storage.table import AttributeType, Table

E = TypeVar("E", bound=Entity)


@dataclass(frozen=True, slots=True)
class FieldCodec:
    """One field: its Python name, its stored name and the two functions between them."""

    name: str
    stored: str
    encode: Encode
    decode: Decode


class Codec(Generic[E]):
    """Everything needed to write and read one kind of entity."""

    def __init__(self, entity: type[E], table: Table | None = None) -> None:
        """Compile the entity's fields, to be stored in `table`.

        Raises `TypeError`, which names entity and field, for a type that has no exact stored form, such as float, for a
        declaration whose values would not come back as they were, and for a `Secret` in a key.
        """
        self.entity = entity
        self.table = table
        self.schema = Schema(entity) if entity.upgrades else None
        self.derived = {stored: KeyTemplate(template) for stored, template in entity.derived.items()}
        forms: dict[str, tuple[str, Form]] = {}
        self.secrets: dict[str, str] = {}
        self.compressed = {
            name for name, info in entity.model_fields.items() if any(m.compressed for m in marks_in(info))
        }
        names = stored_names(entity)
        refuse_unfit_model(entity, names)
        for name, info in entity.model_fields.items():
            stored = names[name]
            if is_secret(info.annotation):
                self.secrets[name] = stored
                forms[name] = (stored, _refusing(f"{entity.__name__}.{name}"))
            else:
                with naming(entity, name):
                    forms[name] = (stored, field_form(entity, info, times=entity.times))
        self.fields = {
            name: FieldCodec(name=name, stored=stored, encode=form.encode, decode=form.decode)
            for name, (stored, form) in forms.items()
        }
        self.by_stored = {field.stored: field for field in self.fields.values()}
        self._absent = absent_values(entity)
        self._encoders = [
            (name, stored, form.plain, form.encode)
            for name, (stored, form) in forms.items()
            if name not in self.secrets
        ]
        self._values = _compiled(
            {name: field for name, field in forms.items() if name not in self.secrets}, absent=self._absent
        )
        self._check_secrets()
        self._check_templates()

    def encode(self, entity: E) -> Json:
        """The whole item; None, empty sets and derived keys that lack a part are left out.

        Raises `ValueError` for a value that DynamoDB would not keep exactly.
        """
        item: Json = {}
        values = entity.__dict__
        for name, stored, plain, encode in self._encoders:
            value = values[name]
            if value is not None:
                if plain:
                    item[stored] = {plain: value}
                elif (encoded := encode(value)) is not None:
                    item[stored] = encoded
        for stored, template in self.derived.items():
            key = template.fill(lambda part: getattr(entity, part))
            if key is not None:
                item[stored] = {"S": key}
        if self.schema is not None:
            item[self.schema.attribute] = self.schema.number
        for name, stored in self.secrets.items():
            secret = getattr(entity, name)
            if secret is not None:
                item[stored] = {"B": secret.sealed_for(self.place(item, stored))}
        return item

    def decode(self, item: Json, *, projected: bool = False) -> E:
        """The entity in an item; others are passed over. An item of an earlier schema version is upgraded first.

        Raises pydantic's `ValidationError` where a value is not what the field takes, and `NewerItem` for an item that
        a later release wrote.
        """
        as_stored = item
        if self.schema is not None:
            item = self.schema.upgraded(item)
        try:
            values = self._values(item)
        except _MISFITS:
            values = self._values_with_care(item)
        if self.secrets:
            for name, stored in self.secrets.items():
                if stored in item:
                    values[name] = self._secret(item, stored)
        entity: E = self.entity.__pydantic_validator__.validate_python(values)
        if projected:
            object.__setattr__(entity, "_projected", True)
        if self.entity.remembered:
            entity.remember(**({} if item is as_stored else self.guarded_in(as_stored)))
        return entity

    def guarded_in(self, item: Json) -> dict[str, Any]:
        """The unique values of an item before it was upgraded: these are what its guards are for."""
        names = {name for unique in self.entity.unique for name in (unique.field, unique.within) if name}
        stored = {name: item.get(self.stored(name)) for name in names}
        return {name: None if json is None else decode_any(json) for name, json in stored.items()}

    @property
    def may_be_absent(self) -> set[str]:
        """The required fields that an item may lack: None and empty sets are not stored."""
        return set(self._absent)

    def _values_with_care(self, item: Json) -> dict[str, Any]:
        """The values of an item in which something is stored in another form than a release of ours would."""
        values = dict(self._absent)
        for stored, json in item.items():
            field = self.by_stored.get(stored)
            if field is None or field.name in self.secrets:
                continue
            try:
                values[field.name] = None if "NULL" in json and field.name in self._absent else field.decode(json)
            except _MISFITS:
                values[field.name] = Misfit(json)
        return values

    def _secret(self, item: Json, stored: str) -> Any:
        try:
            return Secret.stored(bytes_of(item[stored]["B"]), self.place(item, stored))
        except _MISFITS:
            return None if "NULL" in item[stored] else Misfit(item[stored])

    def stored(self, name: str) -> str:
        """The stored name of a field, or of a derived attribute, which is its own. Raises `LookupError`."""
        if name in self.fields:
            return self.fields[name].stored
        if name in self.derived:
            return name
        raise LookupError(f"{self.entity.__name__} has no field {name}")

    def encode_value(self, name: str, value: Any, *, key: Json | None = None) -> Json:
        """A value to compare a field with, or to set it to, in the field's own stored form.

        A `Secret` can be set, in the item with this `key` (DynamoDB's JSON), and never be compared. Raises `ValueError`
        for None and the empty set, which are not stored, and for a value without an exact form; `TypeError` for a
        Secret without a key.
        """
        if value is None:
            raise ValueError(f"None is not stored in {name}: ask whether it is missing, or remove it")
        if name in self.secrets:
            if key is None:
                self.comparable(name, for_equality=True)
            if not isinstance(value, Secret):
                raise TypeError(f"{self.entity.__name__}.{name} is set to a Secret, not to a {type(value).__name__}")
            return {"B": value.sealed_for(self.place(key or {}, self.secrets[name]))}
        if name in self.fields:
            encoded = self.fields[name].encode(value)
            if encoded is None:
                raise ValueError(f"an empty set cannot be stored in {name}: remove it instead")
            return encoded
        return {"S": str(value)}

    def comparable(self, name: str, *, for_equality: bool = False) -> None:
        """Raises `TypeError` for what is not stored as it reads, so that no condition can compare it.

        What is stored of a Secret differs each time; of a compressed field it can only be told whether it is equal.
        """
        if name in self.secrets:
            raise TypeError(
                f"{self.entity.__name__}.{name} is a Secret and is stored encrypted: a condition can ask whether it "
                "exists, and cannot compare it"
            )
        if name in self.compressed and not for_equality:
            raise TypeError(
                f"{self.entity.__name__}.{name} is stored compressed: a condition can ask whether it exists or "
                "equals a value, and nothing else"
            )

    def place(self, item: Json, stored: str) -> Place:
        """Where in the store a secret is: the declared table, the item's key as text, the attribute.

        Raises `LookupError` for an item that lacks its key.
        """
        if self.table is None:
            raise LookupError(f"{self.entity.__name__} has a Secret, whose table must be known")
        parts = [_key_text(item[key.name], key.type) for key in self.table.keys]
        if len(parts) > 1:  # the length keeps ("a", "b:c") and ("a:b", "c") apart
            parts.insert(0, str(len(parts[0])))
        return self.table.name, ":".join(parts), stored

    def _check_secrets(self) -> None:
        if not self.secrets:
            return
        if self.table is None:
            raise TypeError(f"{self.entity.__name__} has a Secret, so its codec needs the table")
        keys = {key.name for key in self.table.key_attributes()} | {self.table.ttl}
        parts = {part for template in self.derived.values() for part in template.fields}
        unique = {name for rule in self.entity.unique for name in (rule.field, rule.within)}
        for name, stored in self.secrets.items():
            if stored in keys or name in parts or name in unique:
                raise TypeError(f"{self.entity.__name__}.{name} is a Secret: it cannot be part of a key or of a guard")

    def _check_templates(self) -> None:
        for template in self.derived.values():
            for name in template.fields:
                info = self.entity.model_fields.get(name)
                unfit = [kind for kind in alternatives(info.annotation) if not stands_in_keys(kind)] if info else []
                if unfit or name in self.compressed:
                    raise TypeError(
                        f"{self.entity.__name__}.{name} cannot stand in a key, as {template.template!r} has it"
                    )


class Misfit:
    """Stands for a value in a form that its field does not have; pydantic then says which field it is."""

    def __init__(self, json: Any) -> None:
        self.letters = "".join(json) if isinstance(json, dict) else type(json).__name__

    def __repr__(self) -> str:
        return f"stored as {self.letters}"


_MISFITS: Final = (LookupError, ValueError, TypeError, ArithmeticError, AttributeError, zlib.error)


def is_secret(annotation: Any) -> bool:
    """Whether a field of this type is stored encrypted: `Secret`, or `Secret | None`."""
    is_union = get_origin(annotation) in {Union, types.UnionType}
    kinds = set(get_args(annotation) if is_union else (annotation,))
    return kinds - {types.NoneType} == {Secret}


def _refusing(what: str) -> Form:
    def refuse(_: Any) -> Any:
        raise TypeError(f"{what} is a Secret: only its codec, which knows the item's key, can store and read it")

    return Form(refuse, refuse, loose=refuse)


def _key_text(json: Json, kind: AttributeType) -> str:
    """A key as text; numbers in one form, however they were written."""
    if kind is AttributeType.NUMBER:
        return plain_number(Decimal(json["N"]))
    return bytes_of(json["B"]).hex() if kind is AttributeType.BINARY else str(json["S"])


__all__ = ["Codec", "FieldCodec", "Json", "decode_any", "encode_any", "iso"]


def _compiled(forms: Mapping[str, tuple[str, Form]], *, absent: Mapping[str, Any]) -> Callable[[Json], dict[str, Any]]:
    """The function that takes the values out of an item, written out field by field: a loop takes a third longer."""
    scope: dict[str, Any] = {"absent": absent}
    lines = ["def values(item):", "    found = dict(absent)"]
    for number, (name, (stored, form)) in enumerate(forms.items()):
        scope[f"loose_{number}"] = form.loose
        value = f"item[{stored!r}][{form.letter!r}]" if form.letter else f"loose_{number}(item[{stored!r}])"
        lines += [f"    if {stored!r} in item:", f"        found[{name!r}] = {value}"]
    lines.append("    return found")
    exec("\n".join(lines), scope)  # noqa: S102  (made of nothing but our own declarations)
    compiled: Callable[[Json], dict[str, Any]] = scope["values"]
    return compiled
