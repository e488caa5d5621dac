"""One kind of entity in one table: how its keys follow from its fields, and which of the table's items are of it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from functools import cached_property
from typing import Any, Generic, TypeVar, get_args

from pydantic import TypeAdapter

from apps.storage.conditions import SortKey, begins_with, between, equals
from apps.storage.entity import Entity
from apps.storage.items.codec import Codec
from apps.storage.items.keys import Slot, UnfitKey, key_text
from apps.storage.items.size import LONGEST_KEY_BYTES, SURELY_SHORT, may_be_key
from apps.storage.items.values import is_text
from apps.storage.table import AttributeType, Key, Table

E = TypeVar("E", bound=Entity)
KeyPart = str | int | Decimal | datetime | date
KeyValue = KeyPart | tuple[KeyPart, ...]
"""A table key in Python's terms: one value, or two in a tuple. Of a key that a template makes, its text."""
Item = dict[str, Any]

# Sorts after every text that a key will hold.
LAST = "\U0010ffff"
_SURROGATES = (0xD7FF, 0xE000)


class Kind(Generic[E]):
    """What `at`, `where` and the reading of mixed tables know of one kind of entity; compiled once."""

    def __init__(self, codec: Codec[E], table: Table) -> None:
        """`codec` knows the fields, `table` the keys."""
        self.codec = codec
        self.table = table
        self._keys = table.keys
        self._parts = [(key, key.name, key.type.value) for key in self._keys]
        templates = ((key.name, codec.derived.get(key.name)) for key in table.keys)
        self._marks = [(name, template.matches) for name, template in templates if template and template.says_something]
        # False where nothing tells its items from others': then the table is taken to hold no others.
        self.is_marked = bool(self._marks)

    def owns(self, item: Mapping[str, Any]) -> bool:
        """Whether an item, or a key, in DynamoDB's JSON is of this kind."""
        return all(matches(item[name]["S"]) for name, matches in self._marks)

    def table_key(self, value: KeyValue) -> Item:
        """A table key in DynamoDB's JSON. Raises `TypeError` where the number of parts is not the table's."""
        parts = value if isinstance(value, tuple) else (value,)
        if len(parts) != len(self._parts):
            raise TypeError(f"the key of {self.table.name} has {len(self._parts)} parts, not {len(parts)}")
        found: Item = {}
        for (key, name, letter), part in zip(self._parts, parts, strict=True):
            # Nearly every part is text, and there are a hundred keys in a batch: no look at fields for those.
            found[name] = {letter: part} if type(part) is str else self.key_json(key, part)
        return found

    def possible_keys(self, values: Iterable[KeyValue]) -> dict[Any, Item]:
        """The keys under which something of this kind can be, in DynamoDB's JSON by `identity`: each once, in order."""
        identity, found = self.identity, dict[Any, Item]()
        short = self._short_text_key
        for value in values:
            key = short(value)
            if key is not None:
                found[value] = key  # the text itself is its identity
                continue
            key = self.table_key(value)
            if may_be_key(key) and self.owns(key):
                found[identity(key)] = key
        return found

    @cached_property
    def _short_text_key(self) -> Callable[[Any], Item | None]:
        """The key of short texts, such as nearly all are, without a look at anything else; None for any other."""
        names = [name for _, name, letter in self._parts if letter == AttributeType.STRING]
        if self.is_marked or len(names) != len(self._parts):
            return lambda _: None
        if len(names) == 1:
            (only,) = names
            return lambda value: {only: {"S": value}} if type(value) is str and _is_short(value) else None
        first, second = names

        def short(value: Any) -> Item | None:
            if type(value) is not tuple or len(value) != len(names):
                return None
            one, other = value
            if type(one) is type(other) is str and _is_short(one) and _is_short(other):
                return {first: {"S": one}, second: {"S": other}}
            return None

        return short

    @cached_property
    def identity(self) -> Callable[[Mapping[str, Any]], Any]:
        """What two items, or keys, in DynamoDB's JSON have in common exactly where their table keys are the same."""
        names = [key.name for key in self._keys]
        if any(key.type is AttributeType.NUMBER for key in self._keys):
            letters = [(key.name, key.type.value, key.type is AttributeType.NUMBER) for key in self._keys]
            return lambda item: tuple(
                Decimal(item[name][letter]) if is_number else item[name][letter] for name, letter, is_number in letters
            )
        first, letter = names[0], self._keys[0].type.value
        if len(names) == 1:
            return lambda item: item[first][letter]
        second, other = names[1], self._keys[1].type.value
        return lambda item: (item[first][letter], item[second][other])

    def key_json(self, key: Key, value: Any) -> Item:
        """One part of a key in DynamoDB's JSON. Text is taken for the stored form: that is what `keys` gives.

        A number that the store would not keep exactly comes as its text: no item has such a key.
        """
        field = self.codec.by_stored.get(key.name)
        if field is not None and (isinstance(value, Enum) or not isinstance(value, str)):
            try:
                return field.encode(value) or {}
            except ValueError:
                if not isinstance(value, int | Decimal):
                    raise
                return {str(key.type): str(value)}
        return {str(key.type): key_text(value)}

    def fields_in(self, key: Key) -> tuple[str, ...]:
        """The fields that a key attribute is made of. Raises `TypeError` for one that this kind does not have."""
        template = self.codec.derived.get(key.name)
        if template is not None:
            return template.fields
        field = self.codec.by_stored.get(key.name)
        if field is None:
            raise TypeError(f"{self._name} has neither a field nor a template for {key.name}")
        return (field.name,)

    def refuse_unfit(self, item: Mapping[str, Any]) -> None:
        """Raises `UnfitKey`, which names the field, where a key in an encoded item is not fit to be stored.

        The store takes no key, of the table or of an index, that is empty or too long, and no item without its own.
        """
        for name, field, most, is_needed in self._limits:
            json = item.get(name)
            if json is None:
                if is_needed:
                    raise UnfitKey(f"{field} is needed: it is part of the key.", field=field)
                continue
            content = json.get("S")
            if content is None:
                content = json.get("B")
            if content is None or (0 < len(content) <= SURELY_SHORT and (type(content) is bytes or content.isascii())):
                continue
            if not content:
                raise UnfitKey(f"{field} must not be empty.", field=field)
            if isinstance(content, str) and not is_text(content):
                raise UnfitKey(f"{field} holds a character that cannot be stored.", field=field)
            if len(content.encode() if isinstance(content, str) else content) > most:
                raise UnfitKey(f"{field} is too long: it is part of a key of at most {most} bytes.", field=field)

    @cached_property
    def _limits(self) -> list[tuple[str, str, int, bool]]:
        """Each key attribute, the field to blame for it, its most bytes, and whether no item can lack it."""
        most: dict[str, int] = {}
        for keys in (self._keys, *(index.keys for index in self.table.indexes)):
            for key, limit in zip(keys, LONGEST_KEY_BYTES, strict=False):
                most[key.name] = min(limit, most.get(key.name, limit))
        own = {key.name for key in self._keys}
        return [
            (key.name, (self._fields_of_key(key) or (key.name,))[0], most[key.name], key.name in own)
            for key in self.table.key_attributes()
        ]

    def _fields_of_key(self, key: Key) -> tuple[str, ...]:
        is_known = key.name in self.codec.derived or key.name in self.codec.by_stored
        return self.fields_in(key) if is_known else ()

    # --- from fields to keys -----------------------------------------------------------------------------------------

    def at(self, fields: Mapping[str, Any]) -> KeyValue:
        """The table key from fields. Raises `TypeError` for missing and unknown ones, `UnfitKey` for unfit values."""
        self._refuse_unknown(fields, self.table.keys)
        parts = tuple(self._part(key, fields) for key in self.table.keys)
        return parts[0] if len(parts) == 1 else parts

    def partition(self, index: str | None, fields: Mapping[str, Any]) -> KeyPart:
        """A partition of the table or an index from exactly its fields. Raises `TypeError` and `UnfitKey` like `at`."""
        key = (self.table.index(index) if index else self.table).partition_key
        self._refuse_unknown(fields, (key,))
        return self._part(key, fields)

    def partition_form(self, index: str | None) -> str:
        """What the partitions of this kind have in common: the template without the names of its fields."""
        key = (self.table.index(index) if index else self.table).partition_key
        template = self.codec.derived.get(key.name)
        return "{}" if template is None else template.form

    def question(
        self, index: str | None, fields: Mapping[str, Any], sort: SortKey | None
    ) -> tuple[Any, SortKey | None]:
        """Partition and range of a query from fields; see `Reader.where`."""
        partition_key, *sort_keys = (self.table.index(index) if index else self.table).keys
        self._refuse_unknown(fields, (partition_key, *sort_keys))
        partition = self._part(partition_key, fields)
        if sort_keys:
            return partition, self._range(sort_keys[0], fields, sort)
        if sort is not None:
            raise TypeError(f"{index or self.table.name} has no sort key to ask about")
        return partition, None

    def _part(self, key: Key, fields: Mapping[str, Any]) -> str:
        missing = [name for name in self.fields_in(key) if fields.get(name) is None]
        if missing:
            raise TypeError(f"{key.name} of {self._name} needs {', '.join(missing)} too")
        template = self.codec.derived.get(key.name)
        if template is not None:
            return str(template.fill(fields.__getitem__))
        return str(next(iter(self.key_json(key, fields[self.fields_in(key)[0]]).values())))

    def _range(self, key: Key, fields: Mapping[str, Any], sort: SortKey | None) -> SortKey | None:
        template = self.codec.derived.get(key.name)
        if template is None:
            given = [fields[name] for name in self.fields_in(key) if fields.get(name) is not None]
            if given and sort is not None:
                raise TypeError(f"{key.name} is given already: it cannot be asked about as well")
            return equals(given[0]) if given else sort
        start, left = template.begin(fields)
        skipped = [slot.field for slot in left[1:] if fields.get(slot.field) is not None]
        if skipped:
            raise TypeError(f"{key.name} of {self._name} needs {left[0].field} before {', '.join(skipped)}")
        if not left:
            if sort is not None:
                raise TypeError(f"{key.name} is given already: it cannot be asked about as well")
            return equals(start)
        if sort is None:
            return begins_with(start) if start else None
        return _within(start, left[0], sort, is_last=len(left) == 1)

    def _refuse_unknown(self, fields: Mapping[str, Any], keys: tuple[Key, ...]) -> None:
        known = dict.fromkeys(name for key in keys for name in self.fields_in(key))
        unknown = [name for name in fields if name not in known]
        if unknown:
            raise TypeError(f"this key of {self._name} is made of {', '.join(known)}, not of {', '.join(unknown)}")

    @property
    def _name(self) -> str:
        return self.codec.entity.__name__

    # --- from keys to fields -----------------------------------------------------------------------------------------

    def fields_of(self, key: Mapping[str, Any]) -> dict[str, Any]:
        """The fields that a key (DynamoDB's JSON, of the table or of an index) tells, in their own types.

        Raises `ValueError` where the key is not of this kind.
        """
        known: dict[str, Any] = {}
        for name, json in key.items():
            template = self.codec.derived.get(name)
            if template is not None:
                known |= {field: self._typed(field, text) for field, text in template.read(json["S"]).items()}
            elif name in self.codec.by_stored:
                known[self.codec.by_stored[name].name] = self.codec.by_stored[name].decode(json)
        return known

    def _typed(self, field: str, text: str) -> Any:
        read = self._readers.get(field)
        return text if read is None else read(text)

    @cached_property
    def _readers(self) -> Mapping[str, Callable[[str], Any]]:
        """How the text of each field is read that stands in a template; a property's text stays text."""
        templates = (self.codec.derived[name] for name in self.codec.derived)
        names = {field for template in templates for field in template.fields}
        infos = self.codec.entity.model_fields
        return {name: _reader(infos[name].rebuild_annotation()) for name in names if name in infos}


