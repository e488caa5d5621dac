"""Several kinds in one table, as a shop's import and export service keeps them."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, ClassVar

from apps.storage.entity import Entity, Expiry, Instant, Naming, Stored, TimeForm
from apps.storage.repository import Repository
from apps.storage.table import Index, Key, Table


class Plan(StrEnum):
    FREE = "FREE"
    LARGE = "LARGE"


class JobStatus(StrEnum):
    QUEUED = "QUEUED"
    FAILED = "FAILED"


class Shuttled(Entity):
    naming: ClassVar[Naming] = Naming.CAMEL
    times: ClassVar[TimeForm] = TimeForm.MILLISECONDS


class Shop(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SHOP#{domain}",
        "SK": "PROFILE",
        "GSI1PK": "PLAN#{plan}",
        "GSI1SK": "{domain}",
        "GSI2PK": "BILLING#{billing_status}",
        "GSI2SK": "{installed_at}",
    }

    domain: str
    plan: Plan = Plan.FREE
    billing_status: str = "ACTIVE"
    installed_at: Instant = datetime(2026, 1, 1, tzinfo=UTC)


class Job(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SHOP#{shop_domain}",
        "SK": "JOB#{job_id}",
        "GSI1PK": "JOB#{job_id}",
        "GSI1SK": "JOB",
        "GSI2PK": "JOBSTATUS#{status}",
        "GSI2SK": "{created_at}#{job_id}",
    }

    job_id: str
    shop_domain: Annotated[str, Stored(name="ShopDomain")]
    status: Annotated[JobStatus, Stored(name="Status")] = JobStatus.QUEUED
    created_at: Instant = datetime(2026, 1, 1, tzinfo=UTC)


class Import(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SHOP#{shop_domain}",
        "SK": "IMPORT#{timestamp}",
        "GSI3PK": "IMPORTS#{month}",
        "GSI3SK": "{timestamp}#{shop_domain}",
    }

    shop_domain: str
    timestamp: Instant

    @property
    def month(self) -> str:
        return f"{self.timestamp:%Y-%m}"


class UsageDay(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "USAGE#{domain}",
        "SK": "D#{day}",
        "GSI3PK": "USAGE#D#{day}",
        "GSI3SK": "{domain}",
    }

    domain: str
    day: date
    products: int = 0


class UsageMonth(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "USAGE#{domain}",
        "SK": "M#{month}",
        "GSI3PK": "USAGE#M#{month}",
        "GSI3SK": "{domain}",
    }

    domain: str
    month: str
    products: int = 0


class Schema(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SCHEMAS#{domain}",
        "SK": "{name}#{number:06}",
        "GSI1PK": "SCHEMA#{name}",
        "GSI1SK": "{domain}#{number:06}",
    }

    domain: str
    name: str
    number: int


class Session(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "SESSION#{session_id}",
        "SK": "SESSION",
        "GSI1PK": "SHOPSESSIONS#{domain}",
        "GSI1SK": "{expires_at}",
    }

    session_id: str
    domain: str
    expires_at: Annotated[Expiry, Stored(name="ExpiresAt", time=TimeForm.SECONDS)]


class Product(Shuttled):
    derived: ClassVar[Mapping[str, str]] = {
        "PK": "PRODUCTS#{domain}",
        "SK": "{handle}",
        "GSI1PK": "PRODUCTSTATUS#{domain}#{status}",
        "GSI1SK": "{handle}",
    }

    domain: str
    handle: str
    status: str = "ACTIVE"


def _index(number: int) -> Index:
    return Index(name=f"GSI{number}", partition_key=Key(f"GSI{number}PK"), sort_key=Key(f"GSI{number}SK"))


SHUTTLE = Table(
    name="Shuttle",
    partition_key=Key("PK"),
    sort_key=Key("SK"),
    indexes=(
        _index(1),
        _index(2),
        _index(3),
        Index(name="StatusIndex", partition_key=Key("ShopDomain"), sort_key=Key("Status")),
    ),
    ttl="ExpiresAt",
)


class Shops(Repository[Shop]):
    entity = Shop
    table = SHUTTLE
    noun = "shop"


class Jobs(Repository[Job]):
    entity = Job
    table = SHUTTLE
    noun = "job"


class Imports(Repository[Import]):
    entity = Import
    table = SHUTTLE


class UsageDays(Repository[UsageDay]):
    entity = UsageDay
    table = SHUTTLE


class UsageMonths(Repository[UsageMonth]):
    entity = UsageMonth
    table = SHUTTLE


class Schemas(Repository[Schema]):
    entity = Schema
    table = SHUTTLE


class Sessions(Repository[Session]):
    entity = Session
    table = SHUTTLE


class Products(Repository[Product]):
    entity = Product
    table = SHUTTLE


KINDS = (Shops, Jobs, Imports, UsageDays, UsageMonths, Schemas, Sessions, Products)
