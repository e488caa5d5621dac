"""What people do with runs: launch them and control them; and what the house does after itself."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson
from pydantic import BaseModel, ValidationError
from ulid import ULID

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor
from apps.errors import NotFound
from apps.jobs.entities import Control
from apps.policy_runs.access import controllable_run
from apps.policy_runs.asts.base import Ast, Credentials
from apps.policy_runs.credentials import kept
from apps.policy_runs.entities import (
    SECRET_LIFE,
    AstExecution,
    PolicyResult,
    RunStatus,
    final_changes,
)
from apps.policy_runs.errors import CredentialsNeeded, InvalidLaunch, KeyReused, LaunchInterrupted
from apps.policy_runs.parsing import MOST_POLICIES, MOST_PROBLEMS_SHOWN, POLICY_NUMBER, Parsed
from apps.policy_runs.stores import Stores
from apps.storage.conditions import Update, attribute
from apps.storage.errors import ConditionFailed, Duplicate, ItemNotFound, UnreadableItem
from apps.storage.transaction import Transaction
from apps.storage.writes import Write
from apps.terminal.entities import Session, SessionStatus

BROKEN_LAUNCH_AGE = timedelta(minutes=10)
LONGEST_LAUNCH = timedelta(minutes=1)
CONTROL_TRIES = 8
SWEPT_AT_ONCE = 25
KEY_SCOPE = "PolicyRuns.idempotency_key"


class LaunchRequest(BaseModel):
    """What a run is to do. `numbers` are distinct policy numbers; `key` makes a double submit one run."""

    ast_name: str
    host_name: str
    numbers: tuple[str, ...]
    key: str
    parameters: Mapping[str, str | int | bool] = {}

    def fingerprint(self) -> str:
        """The same for the same request: tells a double submit from a key that is used again."""
        return hashlib.sha256(orjson.dumps(self.model_dump(exclude={"key"}), option=orjson.OPT_SORT_KEYS)).hexdigest()


@dataclass(frozen=True, slots=True)
class Launched:
    """The run, and whether this request made it or found it made already."""

    run: AstExecution
    is_new: bool


def checked_numbers(parsed: Parsed) -> tuple[str, ...]:
    """The policy numbers of a form or file. Raises `InvalidLaunch` with every problem and its line."""
    problems = parsed.problems
    if problems:
        findings: list[dict[str, object]] = [
            {"line": problem.line, "value": problem.value, "message": problem.message}
            for problem in problems[:MOST_PROBLEMS_SHOWN]
        ]
        if len(problems) > MOST_PROBLEMS_SHOWN:
            findings.append({"message": f"and {len(problems) - MOST_PROBLEMS_SHOWN:,} more"})
        entries = "1 entry is" if len(problems) == 1 else f"{len(problems)} entries are"
        raise InvalidLaunch(
            f"{entries} not a policy number; the first is on line {problems[0].line}.",
            field="policy_numbers",
            findings=findings,
        )
    if not parsed.numbers:
        raise InvalidLaunch("Give at least one policy number.", field="policy_numbers")
    if len(parsed.numbers) > MOST_POLICIES:
        raise InvalidLaunch(
            f"A run takes at most {MOST_POLICIES:,} policies; these are {len(parsed.numbers):,}. Split them.",
            field="policy_numbers",
        )
    return parsed.numbers


def launch(
    stores: Stores,
    *,
    actor: User,
    request: LaunchRequest,
    credentials: Credentials,
    asts: Mapping[str, type[Ast]],
    now: datetime,
    address: str = "",
    via: str = "",
) -> Launched:
    """Start a run; it is in the queue when this returns.

    Everything is written before the queue is set, last: a launch that breaks leaves nothing that runs, and `sweep`
    closes what it left. Raises `InvalidLaunch` for what cannot be run, `KeyReused` for a key of another request, and
    `Forbidden` or `NotFound` for a person who may not launch.
    """
    require(actor, Permission.RUN_LAUNCH)
    _check_launch(stores, request=request, credentials=credentials, asts=asts)
    run = AstExecution(
        execution_id=str(ULID.from_datetime(now)),
        session_id=str(ULID.from_datetime(now)),
        user_id=actor.user_id,
        ast_name=request.ast_name,
        host_name=request.host_name,
        under_way="yes",
        total_items=len(request.numbers),
        created_at=now,
        params={**request.parameters, "request": request.fingerprint()},
    )
    owned_key = f"{actor.user_id}#{request.key}"
    try:
        _open(stores, run, owned_key=owned_key, acting=actor.acting(address, via=via))
    except Duplicate:
        return Launched(_launched_before(stores, owned_key=owned_key, request=request, now=now), is_new=False)
    stores.results.put_many(
        PolicyResult(execution_id=run.execution_id, policy_number=number) for number in request.numbers
    )
    # Unconditional, so that a request sent twice because its answer was lost does no harm.
    stores.secrets.put_many([kept(run.execution_id, credentials, now=now)])
    return Launched(_enqueue(stores, run, now=now), is_new=True)


def _open(stores: Stores, run: AstExecution, *, owned_key: str, acting: Actor) -> None:
    """Write the run, not yet in the queue, with its session, its idempotency key and its audit entry, or nothing.

    Raises `Duplicate` where the key was used before.
    """
    session = Session(
        session_id=run.session_id,
        user_id=run.user_id,
        host_name=run.host_name,
        created_at=run.created_at,
        last_activity=run.created_at,
    )
    taken = Duplicate("This run was launched already.", field="key")
    Transaction(
        stores.store,
        stores.executions.adding(run),
        stores.sessions.adding(session),
        stores.guards.claiming(KEY_SCOPE, owned_key, owner=run.execution_id, otherwise=taken),
        stores.audit.recording(
            f"AstExecutions#{run.execution_id}",
            action="run.launched",
            actor=acting,
            at=run.created_at,
            after={"ast": run.ast_name, "host": run.host_name, "policies": run.total_items},
        ),
    ).commit()


def _enqueue(stores: Stores, run: AstExecution, *, now: datetime) -> AstExecution:
    """Let workers take the run, unless somebody cancelled it, or a sweep closed it, while it was being launched."""
    waiting = attribute("queue").missing() & attribute("status").equals(RunStatus.PENDING)
    opened = Update(set={"queue": "open", "available_at": now})
    try:
        return stores.executions.update(run.execution_id, opened, condition=waiting)
    except ConditionFailed as error:
        found: AstExecution = error.stored
        if found.status.is_final:
            stores.secrets.delete(run.execution_id)
        return found


def _check_launch(
    stores: Stores, *, request: LaunchRequest, credentials: Credentials, asts: Mapping[str, type[Ast]]
) -> None:
    bad = [number for number in request.numbers if not POLICY_NUMBER.fullmatch(number)]
    if bad or not 0 < len(set(request.numbers)) == len(request.numbers) <= MOST_POLICIES:
        raise InvalidLaunch("Give 1 to 10,000 different policy numbers.", field="policy_numbers")
    if not credentials.user_id or not credentials.password:
        raise InvalidLaunch("Give the host user id and its password.", field="password")
    registration = stores.asts.find(request.ast_name, consistent=True)
    ast = asts.get(request.ast_name)
    if ast is None or registration is None or not registration.enabled:
        raise InvalidLaunch(f"There is no AST {request.ast_name} that may be run.", field="ast_name")
    host = stores.hosts.find(request.host_name, consistent=True)
    if host is None or not host.enabled:
        raise InvalidLaunch(f"{request.host_name} is not one of the hosts that runs may go to.", field="host_name")
    try:
        ast.parameters.model_validate(dict(request.parameters))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InvalidLaunch(f"Parameter {where}: {first['msg']}.", field="parameters") from error


def _launched_before(stores: Stores, *, owned_key: str, request: LaunchRequest, now: datetime) -> AstExecution:
    execution_id = stores.guards.owner(KEY_SCOPE, owned_key) or ""
    run = stores.executions.get(execution_id, consistent=True)
    if run.params.get("request") != request.fingerprint():
        raise KeyReused(
            f"This form was sent before, otherwise filled in, and started run {execution_id}. Open a new one."
        )
    if not run.is_launched and now - run.created_at > LONGEST_LAUNCH:
        raise LaunchInterrupted("The launch of this run broke off, and nothing ran. Start it again in a new form.")
    return run


def control(
    stores: Stores,
    *,
    actor: User,
    key: str,
    wish: Control,
    now: datetime,
    credentials: Credentials | None = None,
    address: str = "",
    via: str = "",
) -> AstExecution:
    """Pause, resume (`Control.RUN`) or cancel a run, and return it as it is then.

    Raises `RunNotFound`, `NotAllowed`, `ControlRefused` where its state does not allow it, `CredentialsNeeded` where it
    can only go on with host credentials given anew.
    """
    for _ in range(CONTROL_TRIES):
        run = controllable_run(stores.executions, key=key, actor=actor)
        changes = run.controlled(wish, now=now)
        if not changes:
            return run
        also: tuple[Write, ...] = ()
        anew = changes.get("queue") == "open" and credentials is not None
        if changes.get("queue") == "open":
            also = (_credentials(stores, key=key, given=credentials, now=now),)
        elif changes.get("status") is RunStatus.CANCELLED:
            also = closing(stores, run, now=now)
        try:
            acting = actor.acting(address, via=via)
            return _carry_out(stores, run, wish, changes, acting=acting, now=now, also=also, anew=anew)
        except ConditionFailed:
            continue  # the worker, or somebody else, moved it on: look again
    raise ConditionFailed("The run is changing too quickly right now. Try again in a moment.")


def _carry_out(
    stores: Stores,
    run: AstExecution,
    wish: Control,
    changes: Mapping[str, object],
    *,
    acting: Actor,
    now: datetime,
    also: tuple[Write, ...],
    anew: bool,
) -> AstExecution:
    unchanged = attribute("fence").equals(run.fence) & attribute("status").equals(run.status)
    held = attribute("lease_owner")
    unchanged &= held.equals(run.lease_owner) if run.lease_owner else held.missing()
    Transaction(
        stores.store,
        stores.executions.updating(
            run.execution_id,
            Update(set=changes),
            condition=unchanged & attribute("control").equals(run.control),
        ),
        stores.audit.recording(
            f"AstExecutions#{run.execution_id}",
            action=f"run.{wish.value}",
            actor=acting,
            at=now,
            before={"status": run.status.value, "control": run.control.value},
            after={"control": wish.value, **({"signs_on": "as given anew"} if anew else {})},
        ),
        *also,
    ).commit()
    if changes.get("status") is RunStatus.PAUSED:
        keep_credentials(stores, key=run.execution_id, now=now)  # a day from now, however long it had waited
    return stores.executions.get(run.execution_id, consistent=True)


def _credentials(stores: Stores, *, key: str, given: Credentials | None, now: datetime) -> Write:
    """The write that stores credentials given anew, or lets the stored ones live for another day.

    Its failure is `CredentialsNeeded`: there are neither.
    """
    if given is not None:
        return stores.secrets.putting(kept(key, given, now=now))
    renewed = Update(set={"expires_at": now + SECRET_LIFE})
    needed = CredentialsNeeded(
        "The host password of this run was erased. Give user id and password again to resume.", field="password"
    )
    return stores.secrets.updating(key, renewed, condition=attribute("expires_at").above(now)).otherwise(needed)


def keep_credentials(stores: Stores, *, key: str, now: datetime) -> bool:
    """Let a run's credentials live for another day; False where they are gone already."""
    renewed = Update(set={"expires_at": now + SECRET_LIFE})
    try:
        stores.secrets.update(key, renewed, condition=attribute("expires_at").above(now))
    except (ConditionFailed, ItemNotFound):
        return False
    return True


