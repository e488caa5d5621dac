"""Writes of one kind of entity as values, and how one of them is sent."""

import contextlib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Self, TypeVar

from botocore.exceptions import ClientError
from pydantic import ValidationError

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
from apps.storage.requests.updates import creating, following, may_repeat, refuse_unfit, validated
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
        demand = {"ConditionExpression": to.condition(condition)} if condition is not None else {}
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
        unchanged = self.unchanged(entity)
        demand = self._demand(to, unchanged & condition if condition is not None else unchanged, there=True)
        return self._write(
            "Update",
            {"Key": key, "UpdateExpression": text, "ConditionExpression": demand, **to.request()},
            lambda stored: self._why_not_saved(stored, entity),
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
        refuse_unfit(update, self.kind, json, mine)
        update = validated(update, self.entity)
        now = whole_millisecond(self.clock())
        if issubclass(self.entity, Stamped) and "updated_at" not in update.touched:
            update = replace(update, set={**update.set, "updated_at": now})
        counted = replace(update, add={**update.add, "version": 1})
        derived = following(counted, self.kind, json)
        if or_create:
            counted, also = creating(counted, self.kind, json, now=now, actor_id=self.actor_id)
            derived = {**also, **derived}
        to = Expressions(self.codec, key=json)
        text = to.update(counted, derived={**derived, **self._form()})
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
            self._why_not_updated,
            is_done=lambda stored: self._shows(update, mine, stored),
            repeatable=may_repeat(update) if repeatable is None else repeatable,
        )

    def deleting(self, target: KeyValue | E, *, condition: Condition | None = None, or_gone: bool = False) -> Write:
        """The deletion of what has this key, or of an entity in the very version that was read.

        What is gone already fails a condition, unless `or_gone` and the condition itself allows that.
        """
        if isinstance(target, Entity):
            unchanged = self.unchanged(target)
            demanded = unchanged & condition if condition is not None else unchanged
            return self._deletion(
                self.key_of(target), demanded, lambda stored: self._why_not_saved(stored, target), there=True
            )
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

    def unchanged(self, entity: E) -> Condition:
        """The condition that nobody has written since the entity was read.

        Version 0 is also what other programs write, without any. What is remembered of the stored item is demanded too:
        an item that was deleted and made anew counts from 1 again.
        """
        version = attribute("version")
        same: Condition = version.equals(entity.version)
        if entity.version == 0:
            same = version.missing() | same
        for name, value in (entity.as_read or {}).items():
            if name != "updated_at":
                field = attribute(name)
                same &= field.missing() if value is None else field.equals(value)
        return same

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
        demand = {"ConditionExpression": self._demand(to, condition, there=there)} if condition is not None else {}
        return self._write(
            "Delete", {"Key": key, **demand, **to.request()}, explain, is_done=lambda stored: stored is None
        )

    def _demand(self, to: Expressions, condition: Condition | None, *, there: bool) -> str:
        """The text of a write's condition: the caller's, that the item is there, and that its time is not up.

        A condition that speaks of the expiry itself is taken at its word.
        """
        demands = [f"({to.condition(condition)})"] if condition is not None else []
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
        self._refuse_projected(entity)
        item = self.codec.encode(entity)
        item[self.codec.stored("version")] = {"N": str(version)}
        self.kind.refuse_unfit(item)
        if not fits(item):
            raise ItemTooLarge(
                f"This {self.noun} would take {-(-item_bytes(item) // 1024)} KB; "
                f"the store keeps at most {MOST_BYTES // 1024} KB."
            ).at(table=self.table.name, operation="encode", key=self._key_of(item))
        return item

    def _key_of(self, item: Item) -> Item:
        return {key.name: item[key.name] for key in self.table.keys}

    def _refuse_projected(self, entity: E) -> None:
        if entity.is_projected:
            raise TypeError(f"this {self.entity.__name__} was read through an index and lacks attributes: get it first")

    def _is(self, entity: E, version: int, stored: Stored) -> bool:
        """Whether exactly this entity, in this version, is stored."""
        if stored is None:
            return False
        # Compared as it would be read: a list in a map may have been given as a tuple.
        sent = self.codec.decode(self._item(entity, version=version))
        return self.codec.decode(dict(stored)) == sent

    def _shows(self, update: Update, mine: Collection[str], stored: Stored) -> bool:
        """Whether a stored item has the values of an update that nobody else would have written."""
        if stored is None or not mine:
            return False
        found = self.codec.decode(dict(stored))
        # Compared as stored: an instant is stored in whole milliseconds.
        return all(
            self.codec.encode_value(name, getattr(found, name)) == self.codec.encode_value(name, update.set[name])
            for name in mine
            if getattr(found, name) is not None or update.set[name] is not None
        )

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

    def _why_not_saved(self, stored: Stored, entity: E) -> DomainError:
        if stored is None or self._is_gone(stored):
            return ItemNotFound(f"This {self.noun} does not exist any more.")
        current = self._readable(stored)
        if current is not None and current.version == entity.version and _is_same_one(current, entity):
            return self._why_not_changed(stored)
        error = StaleVersion(
            f"Somebody changed this {self.noun} in the meantime. Look at it again, then repeat your change."
        )
        error.stored = current
        return error

    def _why_not_updated(self, stored: Stored) -> DomainError:
        if not self._is_gone(stored) and self._is_of_earlier_form(stored):
            return EarlierForm(f"This {self.noun} is stored as an earlier release wrote it. Run: manage.py backfill")
        return self._why_not_changed(stored)

    def _why_not_changed(self, stored: Stored) -> DomainError:
        if stored is None or self._is_gone(stored):
            return ItemNotFound(f"There is no such {self.noun}.")
        error = ConditionFailed(f"This {self.noun} is no longer in a state that allows this.")
        error.stored = self._readable(stored)
        return error

    def _readable(self, stored: Mapping[str, Any]) -> E | None:
        """The entity in an item, or None where what is stored does not fit it: then the failed condition is told."""
        try:
            return self.codec.decode(dict(stored))
        except ValidationError:
            return None


def _is_same_one(current: Entity, entity: Entity) -> bool:
    """Whether what is stored now is what was read, rather than another made anew under its key."""
    known, found = entity.as_read or {}, current.as_read or {}
    return all(found.get(name) == value for name, value in known.items() if name != "updated_at")
