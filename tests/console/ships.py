"""An entity with every kind of field, its table, services and a console of its own."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal

from django.contrib.admin.sites import all_sites

from apps.accounts.middleware import actor_of
from apps.accounts.permissions import Permission, allowed
from apps.audit.repository import AuditLog
from apps.console.entity_admin import EntityAdmin
from apps.console.site import Console
from apps.storage.connection import default_store
from apps.storage.entity import Entity, Expiry, Instant
from apps.storage.repository import Repository
from apps.storage.table import Key, Table


class Flag(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"
    WHITE = "white"


class Ship(Entity):
    ship_id: str
    name: str = ""
    flags: frozenset[Flag] = frozenset()
    crew: frozenset[str] = frozenset()
    ports: tuple[str, ...] = ()
    depths: list[int] = []  # noqa: RUF012  (pydantic copies it)
    course: tuple[Flag, ...] = ()
    sails_at: Instant | None = None
    seen_at: Instant = datetime(2026, 1, 1, 12, tzinfo=UTC)
    built_on: date | None = None
    tonnage: Decimal | None = None
    draught: Decimal = Decimal("1.50")
    rig: Literal["sloop", "ketch", "none"] = "none"
    gone_at: Expiry | None = None
    plan: bytes = b""
    pilots: tuple[str, ...] | None = None


SHIPS = Table(name="Ships", partition_key=Key("ship_id"))


class Ships(Repository[Ship]):
    entity, table, noun = Ship, SHIPS, "ship"


class ShipAdmin(EntityAdmin[Ship]):
    repository = Ships
    sees = Permission.HOSTS_SEE
    changes = Permission.HOSTS_CHANGE
    sees_history = Permission.AUDIT_SEE
    labels: ClassVar[Mapping[str, str]] = {"ship_id": "id"}
    list_display = ("ship_id", "name")

    def create(self, request: Any, entity: Ship) -> Ship:
        after = entity.model_dump(exclude={"version"})
        return _ships().add(entity, _entry(request, entity, action="ship.added", after=after))

    def change(self, request: Any, *, before: Ship, after: Ship) -> Ship:
        old, new = before.model_dump(), after.model_dump()
        changed = [name for name in new if new[name] != old[name]]
        told = {"before": {name: old[name] for name in changed}, "after": {name: new[name] for name in changed}}
        return _ships().save(after, _entry(request, after, action="ship.changed", **told))

    def remove(self, request: Any, entity: Ship) -> None:
        _ships().delete(entity, _entry(request, entity, action="ship.deleted", before=entity.model_dump()))


def _ships() -> Ships:
    return Ships(default_store())


def _entry(request: Any, ship: Ship, **told: Any) -> Any:
    log = AuditLog(default_store())
    return log.recording(f"Ships#{ship.ship_id}", actor=actor_of(request), at=datetime.now(UTC), **told)


console = Console(ShipAdmin, allowed=allowed)
all_sites.discard(console)  # it is nobody's but these tests'
