"""Who may see and do what with a run."""

from apps.accounts.entities import User
from apps.accounts.permissions import allowed
from apps.jobs.entities import Control
from apps.policy_runs.entities import AstExecution
from apps.policy_runs.errors import NotAllowed, RunNotFound
from apps.policy_runs.repository import Executions

# The words in which people ask.
WISHES = {"pause": Control.PAUSE, "resume": Control.RUN, "cancel": Control.CANCEL}


def may_see(run: AstExecution, actor: User) -> bool:
    """Whether this person may know of the run."""
    return allowed(actor, "run.see_any") or (run.user_id == actor.user_id and allowed(actor, "run.see_own"))


def may_control(run: AstExecution, actor: User) -> bool:
    """Whether this person may pause, resume and cancel it."""
    return allowed(actor, "run.control_any") or (run.user_id == actor.user_id and allowed(actor, "run.control_own"))


def may_see_screens(run: AstExecution, actor: User) -> bool:
    """Whether this person may look at the screens and the data read off them."""
    return allowed(actor, "run.screens_any") or (run.user_id == actor.user_id and allowed(actor, "run.screens_own"))


def visible_run(executions: Executions, *, key: str, actor: User, consistent: bool = False) -> AstExecution:
    """The run, if this person may see it. Raises `RunNotFound` both for a missing and for a hidden one."""
    run = executions.find(key, consistent=consistent)
    if run is None or not may_see(run, actor):
        raise RunNotFound("There is no such run.")
    return run


def controllable_run(executions: Executions, *, key: str, actor: User) -> AstExecution:
    """The run as it is now, if this person may control it. Raises `RunNotFound` or `NotAllowed`."""
    run = visible_run(executions, key=key, actor=actor, consistent=True)
    if not may_control(run, actor):
        raise NotAllowed("Only the person who started this run, or an administrator, may control it.")
    return run
