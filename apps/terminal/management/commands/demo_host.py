"""`manage.py demo_host`: the demo host on its own, until Ctrl-C."""

import asyncio
import os
import signal
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from apps.terminal.demohost import PASSWORD, DemoHost
from apps.terminal.demohost.host import ADDRESS


class Command(BaseCommand):
    help = "Run the demo insurance host, a TN3270(E) server on 127.0.0.1, until Ctrl-C or SIGTERM."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--port", type=int, default=3270, help="port to listen on; 0 takes any free one")
        parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="wait before each screen")
        parser.add_argument("--fault-rate", type=float, default=0.0, help="share of inquiries that go wrong, 0 to 1")
        parser.add_argument("--seed", type=int, default=0, help="chooses which inquiries go wrong")

    def handle(self, *_args: Any, **options: Any) -> None:
        if not 0 <= options["fault_rate"] <= 1:
            raise CommandError("--fault-rate is a share between 0 and 1.")
        if options["latency"] < 0:
            raise CommandError("--latency is a number of seconds, 0 or more.")
        if not 0 <= options["port"] <= 65535:  # noqa: PLR2004 -- the range of TCP ports
            raise CommandError("--port is a number from 0 to 65535.")
        host = DemoHost(latency_seconds=options["latency"], fault_rate=options["fault_rate"], seed=options["seed"])
        asyncio.run(self._serve(host, port=options["port"]))

    async def _serve(self, host: DemoHost, *, port: int) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop.set)
        try:
            await host.start(port)
        except OSError as error:
            raise CommandError(
                f"Port {port} on {ADDRESS} cannot be used: {_reason(error)}. Try another --port."
            ) from error
        self.stdout.write(
            f"Demo host at {ADDRESS}:{host.port} (sign on as DEMO01, password {PASSWORD}). Ctrl-C stops it."
        )
        self.stdout.flush()
        try:
            await stop.wait()
        finally:
            await host.stop()


def _reason(error: OSError) -> str:
    return os.strerror(error.errno).lower() if error.errno else "it is refused"
