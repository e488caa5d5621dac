"""`manage.py serve`: everything in one process, ready to be used; what `make run` calls."""

import errno
import os
import signal
import socket
from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

import uvicorn
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.demo import DEMO_PASSWORD, seed_demo_users
from apps.assessments.demo import seed_demo_seasons
from apps.errors import DomainError
from apps.ladders.demo import seed_demo_ladder
from apps.policy_runs.wiring import synchronise_asts
from apps.storage.connection import default_store
from apps.storage.errors import StoreUnavailable
from apps.storage.registry import declared_tables
from apps.storage.schema.apply import drop_changed_indexes, set_up
from apps.terminal.demo import DEMO_HOST, DEMO_HOST_PASSWORD, DEMO_HOST_USER, seed_demo_host
from apps.terminal.repository import Hosts

SHUTDOWN_SECONDS = 25
HIGHEST_PORT = 65535


class Command(BaseCommand):
    help = "Set up what is missing and serve the pages, the API and the sockets, with a worker inside."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default 127.0.0.1)")
        parser.add_argument("--port", type=int, default=8000, help="port to listen on (default 8000)")
        parser.add_argument("--no-worker", action="store_true", help="work is done elsewhere, by manage.py work")
        parser.add_argument("--no-demo", action="store_true", help="no demo host and people (never any but in dev)")

    def handle(self, *args: Any, **options: Any) -> None:
        demo = settings.STORAGE["ENVIRONMENT"] == "dev" and not options["no_demo"]
        if not 0 <= options["port"] <= HIGHEST_PORT:
            raise CommandError(f"{options['port']} is no port: choose one from 1 to {HIGHEST_PORT}.")
        listening = _listen(options["host"], options["port"])
        try:
            self._prepare(demo=demo)
        except DomainError as error:
            remedies = error.remedies if isinstance(error, StoreUnavailable) else ()
            raise CommandError("\n".join([error.message, *(f"  - {remedy}" for remedy in remedies)])) from error
        demo_port = _demo_host_port() if demo else None
        self._announce(listening, demo=demo)
        _run(listening, worker=not options["no_worker"], demo_host_port=demo_port)
        self.stdout.write("Stopped.")

    def _prepare(self, *, demo: bool) -> None:
        """Tables, registry and demo people; outside dev the tables must be there (`setup_tables`)."""
        store = default_store()
        if settings.STORAGE["ENVIRONMENT"] != "dev":
            return
        if settings.STORAGE["EMBEDDED"]:
            for table in declared_tables():
                drop_changed_indexes(store, table)
        failed = [outcome for outcome in set_up(store, declared_tables()) if outcome.error]
        if failed:
            raise StoreUnavailable(f"Table {failed[0].physical} could not be set up: {failed[0].error}")
        synchronise_asts(store=store)
        if demo:
            now = datetime.now(UTC)
            seed_demo_users(store, now)
            seed_demo_seasons(store, now, ladder=seed_demo_ladder(store, now=now))

    def _announce(self, listening: socket.socket, *, demo: bool) -> None:
        host, port = listening.getsockname()[:2]
        shown = f"[{host}]" if ":" in host else host
        self.stdout.write(f"\nRungs is served at http://{shown}:{port}/   (stop with Ctrl-C)\n")
        if demo:
            self.stdout.write(
                "Sign in as  ada@example.org  (administrator),  mara@example.org  (manager of two teams),"
            )
            self.stdout.write("            timo@example.org  (team member)  or  olga@example.org  (operator),")
            self.stdout.write(f"password    {DEMO_PASSWORD}")
            self.stdout.write(
                f"On host {DEMO_HOST}: user id {DEMO_HOST_USER}, password {DEMO_HOST_PASSWORD}; "
                "docs/demo-policies.csv has policy numbers to paste.\n"
            )
        self.stdout.flush()


def _run(listening: socket.socket, *, worker: bool, demo_host_port: int | None) -> None:
    from project.asgi import Application  # noqa: PLC0415  (after the tables are there)

    config = uvicorn.Config(
        Application(worker=worker, demo_host_port=demo_host_port),
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=False,  # addresses come from TRUSTED_PROXIES alone
        server_header=False,
        ws_max_size=64 * 1024,
        timeout_graceful_shutdown=SHUTDOWN_SECONDS,
    )
    server = uvicorn.Server(config)
    for number in (signal.SIGINT, signal.SIGTERM):
        # The server shuts down by handlers of its own and then hands the signal on: there is nothing left to do.
        signal.signal(number, lambda *_: None)
    server.run(sockets=[listening])
    if not server.started:
        raise CommandError("The server could not start; the lines above say why.")


def _listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises `CommandError` with a sentence where the port or address cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            raise CommandError(
                f"Port {port} is in use. Stop what uses it, or choose another: make run PORT={port + 1}"
            ) from error
        raise CommandError(f"Cannot listen on {host} port {port}: {os.strerror(error.errno or 0)}.") from error
    return listening


def _demo_host_port() -> int | None:
    """The port for the demo host; None where another server on the same data runs one already."""
    known = Hosts(default_store()).find(DEMO_HOST, consistent=True)
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", known.port if known else 0))
        except OSError:
            return None
        port = int(probe.getsockname()[1])
    seed_demo_host(default_store(), port=port)
    return port
