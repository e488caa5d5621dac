"""Secrets sealed anew with today's key, so that a former one can be taken away."""

from typing import Any

from apps.storage.items.codec import Codec, Json
from apps.storage.items.values import bytes_of, decode_any
from apps.storage.repository import Repository
from apps.storage.requests.writing import Writer
from apps.storage.secrets import keyring
from apps.storage.trash import Deleted, Trash
from apps.storage.upkeep.backfill import Change, pages_of


class Resealing:
    """Seals with the current key what another one sealed; a secret that no key opens is a failure of its item."""

    verb = "reencrypt"

    def goal(self, codec: Codec[Any]) -> str:
        """The current key, by its id."""
        del codec
        return f"key {keyring().current_id}"

    def is_due(self, codec: Codec[Any], item: Json) -> bool:
        """Whether one of its secrets needs another key than the current one."""
        return former_secrets(codec, item) > 0

    def remade(self, codec: Codec[Any], item: Json) -> Json:
        """The item with its secrets sealed anew. Raises `SecretUnreadable`."""
        keys = keyring()
        fresh = dict(item)
        for stored, sealed in _sealed(codec, item).items():
            place = codec.place(item, stored)
            fresh[stored] = {"B": keys.seal(keys.open(sealed, place), place)}
        return fresh


class ResealingDeleted(Resealing):
    """The same for the deleted items of one kind, which can still be restored."""

    def __init__(self, kind: Codec[Any]) -> None:
        """`kind` is the codec of what was deleted."""
        self.kind = kind
        self.verb = f"reencrypt {_table(kind)}.{kind.entity.__name__} in"

    def is_due(self, codec: Codec[Any], item: Json) -> bool:
        """Whether it was deleted from that table, and one of its secrets needs another key than the current one."""
        if item["table"].get("S") != _table(self.kind):
            return False
        deleted: Deleted = codec.decode(item)
        return super().is_due(self.kind, deleted.stored)

    def remade(self, codec: Codec[Any], item: Json) -> Json:
        """The deleted item with the secrets in its content sealed anew."""
        deleted: Deleted = codec.decode(item)
        content = super().remade(self.kind, deleted.stored)
        return codec.encode(deleted.evolve(content={name: decode_any(value) for name, value in content.items()}))


def passes(own: Repository[Any]) -> list[tuple[Writer[Any], Change]]:
    """Everything to be swept for one kind: its own items, and those deleted items that can be restored."""
    found: list[tuple[Writer[Any], Change]] = [(own, Resealing())]
    if own.entity.kept_deleted is not None:
        found.append((Trash(own.store, clock=own.clock), ResealingDeleted(own.codec)))
    return found


def count_former(repository: Repository[Any]) -> int:
    """How many items of this kind have a secret that needs another key than the current one; reads whole tables."""
    return sum(
        change.is_due(swept.codec, item)
        for swept, change in passes(repository)
        for items, _ in pages_of(swept)
        for item in items
    )


def former_secrets(codec: Codec[Any], item: Json) -> int:
    """How many of an item's secrets were not sealed with the current key."""
    keys = keyring()
    return sum(not keys.is_current(sealed) for sealed in _sealed(codec, item).values())


def _sealed(codec: Codec[Any], item: Json) -> dict[str, bytes]:
    """An item's secrets as they are stored, by attribute."""
    return {name: bytes_of(item[name]["B"]) for name in codec.secrets.values() if "B" in item.get(name, {})}


def _table(codec: Codec[Any]) -> str:
    return codec.table.name if codec.table else ""
