"""Writes of one kind of entity as values, and how one of them is sent."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from botocore.exceptions import ClientError

from apps.errors import DomainError
from apps.storage.conditions import Condition, Update, attribute
from apps.storage.connection import Store
from apps.storage.entity import Entity, Stamped, whole_millisecond
from apps.storage.errors import (
    AlreadyExists,
    ConditionFailed,
    Contention,
    ItemNotFound,
    ItemTooLarge,
    StaleVersion,
    error_code,
    may_be_written,
)
from apps.storage.items.kinds import Item, KeyValue
from apps.storage.items.size import MOST_BYTES, fits, item_bytes
from apps.storage.plane import backoff
from apps.storage.requests.expressions import Expressions
from apps.storage.requests.reading import Reader, utc_now
from apps.storage.transaction import Reading
from apps.storage.writes import OPERATIONS, Kind, Write, never

E = TypeVar("E", bound=Entity)
Stored = Mapping[str, Any] | None
"""The item found where a condition failed, in DynamoDB's JSON."""

CONTENTION_TRIES = 6


class EarlierForm(ConditionFailed):
    """The stored item must be brought up to date before a part of it can be changed."""

    code = "earlier_form"


class Writer(Reader[E]):
    """What `Reader` answers, and writes to single items; guards and deleted items are the business of `Repository`."""

    def __init__(self, store: Store, *, clock: Callable[[], datetime] = utc_now, actor_id: str = "") -> None:
        """`clock` stamps and decides what has expired; `actor_id` is noted as the maker of new entities."""
        super().__init__(store, clock=clock)
        self.actor_id = actor_id

    def on_behalf_of(self, actor_id: str) -> Self:
        """The same repository for somebody: what they add is noted as created by them."""
        return type(self)(self.store, clock=self.clock, actor_id=actor_id)

    def adding(self, entity: E) -> Write:
        """The write of a new entity; an expired one under its key is replaced."""
        made = self.stamped(entity)
        item = self._item(made, version=1)
        to = Expressions(self.codec)
        free = f"attribute_not_exists({to.name(self.table.partition_key.name)})"
        if self.table.ttl is not None:
            free += f" OR {to.name(self.table.ttl)} <= {self._now(to)}"
        return self._write(
            "Put",
            {"Item": item, "ConditionExpression": free, **to.request()},
            lambda _: AlreadyExists(f"This {self.noun} exists already."),
            is_done=lambda stored: self._is(made, 1, stored),
        )

    def putting(self, entity: E, *, condition: Condition | None = None) -> Write:
        """A write of the whole item over whatever is stored there; the condition may allow that nothing is."""
        item = self._item(self.stamped(entity), version=entity.version + 1)
        to = Expressions(self.codec, key=self._key_of(item))
        demand = {"ConditionExpression": to.condition(condition)} if condition else {}
        return self._write("Put", {"Item": item, **demand, **to.request()}, self._why_not_changed)

    def saving(self, entity: E, *, condition: Condition | None = None) -> Write:
        """The write of the next version of what was read."""
        self._refuse_projected(entity)
        version = entity.version
        made = self.stamped(entity)
        item = self._item(made, version=version + 1)
        key = self._key_of(item)
        to = Expressions(self.codec, key=key)
        sets = [f"{to.name(name)} = {to.value(value)}" for name, value in item.items() if name not in key]
        declared = (*self.codec.by_stored, *self.codec.derived)
        removes = [to.name(name) for name in declared if name not in item and name not in key]
        text = f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else "")
        demand = self._demand(to, _unchanged(version) & condition if condition else _unchanged(version), there=True)
        return self._write(
            "Update",
            {"Key": key, "UpdateExpression": text, "ConditionExpression": demand, **to.request()},
            lambda stored: self._why_not_saved(stored, version),
            is_done=lambda stored: self._is(made, version + 1, stored),
        )

    def updating(
        self,
        key: KeyValue,
        update: Update,
        *,
        condition: Condition | None = None,
        or_create: bool = False,
        mine: Collection[str] = (),
        repeatable: bool | None = None,
    ) -> Write:
        """The write of some attributes; see `Repository.update`."""
        json = self.key(key)
        if issubclass(self.entity, Stamped) and "updated_at" not in update.set:
            update = replace(update, set={**update.set, "updated_at": whole_millisecond(self.clock())})
        counted = replace(update, add={**update.add, "version": 1})
        to = Expressions(self.codec, key=json)
        text = to.update(counted, derived={**self._derived(counted, json), **self._form()})
        demand = self._demand(to, condition, there=not or_create)
        demand = self._demand_of_form(to, demand, or_create=or_create)
        return self._write(
            "Update",
            {
                "Key": json,
                "UpdateExpression": text,
                **({"ConditionExpression": demand} if demand else {}),
                **to.request(),
            },
            self._why_not_changed,
            is_done=lambda stored: self._shows(update, mine, stored),
            repeatable=_may_repeat(update) if repeatable is None else repeatable,
        )

    def deleting(self, target: KeyValue | E, *, condition: Condition | None = None, or_gone: bool = False) -> Write:
        """The deletion of what has this key, or of an entity in the very version that was read.

        What is gone already fails a condition, unless `or_gone` and the condition itself allows that.
        """
        if isinstance(target, Entity):
            version = target.version
            json = self.key_of(target)
            demanded = _unchanged(version) & condition if condition else _unchanged(version)
            return self._deletion(json, demanded, lambda stored: self._why_not_saved(stored, version), there=True)
        return self._deletion(self.key(target), condition, self._why_not_changed, there=not or_gone)

    def reading(self, key: KeyValue) -> Reading[E]:
        """The question for one item, to be asked with others by `read_together`."""
        request = {"TableName": self.store.physical(self.table), "Key": self.key(key)}
        return Reading(table=self.table.name, request=request, read=self._read)

    def checking(self, key: KeyValue, condition: Condition) -> Write:
        """A check that takes part in a transaction and changes nothing."""
        json = self.key(key)
        to = Expressions(self.codec, key=json)
        return self._write(
            "ConditionCheck",
            {"Key": json, "ConditionExpression": to.condition(condition), **to.request()},
            self._why_not_changed,
        )

    def sweep(self, *, start: Item | None = None) -> Iterator[tuple[list[Item], Item | None]]:
        """The whole table as stored, page by page, each with the key to go on after: a scan, for maintenance alone."""
        request: Item = {"ConsistentRead": True, **({"ExclusiveStartKey": start} if start else {})}
        while True:
            answer = self._call("scan", **request)
            last = answer.get("LastEvaluatedKey")
            yield answer["Items"], last
            if last is None:
                return
            request["ExclusiveStartKey"] = last

    def key_of(self, entity: E) -> Item:
        """The key of an entity in DynamoDB's JSON."""
        return self._key_of(self.codec.encode(entity))

    def stamped(self, entity: E) -> E:
        """The entity with its times and maker filled in where the caller left them out."""
        if not isinstance(entity, Stamped):
            return entity
        now = whole_millisecond(self.clock())
        is_new = entity.version == 0
        kept = entity.updated_at is not None and (
            is_new or entity.as_read is None or entity.updated_at != entity.as_read["updated_at"]
        )
        stamps: dict[str, Any] = {} if kept else {"updated_at": now}
        if is_new and entity.created_at is None:
            stamps["created_at"] = now
        if is_new and not entity.created_by and self.actor_id:
            stamps["created_by"] = self.actor_id
        return entity.model_copy(update=stamps) if stamps else entity

    # --- inside ------------------------------------------------------------------------------------------------------

    def _send(self, write: Write, **more: Any) -> Item:
        """Send one write by itself. Raises what it explains, and `Contention` where others keep writing the item."""
        request = {**write.request, **more}
        if "ConditionExpression" in request:
            request["ReturnValuesOnConditionCheckFailure"] = "ALL_OLD"
        operation = OPERATIONS[write.kind]
        uncertain = False  # whether an earlier try, whose answer was lost, may have been carried out
        for attempt in range(CONTENTION_TRIES):
            try:
                return self.store.call(
                    operation, table=write.table, key=write.key, repeatable=write.repeatable, **request
                )
            except Contention as error:
                contention = error
                uncertain |= may_be_written(error.__cause__)
                backoff.rest(attempt)
            except ClientError as error:
                if error_code(error) != "ConditionalCheckFailedException":
                    raise
                found: Stored = error.response.get("Item")  # type: ignore[assignment]
                uncertain |= may_be_written(error)
                if uncertain and write.is_done(found):
                    return {"Attributes": found}
                refusal = write.refused(found)
                if isinstance(refusal, ConditionFailed):
                    refusal.is_certain = not uncertain
                raise refusal from error
        raise contention

    def _write(
        self,
        kind: Kind,
        request: Item,
        explain: Callable[[Stored], DomainError],
        *,
        is_done: Callable[[Stored], bool] = never,
        repeatable: bool = True,
    ) -> Write:
        named = {"TableName": self.store.physical(self.table), **request}
        key = request["Key"] if "Key" in request else self._key_of(request["Item"])
        return Write(
            kind=kind,
            table=self.table.name,
            key=key,
            request=named,
            explain=explain,
            is_done=is_done,
            repeatable=repeatable,
        )

    def _deletion(
        self, key: Item, condition: Condition | None, explain: Callable[[Stored], DomainError], *, there: bool
    ) -> Write:
        to = Expressions(self.codec, key=key)
        demand = {"ConditionExpression": self._demand(to, condition, there=there)} if condition else {}
        return self._write(
            "Delete", {"Key": key, **demand, **to.request()}, explain, is_done=lambda stored: stored is None
        )

    def _demand(self, to: Expressions, condition: Condition | None, *, there: bool) -> str:
        """The text of a write's condition: the caller's, that the item is there, and that its time is not up.

        A condition that speaks of the expiry itself is taken at its word.
        """
        demands = [f"({to.condition(condition)})"] if condition else []
        if there:
            demands.append(f"attribute_exists({to.name(self.table.partition_key.name)})")
        ttl = self.table.ttl
        if ttl is not None and not self._speaks_of(condition, ttl):
            name = to.name(ttl)
            demands.append(f"(attribute_not_exists({name}) OR {name} > {self._now(to)})")
        return " AND ".join(demands)

    def _speaks_of(self, condition: Condition | None, stored: str) -> bool:
        if condition is None:
            return False
        apart = Expressions(self.codec)
        apart.condition(condition)
        return stored in apart.names.values()

    def _now(self, to: Expressions) -> str:
        now: str = to.value({"N": str(int(self.clock().timestamp()))})
        return now

    def _item(self, entity: E, *, version: int) -> Item:
        item = self.codec.encode(entity)
        item[self.codec.stored("version")] = {"N": str(version)}
        if not fits(item):
            raise ItemTooLarge(
                f"This {self.noun} would take {-(-item_bytes(item) // 1024)} KB; "
                f"the store keeps at most {MOST_BYTES // 1024} KB."
            ).at(table=self.table.name, operation="encode", key=self._key_of(item))
        return item

    def _key_of(self, item: Item) -> Item:
        return {key.name: item[key.name] for key in self.table.keys}

    def _derived(self, update: Update, key: Item) -> Item:
        """Derived attributes that follow from an update; each needs all its fields in the update or the key."""
        touched = {*update.set, *update.remove, *update.default, *update.add, *update.append, *update.discard}
        known = {**self.kind.fields_of(key), **dict.fromkeys(update.remove), **update.set}
        found: Item = {}
        for stored, template in self.codec.derived.items():
            if not touched.intersection(template.fields):
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

    def _refuse_projected(self, entity: E) -> None:
        if entity.is_projected:
            raise TypeError(f"this {self.entity.__name__} was read through an index and lacks attributes: get it first")

    def _is(self, entity: E, version: int, stored: Stored) -> bool:
        """Whether exactly this entity, in this version, is stored."""
        return stored is not None and self.codec.decode(dict(stored)) == entity.model_copy(update={"version": version})

    def _shows(self, update: Update, mine: Collection[str], stored: Stored) -> bool:
        """Whether a stored item has the values of an update that nobody else would have written."""
        if stored is None or not mine:
            return False
        found = self.codec.decode(dict(stored))
        return all(getattr(found, name) == update.set[name] for name in mine)

    # --- items that an earlier release wrote ---

    def bring_up_to_date(self, key: Mapping[str, Any]) -> None:
        """Rewrite an item of an earlier form; somebody else's change meanwhile has done so already."""
        stored = self._call("get_item", Key=key, ConsistentRead=True).get("Item")
        if stored is not None and self._is_of_earlier_form(stored):
            with contextlib.suppress(StaleVersion, ItemNotFound):
                self._send(Writer.saving(self, self.codec.decode(stored)))

    def _form(self) -> Item:
        """The schema version that an update leaves, by stored attribute; empty for a kind without upgrades."""
        schema = self.codec.schema
        return {} if schema is None else {schema.attribute: {"N": str(schema.current)}}

    def _demand_of_form(self, to: Expressions, demand: str, *, or_create: bool) -> str:
        """The condition that the item has today's form: else the next reading would upgrade what the update wrote."""
        schema = self.codec.schema
        if schema is None:
            return demand
        current = f"{to.name(schema.attribute)} = {to.value({'N': str(schema.current)})}"
        if or_create:
            current = f"({current} OR attribute_not_exists({to.name(self.table.partition_key.name)}))"
        return f"{demand} AND {current}" if demand else current

    def _is_of_earlier_form(self, stored: Stored) -> bool:
        schema = self.codec.schema
        return schema is not None and stored is not None and schema.of(dict(stored)) < schema.current

    # --- what to say of a failed condition ---

    def _is_gone(self, stored: Stored) -> bool:
        return stored is None or self._is_expired(stored)

    def _why_not_saved(self, stored: Stored, version: int) -> DomainError:
        if stored is None or self._is_gone(stored):
            return ItemNotFound(f"This {self.noun} does not exist any more.")
        current = self.codec.decode(dict(stored))
        if current.version == version:
            return self._why_not_changed(stored)
        error = StaleVersion(
            f"Somebody changed this {self.noun} in the meantime. Look at it again, then repeat your change."
        )
        error.stored = current
        return error

    def _why_not_changed(self, stored: Stored) -> DomainError:
        if stored is None or self._is_gone(stored):
            return ItemNotFound(f"There is no such {self.noun}.")
        if self._is_of_earlier_form(stored):
            return EarlierForm(f"This {self.noun} is stored as an earlier release wrote it. Run: manage.py backfill")
        error = ConditionFailed(f"This {self.noun} is no longer in a state that allows this.")
        error.stored = self.codec.decode(dict(stored))
        return error


def _unchanged(version: int) -> Condition:
    """The condition that nobody has written since this version; 0 is also what other programs write, without any."""
    same = attribute("version").equals(version)
    return attribute("version").missing() | same if version == 0 else same


def _may_repeat(update: Update) -> bool:
    """Whether doing it twice is doing it once: true of sets of values, not of sums and appended lists."""
    return not update.append and all(isinstance(value, set | frozenset) for value in update.add.values())
