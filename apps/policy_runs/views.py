"""The pages of policy runs."""

from datetime import UTC, datetime
from typing import Any, TypeVar

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.middleware import actor_of, address_of, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.accounts.wiring import users
from apps.errors import Conflict, Invalid, NotFound
from apps.policy_runs.access import WISHES, visible_run
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import AstExecution, PolicyStatus, RunStatus
from apps.policy_runs.errors import CredentialsNeeded, InvalidLaunch, NotAllowed, RunNotFound
from apps.policy_runs.forms import NewRunForm, check_of, parse_given
from apps.policy_runs.looks import note_export, note_screens_seen
from apps.policy_runs.parsing import MOST_POLICIES, Parsed
from apps.policy_runs.payloads import state_payload
from apps.policy_runs.services import control as control_run
from apps.policy_runs.services import erased, launch
from apps.policy_runs.showing import ShownRun, as_shown, csv_lines, screen_rows, stored_status, with_owners
from apps.policy_runs.wiring import default_stores
from apps.storage.connection import off_loop

Status = TypeVar("Status", RunStatus, PolicyStatus)
HIDDEN_PARAMS = frozenset({"request"})


@never_cache
@permission_required(Permission.RUN_SEE)
@require_GET
def run_list(request: HttpRequest) -> HttpResponse:
    """Runs, newest first, by state and by mine or everyone's."""
    actor = signed_in_user(request)
    mine = request.GET.get("mine") == "1"
    status = run_status(request.GET.get("status", ""))
    page = default_stores().executions.listed(
        user_id=actor.user_id if mine else None, status=status, cursor=request.GET.get("cursor") or None
    )
    context = {
        "runs": with_owners(page.items, users()),
        "status": status.value if status else "",
        "mine": mine,
        "any_active": any(not run.status.is_final for run in page.items),
        "next_cursor": page.next,
        "previous_cursor": page.previous,
        "may_launch": allowed(actor, Permission.RUN_LAUNCH),
    }
    return render(request, "policy_runs/list.html", context)


@never_cache
@sensitive_post_parameters("password")
@permission_required(Permission.RUN_LAUNCH)
@require_http_methods(["GET", "POST"])
def new_run(request: HttpRequest) -> HttpResponse:
    """The form of a new run, and its launch."""
    stores = default_stores()
    asts, hosts = stores.asts.enabled(), stores.hosts.enabled()
    if request.method == "GET":
        return _new_run_page(request, NewRunForm(asts=asts, hosts=hosts))
    form = NewRunForm(request.POST, request.FILES, asts=asts, hosts=hosts)
    if form.is_valid():
        try:
            launched = launch(
                stores,
                actor=signed_in_user(request),
                request=form.request(),
                credentials=form.credentials(),
                asts=ASTS,
                now=datetime.now(UTC),
                address=address_of(request),
            )
        except (InvalidLaunch, Conflict) as error:
            form.add_error(error.field if error.field in form.fields else None, error.public_message)
        else:
            return redirect("policy_runs:run", launched.run.execution_id)
    return _new_run_page(request, form, status=422)


def _new_run_page(request: HttpRequest, form: NewRunForm, *, status: int = 200) -> HttpResponse:
    check = check_of(form.parsed)
    return render(
        request, "policy_runs/new.html", {"form": form, "check": check, "max_policies": MOST_POLICIES}, status=status
    )


@never_cache
@permission_required(Permission.RUN_LAUNCH)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """The policy numbers as typed so far: how many, and which lines are wrong."""
    try:
        parsed = parse_given(request.POST.get("policy_numbers", ""), request.FILES.get("policy_file"))
    except InvalidLaunch as error:
        found = {**(check_of(Parsed((), 0, ())) or {}), "count": 0, "duplicates": 0}
        found["problems"] = [{"line": 1, "text": "", "why": error.public_message}]
    else:
        found = check_of(parsed) or {}
    return render(request, "policy_runs/_check.html", {"check": found or None, "max_policies": MOST_POLICIES})


@never_cache
@sign_in_required
@require_GET
def run_page(request: HttpRequest, execution_id: str) -> HttpResponse:
    """One run, live."""
    stores, actor = default_stores(), signed_in_user(request)
    run = visible_run(stores.executions, key=execution_id, actor=actor, consistent=True)
    controls = allowed(actor, Permission.RUN_CONTROL, run)
    context = {
        "run": run,
        "owner_name": _owner_name(run),
        "state": state_payload(run, now=datetime.now(UTC)),
        "is_final": run.status.is_final,
        "may_control": controls,
        "needs_credentials": controls and run.status is RunStatus.PAUSED and erased(stores, execution_id),
        "params": {name: value for name, value in run.params.items() if name not in HIDDEN_PARAMS},
        **_results_context(request, run),
    }
    return render(request, "policy_runs/run.html", context)