def closing(stores: Stores, run: AstExecution, *, now: datetime) -> tuple[Write, ...]:
    """The writes that belong to the end of a run: its credentials erased and its session closed."""
    session = Session(
        session_id=run.session_id,
        user_id=run.user_id,
        host_name=run.host_name,
        status=SessionStatus.CLOSED,
        created_at=run.created_at,
        last_activity=now,
    )
    return stores.secrets.deleting(run.execution_id), stores.sessions.putting(session)


def sweep_broken_launches(stores: Stores, *, now: datetime) -> Sequence[str]:
    """Close runs whose launch broke before they were in the queue; returns their keys."""
    swept = []
    for key in stores.executions.in_state(RunStatus.PENDING, limit=SWEPT_AT_ONCE):
        try:
            run = stores.executions.find(key, consistent=True)
        except UnreadableItem:
            continue  # written by another version of Rungs: not ours to judge
        if run is None or run.is_launched or run.created_at > now - BROKEN_LAUNCH_AGE:
            continue
        changes = final_changes(run, RunStatus.FAILED, now=now, reason="The launch was interrupted. Launch it again.")
        still_broken = attribute("queue").missing() & attribute("status").equals(RunStatus.PENDING)
        ending = stores.executions.updating(key, Update(set=changes), condition=still_broken)
        try:
            Transaction(stores.store, ending, *closing(stores, run, now=now)).commit()
        except ConditionFailed:
            continue
        swept.append(key)
    return swept


def erased(stores: Stores, key: str) -> bool:
    """Whether the run's credentials are gone, so that resuming asks for them."""
    try:
        stores.secrets.get(key, consistent=True)
    except NotFound:
        return True
    return False