def _is_short(text: str) -> bool:
    return 0 < len(text) <= SURELY_SHORT and is_text(text)


def _reader(annotation: Any) -> Callable[[str], Any]:
    enums = [kind for kind in (annotation, *get_args(annotation)) if isinstance(kind, type) and issubclass(kind, Enum)]
    if enums:
        members = {key_text(member): member for member in enums[0]}
        return lambda text: TypeAdapter(enums[0]).validate_python(members.get(text, text))
    return TypeAdapter(annotation).validate_python


def _within(start: str, slot: Slot, sort: SortKey, *, is_last: bool) -> SortKey:
    """A range of a template's next field as a range of the key's text, kept to keys that begin with `start`."""
    if sort.operator == "begins_with":
        return begins_with(start + key_text(sort.values[0]))
    first, *_ = lows = [start + slot.text(value) + slot.after for value in sort.values]
    # Where more fields follow, the keys of one value are a range themselves.
    highs = lows if is_last else [low + LAST for low in lows]
    match sort.operator:
        case "=":
            return equals(first) if is_last else begins_with(first)
        case "BETWEEN":
            return between(first, highs[1])
        case ">=":
            return between(first, start + LAST)
        case ">":
            return between(highs[0] + "\0", start + LAST)
        case "<=":
            return between(start, highs[0]) if start else SortKey("<=", (highs[0],))
        case _:
            return between(start, _before(first)) if start else SortKey("<", (first,))


def _before(text: str) -> str:
    """A text just before this one, after which no key comes but this one and those beyond."""
    last = ord(text[-1])
    if last == 0:
        return text[:-1]
    return text[:-1] + chr(_SURROGATES[0] if last == _SURROGATES[1] else last - 1) + LAST
