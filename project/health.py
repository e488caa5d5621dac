"""For load balancers: alive, and ready."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from apps.errors import DomainError
from apps.storage.connection import default_store
from apps.storage.errors import TableMissing
from apps.storage.registry import declared_tables
from apps.storage.table import Table

router = Router(tags=["health"])


class Health(Schema):
    """`ok`, `ready`, or `unavailable` with what is wrong, each thing said once."""

    status: str
    problems: list[str] = Field(default_factory=list)


@router.get("/healthz", response=Health, summary="Is the process alive?")
def healthz(request: HttpRequest) -> Health:  # noqa: ARG001
    """200 while the process answers at all."""
    return Health(status="ok")


@router.get("/readyz", response={200: Health, 503: Health}, summary="Can it do its work?")
def readyz(request: HttpRequest) -> Status[Health]:  # noqa: ARG001
    """200 when the store answers and every declared table is ACTIVE; 503 with what is wrong otherwise."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        # Each in a context of its own, so that what it asks of the store counts for this request.
        asked = [pool.submit(copy_context().run, _problem, table) for table in declared_tables()]
        problems = [problem for one in asked if (problem := one.result())]
    if problems:
        return Status(503, Health(status="unavailable", problems=list(dict.fromkeys(problems))))
    return Status(200, Health(status="ready"))


def _problem(table: Table) -> str | None:
    store = default_store()
    try:
        found = store.call("describe_table", table=table.name, TableName=store.physical(table))
    except TableMissing:
        return f"Table {table.name} is missing."
    except DomainError as error:
        return error.public_message
    status = found["Table"]["TableStatus"]
    return None if status in {"ACTIVE", "UPDATING"} else f"{table.name} is {status}."
