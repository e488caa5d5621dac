"""For load balancers: alive, and ready."""

from concurrent.futures import ThreadPoolExecutor

from django.http import HttpRequest, JsonResponse

from apps.errors import DomainError
from apps.storage.connection import default_store
from apps.storage.registry import declared_tables
from apps.storage.table import Table


def healthz(_request: HttpRequest) -> JsonResponse:
    """200 while the process answers at all."""
    return JsonResponse({"status": "ok"})


def readyz(_request: HttpRequest) -> JsonResponse:
    """200 when the store answers and every declared table is ACTIVE; 503 with what is wrong otherwise."""
    with ThreadPoolExecutor(max_workers=8) as pool:
        problems = [problem for problem in pool.map(_problem, declared_tables()) if problem]
    if problems:
        return JsonResponse({"status": "unavailable", "problems": problems}, status=503)
    return JsonResponse({"status": "ready"})


def _problem(table: Table) -> str | None:
    store = default_store()
    try:
        found = store.call("describe_table", table=table.name, TableName=store.physical(table))
    except DomainError as error:
        return error.message
    status = found["Table"]["TableStatus"]
    return None if status in {"ACTIVE", "UPDATING"} else f"{table.name} is {status}"
