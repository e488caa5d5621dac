"""An entity with every kind of field, its table, services and a console of its own."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, ClassVar, Literal

from django.contrib.admin.sites import all_sites
from pydantic import BaseModel, Field

from apps.accounts.middleware import actor_of
from apps.accounts.permissions import Permission, allowed
from apps.audit.entities import AuditEntry
from apps.audit.repository import AuditLog
from apps.console.entity_admin import EntityAdmin
from apps.console.forms.inlines import Inline
from apps.console.site import Console
from apps.storage.conditions import Query
from apps.storage.connection import default_store
from apps.storage.entity import Entity, Expiry, Instant
from apps.storage.repository import Repository
from apps.storage.secrets import Secret
from apps.storage.table import Key, Table


class Flag(StrEnum):
    RED = "red"
    DARK_BLUE = "dark_blue"
    WHITE = "white"


class Sail(BaseModel):
    cloth: str
    area: Decimal | None = None


class Mast(BaseModel):
    height: int = Field(ge=1, description="In metres")
    made_of: Literal["wood", "steel"] = "wood"
    sails: tuple[Sail, ...] = ()


class Crate(BaseModel):
    mark: str = Field(max_length=8)
    count: int = 1
    is_fragile: bool = False
    packed_at: Instant | None = None


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
    mast: Mast = Mast(height=9)
    spare_mast: Mast | None = None
    cargo: tuple[Crate, ...] = ()
    stores: Mapping[str, int] = Field(default_factory=dict)
    notes: Mapping[str, Any] = Field(default_factory=dict)
    radio_key: Secret | None = None
    safe: Secret | None = Field(default=None, description="The code of the safe")
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


class Visit(Entity):
    ship_id: str
    port: str
    tons: int = Field(default=0, le=1000)
    note: str = ""


VISITS = Table(name="Visits", partition_key=Key("ship_id"), sort_key=Key("port"))


class Visits(Repository[Visit]):
    entity, table, noun = Visit, VISITS, "visit"


class VisitAdmin(EntityAdmin[Visit]):
    repository = Visits
    sees = Permission.HOSTS_CHANGE
    changes = Permission.HOSTS_CHANGE
    list_display = ("ship_id", "port", "tons")

    def create(self, request: Any, entity: Visit) -> Visit:
        del request
        return Visits(default_store()).add(entity)

    def change(self, request: Any, *, before: Visit, after: Visit) -> Visit:
        del request, before
        return Visits(default_store()).save(after)

    def remove(self, request: Any, entity: Visit) -> None:
        del request
        Visits(default_store()).delete(entity)


class EntryAdmin(EntityAdmin[AuditEntry]):
    repository = AuditLog
    plural = "audit entries"
    sees = Permission.AUDIT_SEE


class VisitsOfShip(Inline):
    admin, title, columns, limit = VisitAdmin, "Visits", ("port", "tons"), 3

    def query(self, parent: Ship) -> Query:
        return Query(partition=parent.ship_id)

    def given(self, parent: Ship) -> Mapping[str, Any]:
        return {"ship_id": parent.ship_id}

    def all_address(self, request: Any, parent: Ship) -> str:
        del request
        return f"/visits/{parent.ship_id}/"


class EntriesOfShip(Inline):
    admin, title, columns = EntryAdmin, "What was done", ("action", "actor_name")

    def query(self, parent: Ship) -> Query:
        return Query(partition=f"Ships#{parent.ship_id}", descending=True)


class SortedShipAdmin(ShipAdmin):
    """The same with its pages put in order."""

    readonly_fields = ("crew_size", "seen_at")
    children = (VisitsOfShip, EntriesOfShip)
    fieldsets = (
        (None, {"fields": ("ship_id", "name", ("built_on", "rig"))}),
        ("People", {"fields": ("crew", "crew_size", "pilots"), "description": "Who is on board"}),
        ("Rarely needed", {"fields": ("seen_at", "draught", "radio_key"), "classes": ("collapse",)}),
    )

    def crew_size(self, row: Any) -> int:
        return len(row.crew)

    def site_page(self, request: Any, entity: Ship) -> str | None:
        return f"/ships/{entity.ship_id}/" if allowed(request.user, Permission.HOSTS_CHANGE) else None


def _ships() -> Ships:
    return Ships(default_store())


def _entry(request: Any, ship: Ship, **told: Any) -> Any:
    log = AuditLog(default_store())
    return log.recording(f"Ships#{ship.ship_id}", actor=actor_of(request), at=datetime.now(UTC), **told)


console = Console(ShipAdmin, allowed=allowed, actor_of=actor_of)
sorted_console = Console(SortedShipAdmin, VisitAdmin, allowed=allowed, actor_of=actor_of)
for one in (console, sorted_console):
    all_sites.discard(one)  # it is nobody's but these tests'
