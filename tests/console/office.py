"""The addresses of a back office with more in it: entities whose lists and keys the registered ones do not have."""

from collections.abc import Mapping
from decimal import Decimal
from typing import ClassVar

from django.contrib.admin.sites import all_sites
from django.urls import path

from apps.accounts.admin import UserAdmin
from apps.accounts.permissions import Permission, allowed
from apps.audit.entities import AuditEntry
from apps.audit.repository import AuditLog
from apps.console.entity_admin import EntityAdmin
from apps.console.site import Console
from apps.policy_runs.admin import HostAdmin
from apps.policy_runs.entities import PolicyResult
from apps.policy_runs.repository import Results
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


class ResultAdmin(EntityAdmin[PolicyResult]):
    repository = Results
    sees = Permission.RUN_SCREENS
    sees_history = Permission.AUDIT_SEE
    list_display = ("policy_number", "status", "duration_ms")
    fields = ("execution_id", "policy_number", "status", "attempt", "error")


class EntryAdmin(EntityAdmin[AuditEntry]):
    repository = AuditLog
    sees = Permission.AUDIT_SEE
    list_display = ("object", "action", "actor_name")


ADMINS = (HostAdmin, UserAdmin, DeliveryAdmin, ResultAdmin, EntryAdmin)
office = Console(*ADMINS, allowed=allowed)
all_sites.discard(office)  # what is registered is checked with the project's own

urlpatterns = [
    path("admin/", office.urls) if getattr(pattern, "app_name", None) == "admin" else pattern
    for pattern in urls.urlpatterns
]
