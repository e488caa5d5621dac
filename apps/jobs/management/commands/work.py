"""`manage.py work`: a worker in a process of its own; run as many as you like."""

import asyncio
import gc
import signal
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.errors import DomainError
from apps.jobs.worker import Worker, configured_handlers
from apps.storage.connection import default_store, off_loop


class Command(BaseCommand):
    help = "Take open runs from the queue and work on them until stopped."

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            asyncio.run(self._work())
        except DomainError as error:
            raise CommandError(error.message) from error

    async def _work(self) -> None:
        stop = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await off_loop(default_store().prepare)
        worker = Worker(configured_handlers(), at_once=settings.JOBS["EXECUTIONS_AT_ONCE"])
        # All that stays for good is loaded now. Left to the garbage collector, each full round would look at it again
        # and hold up the live sessions for a tenth of a second and more.
        gc.collect()
        gc.freeze()
        self.stdout.write("Working. Stop with Ctrl-C: what is under way is handed back.")
        await worker.run(stop)
        self.stdout.write("Stopped.")
