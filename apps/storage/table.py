"""Declarations of tables: frozen values, the one source for setup, verification, queries and documentation."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum


class AttributeType(StrEnum):
    """The types a key attribute may have in DynamoDB."""

    STRING = "S"
    NUMBER = "N"
    BINARY = "B"


class Recovery(StrEnum):
    """Whether a table can be restored to a point in time (PITR)."""

    EVERYWHERE = "everywhere"
    PROD_ONLY = "prod only"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Key:
    """A key attribute under its stored name."""

    name: str
    type: AttributeType = AttributeType.STRING


def number(name: str) -> Key:
    """A numeric key attribute."""
    return Key(name, AttributeType.NUMBER)


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A global secondary index.

    `include` lists the stored attributes it carries beside the keys; None means all of them, `()` only the keys.
    `question` is the sentence that this index answers.
    """

    name: str
    partition_key: Key
    sort_key: Key | None = None
    include: tuple[str, ...] | None = None
    question: str = ""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The partition key and, where there is one, the sort key."""
        return (self.partition_key,) if self.sort_key is None else (self.partition_key, self.sort_key)


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table under its logical name; its physical name depends on the environment (see `connection.Store`).

    `ttl` names the attribute that holds the expiry in epoch seconds.
    """

    name: str
    partition_key: Key
    sort_key: Key | None = None
    indexes: tuple[Index, ...] = ()
    ttl: str | None = None
    recovery: Recovery = Recovery.PROD_ONLY
    description: str = ""

    @property
    def keys(self) -> tuple[Key, ...]:
        """The partition key and, where there is one, the sort key."""
        return (self.partition_key,) if self.sort_key is None else (self.partition_key, self.sort_key)

    def index(self, name: str) -> Index:
        """The index of that name. Raises `LookupError` where none is declared: a bug in the caller."""
        for index in self.indexes:
            if index.name == name:
                return index
        raise LookupError(f"{self.name} declares no index {name}")

    def key_attributes(self) -> Iterator[Key]:
        """Every attribute that is part of a key of the table or of an index, each once."""
        seen: set[str] = set()
        for key in (*self.keys, *(key for index in self.indexes for key in index.keys)):
            if key.name not in seen:
                seen.add(key.name)
                yield key

    def wants_recovery(self, environment: str) -> bool:
        """Whether point-in-time recovery is declared for `environment` (dev, staging or prod)."""
        return self.recovery is Recovery.EVERYWHERE or (self.recovery is Recovery.PROD_ONLY and environment == "prod")
