"""The API of policy runs."""

from datetime import UTC, datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Router, Status
from pydantic import Field

from apps.accounts.middleware import actor_of, address_of, signed_in_user, via_of
from apps.accounts.permissions import Permission, allowed, require
from apps.api_shapes import CHANGING, READING, CursorText
from apps.policy_runs.access import WISHES, visible_run
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import PolicyStatus, RunStatus
from apps.policy_runs.errors import RunNotFound
from apps.policy_runs.looks import note_screens_seen
from apps.policy_runs.parsing import parse_entries
from apps.policy_runs.schemas import (
    ControlIn,
    LaunchIn,
    ResultDetailOut,
    ResultPageOut,
    RunOut,
    RunPageOut,
    result_detail_out,
    result_out,
    run_out,
)
from apps.policy_runs.services import LaunchRequest, checked_numbers, launch
from apps.policy_runs.services import control as control_run
from apps.policy_runs.showing import stored_status
from apps.policy_runs.wiring import default_stores

PolicyNumber = Annotated[str, Field(pattern="^[A-Z0-9]{9}$")]

router = Router(tags=["policy runs"], by_alias=True)


@router.post("", response={202: RunOut, 200: RunOut, **CHANGING}, summary="Launch a run")
def launch_run(request: HttpRequest, body: LaunchIn) -> Status[RunOut]:
    """202 with the run that was launched; 200 with the run that this idempotency key launched before."""
    actor = signed_in_user(request)
    require(actor, Permission.RUN_LAUNCH)
    launched = launch(
        default_stores(),
        actor=actor,
        request=LaunchRequest(
            ast_name=body.ast_name,
            host_name=body.host_name,
            numbers=checked_numbers(parse_entries(body.policy_numbers)),
            key=body.idempotency_key,
            parameters=body.parameters,
        ),
        credentials=Credentials(body.user_id, body.password),
        asts=ASTS,
        now=datetime.now(UTC),
        address=address_of(request),
        via=via_of(request),
    )
    return Status(202 if launched.is_new else 200, run_out(launched.run))


@router.get("", response={200: RunPageOut, **READING}, summary="List runs, newest first")
def list_runs(
    request: HttpRequest,
    status: RunStatus | None = None,
    mine: bool = False,  # noqa: FBT001, FBT002  (a query parameter)
    cursor: CursorText = None,
) -> RunPageOut:
    """Runs that this user may see; `status` and `mine` can be combined."""
    actor = signed_in_user(request)
    require(actor, Permission.RUN_SEE)
    page = default_stores().executions.listed(user_id=actor.user_id if mine else None, status=status, cursor=cursor)
    return RunPageOut(items=[run_out(run) for run in page.items], next=page.next, previous=page.previous)


@router.get("/{execution_id}", response={200: RunOut, **READING}, summary="Get a run")
def get_run(request: HttpRequest, execution_id: str) -> RunOut:
    """The run as it is now."""
    executions = default_stores().executions
    return run_out(visible_run(executions, key=execution_id, actor=signed_in_user(request), consistent=True))


@router.get("/{execution_id}/results", response={200: ResultPageOut, **READING}, summary="List a run's results")
def list_results(
    request: HttpRequest,
    execution_id: str,
    status: PolicyStatus | None = None,
    cursor: CursorText = None,
) -> ResultPageOut:
    """Results by state and policy number, without screens."""
    stores = default_stores()
    run = visible_run(stores.executions, key=execution_id, actor=signed_in_user(request))
    page = stores.results.listed(execution_id, status=stored_status(status, run=run), cursor=cursor)
    items = [result_out(result, run=run) for result in page.items]
    return ResultPageOut(items=items, next=page.next, previous=page.previous)


@router.get(
    "/{execution_id}/results/{policy_number}",
    response={200: ResultDetailOut, **READING},
    summary="Get one policy's result with its screens",
)
def get_result(request: HttpRequest, execution_id: str, policy_number: PolicyNumber) -> ResultDetailOut:
    """Screens and data; that they were looked at goes into the audit log."""
    stores, actor = default_stores(), signed_in_user(request)
    run = visible_run(stores.executions, key=execution_id, actor=actor)
    if not allowed(actor, Permission.RUN_SCREENS, run):
        raise RunNotFound("There is no such policy result.")
    found = stores.results.get((execution_id, policy_number), consistent=True)
    note_screens_seen(stores, run=run, policy_number=policy_number, actor=actor_of(request), now=datetime.now(UTC))
    return result_detail_out(found, run=run)


@router.post("/{execution_id}/control", response={200: RunOut, **CHANGING}, summary="Pause, resume or cancel a run")
def control(request: HttpRequest, execution_id: str, body: ControlIn) -> RunOut:
    """The run with what is now wanted of it; while a worker has it, its state follows within two seconds."""
    credentials = Credentials(body.user_id, body.password) if body.user_id and body.password else None
    run = control_run(
        default_stores(),
        actor=signed_in_user(request),
        key=execution_id,
        wish=WISHES[body.action],
        now=datetime.now(UTC),
        credentials=credentials,
        address=address_of(request),
        via=via_of(request),
    )
    return run_out(run)
