"""HTTP, WebSockets and, embedded, the worker and the demo host: all on the server's own event loop."""

import asyncio
import gc
import os
import warnings
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import AsyncExitStack
from typing import Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()  # sets Django up: before anything of ours is imported

import structlog  # noqa: E402
from channels.routing import ProtocolTypeRouter, URLRouter  # noqa: E402
from django.conf import settings  # noqa: E402
from django.urls import get_resolver  # noqa: E402

from apps.errors import DomainError  # noqa: E402
from apps.jobs.worker import Worker, configured_handlers  # noqa: E402
from apps.policy_runs.routing import websocket_urlpatterns  # noqa: E402
from apps.storage.connection import default_store, off_loop  # noqa: E402
from apps.terminal.demohost import DemoHost  # noqa: E402

# WhiteNoise hands static files over as plain iterators, which Django reads at once and says so: they are small.
warnings.filterwarnings("ignore", message="StreamingHttpResponse must consume synchronous iterators")

log = structlog.get_logger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

router = ProtocolTypeRouter({"http": django_application, "websocket": URLRouter(websocket_urlpatterns)})


class Application:
    """The ASGI application. Channels' router refuses the lifespan scope, so it is answered here.

    With `worker` the embedded worker runs from start-up to shut-down; with `demo_host_port` the demo host does.
    """

    def __init__(self, *, worker: bool = False, demo_host_port: int | None = None) -> None:
        """Nothing is started before the server says so."""
        self.worker = worker
        self.demo_host_port = demo_host_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, or the server's life."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await router(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as running:
            await receive()
            try:
                await self._start(running)
            except OSError as error:
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
            await off_loop(_settle)
            await send({"type": "lifespan.startup.complete"})
            await receive()
        await send({"type": "lifespan.shutdown.complete"})

    async def _start(self, running: AsyncExitStack) -> None:
        if self.demo_host_port is not None:
            host = DemoHost(latency_seconds=settings.TERMINAL["DEMO_LATENCY_SECONDS"])
            await host.start(self.demo_host_port)
            running.push_async_callback(host.stop)
        if self.worker:
            stop = asyncio.Event()
            worker = Worker(configured_handlers(), at_once=settings.JOBS["EXECUTIONS_AT_ONCE"])
            working = asyncio.create_task(worker.run(stop), name="worker")
            working.add_done_callback(_tell_of_death)

            async def end() -> None:
                stop.set()
                await working

            running.push_async_callback(end)


def _settle() -> None:
    """Load what the first request would load, and take all of it out of the garbage collector's sight.

    A full round of the collector over such a heap takes a tenth of a second and more (160 ms were measured), in which
    no request is answered; what is frozen is never looked at again.
    """
    get_resolver().url_patterns  # noqa: B018  (importing them is what it is for)
    try:
        default_store().prepare()
    except DomainError as error:
        log.warning("the store is not ready", reason=error.message)
    gc.collect()
    gc.freeze()


def _tell_of_death(working: "asyncio.Task[None]") -> None:
    """A worker ends only when it is told to; anything else must not wait for shut-down to be heard of."""
    if not working.cancelled() and working.exception() is not None:
        log.critical("the embedded worker died", exc_info=working.exception())


application = Application()
