"""The addresses of a back office with more in it: entities whose lists and keys the registered ones do not have."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar

from django.contrib.admin.sites import all_sites
from django.urls import path

from apps.accounts.admin import UserAdmin
from apps.accounts.middleware import actor_of
from apps.accounts.permissions import Permission, allowed
from apps.audit.entities import AuditEntry
from apps.audit.repository import AuditLog
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.filters import Choices, Day, Days, Exactly
from apps.console.lists.listings import Listing
from apps.console.site import Console
from apps.policy_runs import admin
from apps.policy_runs.admin import HostAdmin
from apps.policy_runs.entities import AstExecution, PolicyResult
from apps.policy_runs.repository import Executions, Results
from apps.storage.entity import Entity
from apps.storage.repository import Repository
from apps.storage.table import Key, Table, number
from project import urls

handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500


class Delivery(Entity):
    """A key with a number in it, and a second name of the table's own making."""

    derived: ClassVar[Mapping[str, str]] = {"harbour_key": "HARBOUR#{harbour}"}

    harbour: str
    weight: Decimal
    note: str = ""


class Deliveries(Repository[Delivery]):
    entity = Delivery
    table = Table(name="Deliveries", partition_key=Key("harbour_key"), sort_key=number("weight"))
    noun = "delivery"


class DeliveryAdmin(EntityAdmin[Delivery]):
    repository = Deliveries
    sees = Permission.HOSTS_SEE
    changes = Permission.HOSTS_CHANGE
    sees_history = Permission.AUDIT_SEE
    list_display = ("harbour", "weight", "note")

    def create(self, request, entity):
        del request
        return self.rows().add(entity)

    def change(self, request, *, before, after):
        del request, before
        return self.rows().save(after)

    def remove(self, request, entity):
        del request
        self.rows().delete(entity)


class RunAdmin(EntityAdmin[AstExecution]):
    repository = Executions
    labels = admin.RunAdmin.labels  # of an entity there is one model
    sees = Permission.RUN_SEE
    exports = Permission.RUN_CONTROL
    list_display = ("execution_id", "created_at", "status", "user_id", "total_items", "failed_count")
    listings = (
        Listing(index="board-execution_id-index", partition="all", descending=True, sorts="created_at"),
        Listing(index="user_id-execution_id-index", by=("user_id",), descending=True, sorts="created_at"),
        Listing(index="status-execution_id-index", by=("status",), descending=True, sorts="created_at"),
    )
    filters = (Choices("status"), Exactly("user_id"), Days("created_at", ulid="execution_id"), Exactly("failed_count"))
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"user_id": UserAdmin}


class ResultAdmin(EntityAdmin[PolicyResult]):
    repository = Results
    listings = (
        Listing(index="execution_id-status_key-index", by=("execution_id",)),
        Listing(index="policy_number-execution_id-index", by=("policy_number",), descending=True),
    )
    filters = (Exactly("execution_id"), Exactly("policy_number"), Choices("status"))
    sees = Permission.RUN_SCREENS
    sees_history = Permission.AUDIT_SEE
    list_display = ("policy_number", "status", "duration_ms")
    fields = ("execution_id", "policy_number", "status", "attempt", "error")


class EntryAdmin(EntityAdmin[AuditEntry]):
    repository = AuditLog
    sees = Permission.AUDIT_SEE
    plural = "audit entries"
    list_display = ("object", "action", "at")
    listings = (
        Listing(index="day-entry-index", by=("day",), descending=True, sorts="at"),
        Listing(by=("object",), descending=True, sorts="at"),
    )
    filters = (Day("day"), Exactly("object"))


ADMINS = (HostAdmin, UserAdmin, RunAdmin, DeliveryAdmin, ResultAdmin, EntryAdmin)
office = Console(*ADMINS, allowed=allowed, actor_of=actor_of)
all_sites.discard(office)  # what is registered is checked with the project's own

urlpatterns = [
    path("admin/", office.urls) if getattr(pattern, "app_name", None) == "admin" else pattern
    for pattern in urls.urlpatterns
]
