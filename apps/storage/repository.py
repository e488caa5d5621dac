"""Repositories: the questions and changes that one kind of entity allows, in DynamoDB's terms."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar

from botocore.exceptions import ClientError

from apps.errors import DomainError
from apps.storage import backoff
from apps.storage.conditions import Condition, Expressions, Update, attribute
from apps.storage.entity import Entity
from apps.storage.errors import (
    AlreadyExists,
    ConditionFailed,
    Contention,
    ItemNotFound,
    ItemTooLarge,
    StaleVersion,
    error_code,
)
from apps.storage.reading import Item, KeyValue, Reader
from apps.storage.size import MOST_BYTES, item_bytes
from apps.storage.table import Key
from apps.storage.writes import OPERATIONS, Write

E = TypeVar("E", bound=Entity)

PUTS_A_BATCH_WRITE = 25
CONTENTION_TRIES = 6


class Repository(Reader[E]):
    """Entities of one kind in one table: the questions of `Reader`, and the changes.

    Domain repositories subclass it and add questions that read aloud. Every method raises only domain errors: those
    named at the method, and `StoreUnavailable` or `Throttled` where the store does not do its part.
    """

    def add(self, entity: E) -> E:
        """Store a new entity and return it as stored. Raises `AlreadyExists` where its key is taken.

        Like every write it raises `Contention` where others keep writing the same item in transactions, and, where it
        writes a whole entity, `ItemTooLarge`.
        """
        self._send(self.adding(entity))
        return _versioned(entity, 1)

    def save(self, entity: E, *, condition: Condition | None = None) -> E:
        """Store the next version of what was read, and return it.

        Attributes that the entity does not declare stay as they are. Raises `StaleVersion` where somebody saved in
        between (it carries what they saved), `ItemNotFound` where it is gone, `ConditionFailed` for the condition.
        """
        self._send(self.saving(entity, condition=condition))
        return _versioned(entity, entity.version + 1)

    def update(
        self, key: KeyValue, update: Update, *, condition: Condition | None = None, or_create: bool = False
    ) -> E:
        """Change some attributes and return the whole new entity.

        Raises `ItemNotFound` where it is not there (unless `or_create`), `ConditionFailed` for the condition.
        """
        write = self.updating(key, update, condition=condition, or_create=or_create)
        answer = self._send(write, ReturnValues="ALL_NEW")
        return self.codec.decode(answer["Attributes"])

    def delete(self, key: KeyValue, *, condition: Condition | None = None) -> None:
        """Delete by key; deleting what is gone is fine unless a condition is given. Raises `ConditionFailed`."""
        self._send(self.deleting(key, condition=condition))

    def put_many(self, entities: Iterable[E]) -> int:
        """Store these entities unconditionally, 25 a request, until every one is processed; returns how many."""
        items = [self._item(entity, version=entity.version + 1) for entity in entities]
        return self._write_batches([{"PutRequest": {"Item": item}} for item in items])

    def delete_many(self, keys: Iterable[KeyValue]) -> int:
        """Delete these keys, 25 a request, until every one is processed; returns how many."""
        return self._write_batches([{"DeleteRequest": {"Key": self.key(key)}} for key in keys])

    # --- writes as values, for transactions --------------------------------------------------------------------------

    def adding(self, entity: E) -> Write:
        """The write behind `add`."""
        absent = attribute_missing(self.table.partition_key)
        return self._write(
            "Put",
            {"Item": self._item(entity, version=1), **absent},
            lambda _: AlreadyExists(f"This {self.noun} exists already."),
        )

    def putting(self, entity: E) -> Write:
        """An unconditional write of the whole item, whatever is stored there."""
        item = self._item(entity, version=entity.version + 1)
        return self._write("Put", {"Item": item}, lambda _: ItemNotFound(f"There is no such {self.noun}."))

    def saving(self, entity: E, *, condition: Condition | None = None) -> Write:
        """The write behind `save`."""
        if entity.is_projected:
            raise TypeError(f"this {self.entity.__name__} was read through an index and lacks attributes: get it first")
        item = self._item(entity, version=entity.version + 1)
        to = Expressions(self.codec)
        keys = {key.name for key in self.table.keys}
        sets = [f"{to.name(name)} = {to.value(value)}" for name, value in item.items() if name not in keys]
        declared = (*self.codec.by_stored, *self.codec.derived)
        removes = [to.name(name) for name in declared if name not in item and name not in keys]
        text = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
        version = attribute("version")
        unchanged = version.equals(entity.version)
        if entity.version == 0:  # written by a program that counts no versions
            unchanged = version.missing() | unchanged
        there = f"attribute_exists({to.name(self.table.partition_key.name)})"
        return self._write(
            "Update",
            {
                "Key": {key.name: item[key.name] for key in self.table.keys},
                "UpdateExpression": text,
                "ConditionExpression": f"{there} AND {to.condition(unchanged & condition if condition else unchanged)}",
                **to.request(),
            },
            lambda stored: self._why_not_saved(stored, entity.version),
        )

    def updating(
        self, key: KeyValue, update: Update, *, condition: Condition | None = None, or_create: bool = False
    ) -> Write:
        """The write behind `update`."""
        json = self.key(key)
        to = Expressions(self.codec)
        counted = Update(
            set=update.set,
            add={**update.add, "version": 1},
            default=update.default,
            append=update.append,
            remove=update.remove,
        )
        text = to.update(counted, derived=self._derived(counted, json))
        demands = [f"({to.condition(condition)})"] if condition else []
        if not or_create:
            demands.append(f"attribute_exists({to.name(self.table.partition_key.name)})")
        demand = {"ConditionExpression": " AND ".join(demands)} if demands else {}
        return self._write(
            "Update", {"Key": json, "UpdateExpression": text, **demand, **to.request()}, self._why_not_updated
        )

    def deleting(self, key: KeyValue, *, condition: Condition | None = None) -> Write:
        """The write behind `delete`."""
        return self._write("Delete", {"Key": self.key(key), **self._demand(condition)}, self._why_not_updated)

    def checking(self, key: KeyValue, condition: Condition) -> Write:
        """A check that takes part in a transaction and changes nothing."""
        return self._write("ConditionCheck", {"Key": self.key(key), **self._demand(condition)}, self._why_not_updated)

    # --- inside ------------------------------------------------------------------------------------------------------

    def _item(self, entity: E, *, version: int) -> Item:
        item = self.codec.encode(entity)
        item[self.codec.stored("version")] = {"N": str(version)}
        size = item_bytes(item)
        if size > MOST_BYTES:
            raise ItemTooLarge(
                f"This {self.noun} would take {-(-size // 1024)} KB; the store keeps at most {MOST_BYTES // 1024} KB."
            )
        return item

    def _derived(self, update: Update, key: Item) -> Mapping[str, str | None]:
        """Derived attributes that follow from an update; each needs all its fields in the update or the key."""
        touched = {*update.set, *update.remove, *update.default, *update.add, *update.append}
        known = {**self._fields_of(key), **dict.fromkeys(update.remove), **update.set}
        found: dict[str, str | None] = {}
        for stored, template in self.codec.derived.items():
            if not touched.intersection(template.fields):
                continue
            lacking = [name for name in template.fields if name not in known]
            if lacking:
                raise TypeError(f"this update changes {stored}, so it must also give {', '.join(lacking)}")
            text = template.fill(known.__getitem__)
            if stored not in key:
                found[stored] = text
            elif text != key[stored]["S"]:
                raise TypeError(f"this update would change {stored}, which is part of the key")
        return found

    def _fields_of(self, key: Item) -> dict[str, Any]:
        """The fields that a table key tells, those inside a derived key as text."""
        known: dict[str, Any] = {}
        for name, json in key.items():
            if name in self.codec.derived:
                known |= self.codec.derived[name].read(json["S"])
            else:
                known[self.codec.by_stored[name].name] = self.codec.by_stored[name].decode(json)
        return known

    def _demand(self, condition: Condition | None) -> Item:
        if condition is None:
            return {}
        to = Expressions(self.codec)
        return {"ConditionExpression": to.condition(condition), **to.request()}

    def _write(self, kind: Any, request: Item, explain: Callable[[Mapping[str, Any] | None], DomainError]) -> Write:
        named = {"TableName": self.store.physical(self.table), **request}
        return Write(kind=kind, table=self.table.name, request=named, explain=explain)

    def _send(self, write: Write, **more: Any) -> Item:
        request = {**write.request, **more}
        if "ConditionExpression" in request:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        for attempt in range(CONTENTION_TRIES):
            try:
                return self.store.call(OPERATIONS[write.kind], table=write.table, **request)
            except Contention:
                backoff.rest(attempt)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                raise write.explain(error.response.get("Item")) from error  # type: ignore[arg-type]
        raise Contention

    def _why_not_saved(self, stored: Mapping[str, Any] | None, version: int) -> DomainError:
        if stored is None:
            return ItemNotFound(f"This {self.noun} does not exist any more.")
        current = self.codec.decode(dict(stored))
        if current.version == version:
            return self._why_not_updated(stored)
        error = StaleVersion(
            f"Somebody changed this {self.noun} in the meantime. Look at it again, then repeat your change."
        )
        error.stored = current
        return error

    def _why_not_updated(self, stored: Mapping[str, Any] | None) -> DomainError:
        if stored is None:
            return ItemNotFound(f"There is no such {self.noun}.")
        error = ConditionFailed(f"This {self.noun} is no longer in a state that allows this.")
        error.stored = self.codec.decode(dict(stored))
        return error

    def _write_batches(self, requests: Sequence[Item]) -> int:
        physical = self.store.physical(self.table)
        for start in range(0, len(requests), PUTS_A_BATCH_WRITE):
            pending = {physical: list(requests[start : start + PUTS_A_BATCH_WRITE])}
            for _ in self._tries("write"):
                answer = self.store.call("batch_write_item", table=self.table.name, RequestItems=pending)
                pending = answer.get("UnprocessedItems") or {}
                if not pending:
                    break
        return len(requests)


def attribute_missing(key: Key) -> Item:
    """The request's condition that nothing is stored under its key."""
    return {"ConditionExpression": "attribute_not_exists(#pk)", "ExpressionAttributeNames": {"#pk": key.name}}


def _versioned(entity: E, version: int) -> E:
    return entity.model_copy(update={"version": version})
