"""`manage.py run_policies`: launch a run from the command line, and follow it if asked to."""

import getpass
import secrets
import sys
import time
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson
from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from apps.accounts.entities import Role, User
from apps.accounts.permissions import Permission, allowed
from apps.accounts.wiring import users
from apps.errors import DomainError
from apps.jobs.entities import Control
from apps.policy_runs.access import visible_run
from apps.policy_runs.asts import ASTS
from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import AstExecution, PolicyStatus, RunStatus
from apps.policy_runs.parsing import Parsed, parse_csv, parse_entries
from apps.policy_runs.payloads import state_payload, waiting_reason
from apps.policy_runs.schemas import run_out
from apps.policy_runs.services import LaunchRequest, checked_numbers, control, launch
from apps.policy_runs.showing import COMMAND_LINE
from apps.policy_runs.stores import Stores
from apps.policy_runs.wiring import default_stores
from apps.spreadsheets import decode_upload

POLL_SECONDS = 1.0
FAILURES_SHOWN = 20
INTERRUPTED = 130
VIA = "manage.py run_policies"
"""What the audit log names: whoever is at the machine may give anybody's e-mail address."""


class Command(BaseCommand):
    help = "Launch a policy run. Asks for the host user id and password, or reads them as two lines from stdin."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("numbers", nargs="*", metavar="NUMBER", help="policy numbers")
        parser.add_argument("--file", type=Path, help="a CSV file with policy numbers")
        parser.add_argument("--host", help="the host's name; not needed where there is only one")
        parser.add_argument("--ast", default="login", help="the transaction to run (default login)")
        parser.add_argument("--as", dest="email", help="e-mail of the user who launches; else the command line itself")
        parser.add_argument("--follow", action="store_true", help="show progress until the run has ended")
        parser.add_argument("--json", action="store_true", help="print the run as JSON, and nothing else, on stdout")
        there = parser.add_mutually_exclusive_group()
        there.add_argument("--watch", metavar="RUN", help="follow this run instead of launching one")
        there.add_argument("--cancel", metavar="RUN", help="cancel this run instead of launching one")

    def handle(self, *args: Any, **options: Any) -> None:
        console = Console(stderr=options["json"], highlight=False, soft_wrap=True)
        stores = default_stores()
        try:
            run = self._run(stores, options, console)
            if options["follow"] or options["watch"]:
                run = _follow(stores, run, console)
        except DomainError as error:
            raise CommandError("\n".join([error.message, *map(_told, error.details())])) from error
        except (EOFError, KeyboardInterrupt):
            raise CommandError("Nothing was launched.", returncode=INTERRUPTED) from None
        if options["json"]:
            payload = {**run_out(run).model_dump(mode="json", by_alias=True)}
            self.stdout.write(orjson.dumps(payload).decode())
        elif options["follow"] or options["watch"]:
            _closing_table(stores, run, console)
        elif not options["cancel"]:
            console.print(f"A worker takes it from here. {_how_to(run)}")
        if run.status in {RunStatus.FAILED, RunStatus.TIMEOUT, RunStatus.CANCELLED} and not options["cancel"]:
            raise SystemExit(1)

    def _run(self, stores: Stores, options: dict[str, Any], console: Console) -> AstExecution:
        """The run to tell of: launched now, or there already."""
        actor = _actor(options["email"])
        if options["watch"]:
            return visible_run(stores.executions, key=options["watch"], actor=actor, consistent=True)
        if options["cancel"]:
            now = datetime.now(UTC)
            run = control(stores, actor=actor, key=options["cancel"], wish=Control.CANCEL, now=now, via=VIA)
            console.print(f"Run {run.execution_id} {'is' if run.status.is_final else 'is being'} cancelled.")
            return run
        if not allowed(actor, Permission.RUN_LAUNCH):
            raise CommandError(f"{actor.name} may not launch runs.")
        run = self._launch(stores, options, actor)
        policies = "1 policy" if run.total_items == 1 else f"{run.total_items:,} policies"
        console.print(f"Run {run.execution_id}: {policies} on {run.host_name}.")
        return run

    def _launch(self, stores: Stores, options: dict[str, Any], actor: User) -> AstExecution:
        numbers = checked_numbers(_parsed(options))
        request = LaunchRequest(
            ast_name=options["ast"],
            host_name=options["host"] or _only_host(stores),
            numbers=numbers,
            key=secrets.token_hex(16),
        )
        now = datetime.now(UTC)
        return launch(stores, actor=actor, request=request, credentials=_ask(), asts=ASTS, now=now, via=VIA).run