def _owner_name(run: AstExecution) -> str:
    shown: list[ShownRun] = with_owners([run], users())
    return shown[0].owner_name


def _results_context(request: HttpRequest, run: AstExecution) -> dict[str, Any]:
    status = policy_status(request.GET.get("status", ""))
    page = default_stores().results.listed(
        run.execution_id, status=stored_status(status, run=run), cursor=request.GET.get("cursor") or None
    )
    return {
        "run": run,
        "results": as_shown(page.items, run=run),
        "next_cursor": page.next,
        "status": status.value if status else "",
        "may_open_results": allowed(signed_in_user(request), Permission.RUN_SCREENS, run),
    }


@never_cache
@sign_in_required
@require_GET
def results(request: HttpRequest, execution_id: str) -> HttpResponse:
    """One page of results as table rows."""
    run = visible_run(default_stores().executions, key=execution_id, actor=signed_in_user(request))
    return render(request, "policy_runs/_results.html", _results_context(request, run))


@never_cache
@sign_in_required
@require_GET
def state(request: HttpRequest, execution_id: str) -> JsonResponse:
    """The state of a run for a page without a socket: the payload of `ast.state`."""
    actor = signed_in_user(request)
    run = visible_run(default_stores().executions, key=execution_id, actor=actor, consistent=True)
    return JsonResponse(state_payload(run, now=datetime.now(UTC)))


@never_cache
@sensitive_post_parameters("password")
@sign_in_required
@require_POST
def control(request: HttpRequest, execution_id: str) -> HttpResponse:
    """Pause, resume or cancel, and back to the run."""
    wish = WISHES.get(request.POST.get("action", ""))
    if wish is None:
        raise Invalid("Choose pause, resume or cancel.", field="action")
    try:
        control_run(
            default_stores(),
            actor=signed_in_user(request),
            key=execution_id,
            wish=wish,
            now=datetime.now(UTC),
            credentials=_given_credentials(request),
            address=address_of(request),
        )
    except (CredentialsNeeded, Conflict, NotAllowed) as error:
        messages.error(request, error.public_message)
    return redirect("policy_runs:run", execution_id)


def _given_credentials(request: HttpRequest) -> Credentials | None:
    user_id, password = request.POST.get("user_id", "").strip(), request.POST.get("password", "")
    return Credentials(user_id, password) if user_id and password else None


@never_cache
@sign_in_required
@require_GET
async def run_csv(request: HttpRequest, execution_id: str) -> StreamingHttpResponse:
    """Every result as CSV; that somebody took them is recorded."""
    stores = default_stores()
    status = policy_status(request.GET.get("status", ""))
    run = await off_loop(_recorded_export, request, execution_id, status)
    return StreamingHttpResponse(
        csv_lines(stores.results, run, stored_status(status, run=run)),
        content_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="run-{run.execution_id}.csv"'},
    )


def _recorded_export(request: HttpRequest, execution_id: str, status: PolicyStatus | None) -> AstExecution:
    stores = default_stores()
    run = visible_run(stores.executions, key=execution_id, actor=signed_in_user(request))
    note_export(stores, run=run, status=status, actor=actor_of(request), now=datetime.now(UTC))
    return run


@never_cache
@sign_in_required
@require_GET
def result(request: HttpRequest, execution_id: str, policy_number: str) -> HttpResponse:
    """One policy of a run: its screens and the data read; that somebody looked is recorded."""
    stores, actor = default_stores(), signed_in_user(request)
    run = visible_run(stores.executions, key=execution_id, actor=actor)
    if not allowed(actor, Permission.RUN_SCREENS, run):
        raise RunNotFound("There is no such policy result.")
    found = stores.results.get((execution_id, policy_number), consistent=True)
    note_screens_seen(stores, run=run, policy_number=policy_number, actor=actor_of(request), now=datetime.now(UTC))
    screens = [
        {"step": screen.step, "captured_at": screen.captured_at, "rows": screen_rows(screen), "text": screen.text}
        for screen in found.screenshots
    ]
    shown = as_shown([found], run=run)[0].model_dump(exclude={"screenshots", "status"})
    status = as_shown([found], run=run)[0].status
    context = {"run": run, "result": {**shown, "status": status, "screenshots": screens}}
    return render(request, "policy_runs/result.html", context)


def run_status(text: str) -> RunStatus | None:
    """A state in a query; None for none. Raises `NotFound` for what is no state."""
    return _member(RunStatus, text)


def policy_status(text: str) -> PolicyStatus | None:
    """A result's state in a query; None for none. Raises `NotFound` for what is no state."""
    return _member(PolicyStatus, text)


def _member(kind: type[Status], text: str) -> Status | None:
    if not text:
        return None
    try:
        return kind(text)
    except ValueError:
        raise NotFound(f"There is no status “{text[:20]}”.") from None
