"""A run for somebody: found as far as the table of permissions lets them."""

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, allowed
from apps.jobs.entities import Control
from apps.policy_runs.entities import AstExecution
from apps.policy_runs.errors import NotAllowed, RunNotFound
from apps.policy_runs.repository import Executions

# The words in which people ask.
WISHES = {"pause": Control.PAUSE, "resume": Control.RUN, "cancel": Control.CANCEL}


def visible_run(executions: Executions, *, key: str, actor: User, consistent: bool = False) -> AstExecution:
    """The run, if this person may see it. Raises `RunNotFound` both for a missing and for a hidden one."""
    run = executions.find(key, consistent=consistent)
    if run is None or not allowed(actor, Permission.RUN_SEE, run):
        raise RunNotFound("There is no such run.")
    return run


def controllable_run(executions: Executions, *, key: str, actor: User) -> AstExecution:
    """The run as it is now, if this person may control it. Raises `RunNotFound` or `NotAllowed`."""
    run = visible_run(executions, key=key, actor=actor, consistent=True)
    if not allowed(actor, Permission.RUN_CONTROL, run):
        raise NotAllowed("Only the person who started this run, or an administrator, may control it.")
    return run