def _how_to(run: AstExecution) -> str:
    command = "manage.py run_policies"
    key = run.execution_id
    return f"Watch it with: {command} --watch {key}   Cancel it with: {command} --cancel {key}"


def _told(finding: Mapping[str, object]) -> str:
    """One finding on a line of its own; entries of the command line have a place instead of a line."""
    if "line" not in finding:
        return f"  {finding['message']}"
    value = f" {finding['value']}:" if finding.get("value") else ""
    return f"  line {finding['line']}:{value} {finding['message']}"


def _parsed(options: dict[str, Any]) -> Parsed:
    if options["file"] and options["numbers"]:
        raise CommandError("Give policy numbers or --file, not both.")
    if not options["file"]:
        return parse_entries(options["numbers"])
    try:
        return parse_csv(decode_upload(options["file"].read_bytes()))
    except OSError as error:
        raise CommandError(f"{options['file']} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise CommandError(str(error)) from error


def _only_host(stores: Stores) -> str:
    names = [host.host_name for host in stores.hosts.enabled()]
    if len(names) != 1:
        raise CommandError(f"Name the host with --host: {', '.join(names) or 'there is none yet'}.")
    return names[0]


def _actor(email: str | None) -> User:
    """The user of that e-mail; without one whoever may use the store from here acts as an administrator."""
    if email is None:
        return User(
            user_id=COMMAND_LINE, email="command-line@localhost", name="Command line", roles=frozenset({Role.ADMIN})
        )
    user = users().by_email(email)
    if user is None or not user.is_active:
        raise CommandError(f"No active user has the e-mail {email}.")
    return user


def _ask() -> Credentials:
    """The host credentials: asked for, or two lines from stdin; never arguments, which others could read."""
    if sys.stdin.isatty():
        sys.stderr.write("Host user id: ")
        sys.stderr.flush()
        return Credentials(input().strip(), getpass.getpass("Host password: "))
    lines = sys.stdin.read().splitlines()
    if len(lines) < 2:  # noqa: PLR2004  (user id and password)
        raise CommandError("Give the host user id and the password as two lines on stdin.")
    return Credentials(lines[0].strip(), lines[1])


def _follow(stores: Stores, run: AstExecution, console: Console) -> AstExecution:
    """Poll the run until it has ended or pauses; Ctrl-C leaves it going."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("{task.fields[note]}"),
    )
    try:
        with Progress(*columns, console=console) as progress:
            bar = progress.add_task("policies", total=run.total_items, note="")
            while not run.status.is_final and run.status is not RunStatus.PAUSED:
                time.sleep(POLL_SECONDS)
                run = stores.executions.get(run.execution_id, consistent=True)
                state = state_payload(run, now=datetime.now(UTC))
                note = waiting_reason(run) or f"{state['ratePerMinute']:.0f} a minute"
                progress.update(bar, completed=run.completed_items, note=note)
    except KeyboardInterrupt:
        console.print(f"\nThe run goes on. {_how_to(run)}")
        raise SystemExit(INTERRUPTED) from None
    return run


def _closing_table(stores: Stores, run: AstExecution, console: Console) -> None:
    console.print(f"Run {run.execution_id}: {run.status.value}")
    table = Table()
    for heading in ("Status", "Policies"):
        table.add_column(heading, justify="right" if heading == "Policies" else "left")
    for name, number in run.counts.model_dump().items():
        table.add_row(name, f"{number:,}")
    console.print(table)
    if run.result.get("reason"):
        console.print(str(run.result["reason"]))
    failed = stores.results.listed(run.execution_id, status=PolicyStatus.FAILED, limit=FAILURES_SHOWN)
    for result in failed.items:
        console.print(f"  {result.policy_number}: {result.error}")
    if failed.next:
        console.print(f"  and more: /policy-runs/{run.execution_id}/?status=failed")
