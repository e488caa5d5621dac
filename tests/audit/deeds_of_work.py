"""What is done to hosts, ASTs, runs and the log itself."""

from apps.audit.repository import Selection
from apps.jobs.entities import Control
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import PolicyStatus
from apps.policy_runs.hosts import add_host, change_host, remove_host
from apps.policy_runs.looks import note_export as note_run_export
from apps.policy_runs.looks import note_screens_seen
from apps.policy_runs.registry import switch_ast, synchronise_registry
from apps.policy_runs.services import LaunchRequest, control, launch
from apps.trail.services import EXPORTS, note_export
from tests.audit.deeds import ADDRESS, NOW, SECRETS, Deed, World, of_run


def of_host(_: World) -> str:
    return "Hosts#new-1"


def of_ast(_: World) -> str:
    return "AstRegistry#login"


def launched(w: World) -> None:
    request = LaunchRequest(ast_name="login", host_name="demo", numbers=("ABC123DEF",), key="again")
    w.run = launch(
        w.stores, actor=w.ada, request=request, credentials=Credentials("U", SECRETS[2]), asts=ASTS, now=NOW,
        address=ADDRESS,
    ).run  # fmt: skip


def resumed(w: World) -> None:
    w.controlled(Control.PAUSE)
    w.controlled(Control.RUN, credentials=Credentials("U", SECRETS[2]))


def removed(w: World) -> None:
    remove_host(w.stores.hosts, host=w.host(), **w.as_admin)


def synchronised(w: World) -> None:
    w.stores.asts.delete("login")
    synchronise_registry(w.stores, asts=ASTS, now=NOW)


def seen(w: World) -> None:
    note_screens_seen(w.stores, run=w.run, policy_number="ABC123DEF", **w.by)


WAITING = {"status": "pending", "control": "run"}
DEEDS = [
    Deed(add_host, lambda w: w.host(), of_host, "host.added", {}, {"port": 992}),
    Deed(
        change_host,
        lambda w: change_host(w.stores.hosts, before=(host := w.host()), after=host.evolve(port=993), **w.as_admin),
        of_host,
        "host.changed",
        {"port": 992},
        {"port": 993},
    ),
    Deed(remove_host, removed, of_host, "host.deleted", {"port": 992}, {}),
    Deed(
        switch_ast,
        lambda w: switch_ast(w.stores.asts, ast=w.ast(), enabled=False, **w.as_admin),
        of_ast,
        "ast.switched_off",
        {"enabled": True},
        {"enabled": False},
    ),
    Deed(synchronise_registry, synchronised, of_ast, "ast.added", {}, {"ast_version": ASTS["login"].version}),
    Deed(launch, launched, of_run, "run.launched", {}, {"ast": "login", "host": "demo", "policies": 1}),
    Deed(control, lambda w: w.controlled(Control.PAUSE), of_run, "run.pause", WAITING, {"control": "pause"}),
    Deed(control, resumed, of_run, "run.run", {"status": "paused"}, {"control": "run", "signs_on": "as given anew"}),
    Deed(control, lambda w: w.controlled(Control.CANCEL), of_run, "run.cancel", WAITING, {"control": "cancel"}),
    Deed(note_screens_seen, seen, of_run, "run.screens_seen", {}, {"first_policy_number": "ABC123DEF"}),
    Deed(
        note_run_export,
        lambda w: note_run_export(w.stores, run=w.run, status=PolicyStatus.FAILED, **w.by),
        of_run,
        "run.exported",
        {},
        {"results": "failed"},
    ),
    Deed(
        note_export,
        lambda w: note_export(w.audit, selection=Selection(actor_id="u-1"), most=10, **w.by),
        lambda _: EXPORTS,
        "audit.exported",
        {},
        {"actor_id": "u-1", "at_most": 10},
    ),
]
