"""Repositories: the questions and changes that one kind of entity allows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from apps.storage.conditions import Condition, Update, attribute
from apps.storage.entity import Entity
from apps.storage.errors import ConditionFailed, ItemNotFound, StaleVersion
from apps.storage.items.kinds import Item, KeyValue
from apps.storage.requests.writing import EarlierForm, Writer
from apps.storage.transaction import Transaction
from apps.storage.trash import Trash, deleted, place_in_trash
from apps.storage.unique import Guards, already_taken, owner_key, owner_text, place, places
from apps.storage.writes import Write

E = TypeVar("E", bound=Entity)

PUTS_A_BATCH_WRITE = 25
DELETE_TRIES = 5


class Repository(Writer[E]):
    """Entities of one kind in one table: the questions of `Reader`, and the changes.

    Domain repositories subclass it and add questions that read aloud. Every method raises only domain errors: those
    named at the method, and `StoreUnavailable` or `Throttled` where the store does not do its part. Where the entity
    declares unique fields or is kept when deleted, the writes that go with that are part of every change.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse what cannot be kept unique: the store deletes what expired without letting go of its guards."""
        super().__init_subclass__(**kwargs)
        table, entity = getattr(cls, "table", None), getattr(cls, "entity", None)
        if table is not None and entity is not None and table.ttl and entity.unique:
            raise TypeError(f"{entity.__name__} has unique fields, and {table.name} deletes its items by time (ttl)")

    def add(self, entity: E, *also: Write) -> E:
        """Store a new entity, together with `also`, and return it as stored.

        Raises `AlreadyExists` where its key is taken and `Duplicate` (with its field) where a unique value is; after a
        lost answer an identical entity under its key counts as the one that was to be added. Like
        every write it raises `Contention` where others keep writing the same item in transactions, and, where it writes
        a whole entity, `ItemTooLarge`.
        """
        made = self.stamped(entity)
        self._commit(self.adding(made), *also)
        return made.at_version(1)

    def save(self, entity: E, *also: Write, condition: Condition | None = None) -> E:
        """Store the next version of what was read, together with `also`, and return it.

        Attributes that the entity does not declare stay as they are. Raises `StaleVersion` where somebody saved in
        between (it carries what they saved), `ItemNotFound` where it is gone, `Duplicate`, and `ConditionFailed` for
        the condition.
        """
        made = self.stamped(entity)
        self._commit(self.saving(made, condition=condition), *also)
        return made.at_version(entity.version + 1)

    def update(
        self,
        key: KeyValue,
        update: Update,
        *,
        condition: Condition | None = None,
        or_create: bool = False,
        mine: Collection[str] = (),
        repeatable: bool | None = None,
    ) -> E:
        """Change some attributes and return the whole new entity.

        Raises `ItemNotFound` where it is not there (unless `or_create`), `ConditionFailed` for the condition.

        An answer may be lost after the change was made. What adds to numbers or appends to lists is then not sent again
        but raises `OutcomeUnknown`, unless the caller says that doing it twice is harmless (`repeatable`). Anything
        else is, and its condition may then fail because of the change itself: `mine` names fields of `set` whose values
        nobody else writes (an owner, an attempt), by which that is known and counts as done; without them the
        `ConditionFailed` says that it is not `is_certain`. In a `Transaction` everything is done exactly once.
        """
        write = self.updating(key, update, condition=condition, or_create=or_create, mine=mine, repeatable=repeatable)
        try:
            answer = self._send(write, ReturnValues="ALL_NEW")
        except EarlierForm:
            self.bring_up_to_date(write.key)
            answer = self._send(write, ReturnValues="ALL_NEW")
        except ItemNotFound:
            if not or_create:
                raise
            # Its time is up but it is still stored: it must go first, or its old attributes would live on.
            self._send_expired_away(key)
            answer = self._send(write, ReturnValues="ALL_NEW")
        return self.codec.decode(answer["Attributes"])

    def delete(self, target: KeyValue | E, *also: Write, condition: Condition | None = None) -> None:
        """Delete what has this key, or an entity in the version that was read, together with `also`.

        By key, what is gone already is fine unless a condition is given (`ConditionFailed`, `ItemNotFound`). With an
        entity it raises `StaleVersion` where somebody saved in between, and `ItemNotFound` where it is gone.
        """
        if isinstance(target, Entity) or not self._needs_reading_to_delete:
            self._commit(self.deleting(target, condition=condition), *also)
            return
        for _ in range(DELETE_TRIES):
            found = self.find(target, consistent=True)
            try:
                if found is not None:
                    self._commit(self.deleting(found, condition=condition), *also)
                elif condition is not None:
                    raise ItemNotFound(f"There is no such {self.noun}.").at(
                        table=self.table.name, operation="delete_item", key=self.key(target)
                    )
                elif also:
                    self._commit(self._demanding_absence(target), *also)
            except (StaleVersion, ItemNotFound) as error:  # changed, gone or come since: look again
                if found is None and condition is not None:
                    raise
                stale = error
            else:
                return
        raise stale

    def restore(self, key: KeyValue, *also: Write) -> E:
        """Bring back what was deleted, for as long as it is kept, and return it.

        Raises `ItemNotFound` where nothing is kept, `AlreadyExists` where something has its key by now, `Duplicate`
        where something else has its unique value.
        """
        trash, json = Trash(self.store, clock=self.clock), self.key(key)
        kept = trash.find(place_in_trash(self.table, json), consistent=True)
        item = kept.stored if kept is not None else {}
        if kept is None or self._is_expired(item):
            raise ItemNotFound(f"There is no deleted {self.noun} to restore.").at(
                table=self.table.name, operation="restore", key=json
            )
        entity = self.codec.decode(item)
        version = entity.version + 1  # whoever read it before it was deleted must not save over it
        item[self.codec.stored("version")] = {"N": str(version)}
        write = self.adding(entity)
        put = replace(write, request={**write.request, "Item": item}).with_also(trash.deleting(kept))
        self._commit(put, *also)
        return entity.at_version(version)

    def find_unique(self, field: str, value: Any, *, within: Any = None) -> E | None:
        """Who has this value of a unique field: read consistently through its guard, never through an index."""
        unique = next((unique for unique in self.entity.unique if unique.field == field), None)
        if unique is None:
            raise TypeError(f"{self.entity.__name__}.{field} is not declared unique")
        taken = place(self.table, unique, {field: value, unique.within or field: within if unique.within else value})
        guards, before = Guards(self.store), None
        for _ in range(DELETE_TRIES):
            owner = guards.owner(*taken) if taken else None
            if owner is None or owner == before:  # twice the same: the guard does not match its item, which is damage
                return None
            found = self.find(owner_key(self.table, owner), consistent=True)
            if found is not None and taken in places(self.table, self.entity, found.__dict__):
                return found
            before = owner  # it may have moved since the guard was read
        return None

    def put_many(self, entities: Iterable[E]) -> int:
        """Store these entities unconditionally, 25 a request, until every one is processed; returns how many.

        Raises `TypeError` for a kind with unique fields: a batch cannot guard them.
        """
        self._refuse_batches()
        made = ((self.stamped(entity), entity.version + 1) for entity in entities)
        items = (self._item(entity, version=version) for entity, version in made)
        latest = {self.kind.identity(item): item for item in items}  # a batch may name a key only once
        return self._write_batches([{"PutRequest": {"Item": item}} for item in latest.values()])

    def delete_many(self, keys: Iterable[KeyValue]) -> int:
        """Delete these keys, 25 a request, until every one is processed; returns how many.

        Raises `TypeError` for a kind with unique fields, or one that is kept when deleted.
        """
        self._refuse_batches()
        wanted = {self.kind.identity(key): key for key in map(self.key, keys)}  # a batch may name a key only once
        return self._write_batches([{"DeleteRequest": {"Key": key}} for key in wanted.values()])

    # --- writes as values, for transactions --------------------------------------------------------------------------

    def putting(self, entity: E, *, condition: Condition | None = None) -> Write:
        """A write of the whole item over whatever is stored there. Raises `TypeError` for a kind with unique fields."""
        if self.entity.unique:
            raise TypeError(f"{self.entity.__name__} has guards: add or save it")
        return super().putting(entity, condition=condition)

    def adding(self, entity: E) -> Write:
        """The write behind `add`, with the guards of its unique values."""
        made = self.stamped(entity)
        write = super().adding(made)
        return write.with_also(*self._claims(made, but={}, owner=owner_text(write.key)))

    def saving(self, entity: E, *, condition: Condition | None = None) -> Write:
        """The write behind `save`, with the guards that move. Reads the item first where it is not known as stored."""
        if self.entity.unique and entity.as_read is None:
            self._learn_what_is_stored(entity)
        write = super().saving(entity, condition=condition)
        if not self.entity.unique or entity.as_read is None:
            return write  # where nothing is known it is gone, and the write will say so
        owner, had = owner_text(write.key), places(self.table, self.entity, entity.as_read)
        has = places(self.table, self.entity, entity.__dict__)
        guards = Guards(self.store)
        released = [guards.releasing(*taken, owner=owner) for taken in had if taken not in has]
        return write.with_also(*self._claims(entity, but=had, owner=owner), *released)

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
        """The write behind `update`. Raises `TypeError` for a unique field: only `save` knows what to let go."""
        guarded = {name for unique in self.entity.unique for name in (unique.field, unique.within)}
        if found := sorted(name for name in update.touched & guarded if name):
            raise TypeError(f"{self.entity.__name__}.{found[0]} is guarded: change it with save")
        return super().updating(key, update, condition=condition, or_create=or_create, mine=mine, repeatable=repeatable)

    def deleting(self, target: KeyValue | E, *, condition: Condition | None = None, or_gone: bool = False) -> Write:
        """The write behind `delete`, with the guards to let go and the copy that is kept.

        Where there are any it reads the item first. Raises `TypeError` for a mere key then: give the entity.
        """
        write = super().deleting(target, condition=condition, or_gone=or_gone)
        if not self._needs_reading_to_delete:
            return write
        if not isinstance(target, Entity):
            raise TypeError(f"{self.entity.__name__} has guards or is kept when deleted: delete the entity, not a key")
        stored = self._stored(write.key)
        if stored is None:
            return write  # it is gone, and the write will say so
        owner, guards = owner_text(write.key), Guards(self.store)
        held = places(self.table, self.entity, self.codec.decode(stored).__dict__)
        released = [guards.releasing(*taken, owner=owner) for taken in held]
        return write.with_also(*released, *self._kept(stored, write.key))

    # --- inside ------------------------------------------------------------------------------------------------------

    def _commit(self, write: Write, *also: Write) -> None:
        if also or write.also:
            Transaction(self.store, write, *also).commit()
        else:
            self._send(write)

    @property
    def _needs_reading_to_delete(self) -> bool:
        return bool(self.entity.unique) or self.entity.kept_deleted is not None

    def _claims(self, entity: E, *, but: Iterable[tuple[str, str]], owner: str) -> list[Write]:
        guards = Guards(self.store)
        wanted = places(self.table, self.entity, entity.__dict__)
        return [
            guards.claiming(*taken, owner=owner, otherwise=already_taken(self.noun, unique))
            for taken, unique in wanted.items()
            if taken not in but
        ]

    def _kept(self, stored: Item, key: Mapping[str, Any]) -> list[Write]:
        keep = self.entity.kept_deleted
        if keep is None:
            return []
        now = self.clock()
        return [
            Trash(self.store, clock=self.clock).putting(
                deleted(self.table, stored, key=key, now=now, until=now + keep, by=self.actor_id)
            )
        ]

    def _stored(self, key: Mapping[str, Any]) -> Item | None:
        found: Item | None = self._call("get_item", Key=key, ConsistentRead=True).get("Item")
        return found

    def _learn_what_is_stored(self, entity: E) -> None:
        """Let an entity that was made by hand know the stored values of the fields whose change has consequences."""
        stored = self._stored(self.key_of(entity))
        if stored is not None:
            entity.remember(**dict(self.codec.decode(stored).as_read or {}))

    def _demanding_absence(self, key: KeyValue) -> Write:
        """The check that nothing has this key, to go with what is written on that belief."""
        absent = {
            "ConditionExpression": "attribute_not_exists(#0)",
            "ExpressionAttributeNames": {"#0": self.table.partition_key.name},
        }
        came = StaleVersion(f"Somebody made this {self.noun} in the meantime. Look at it again.")
        return self._write("ConditionCheck", {"Key": self.key(key), **absent}, lambda _: came)

    def _send_expired_away(self, key: KeyValue) -> None:
        field = self.codec.by_stored[str(self.table.ttl)].name
        up = attribute(field).at_most(self.clock())
        try:
            self._send(Writer.deleting(self, key, condition=up))
        except (ConditionFailed, ItemNotFound):  # somebody else did it, or made it anew
            return

    def _refuse_batches(self) -> None:
        if self._needs_reading_to_delete:
            raise TypeError(f"{self.entity.__name__} has guards or is kept when deleted: write one at a time")

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
