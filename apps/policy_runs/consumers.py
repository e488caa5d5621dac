"""The socket of a run's watchers: the present state first, then what the worker tells, never more than one may see.

The socket is a tail. What it says can be lost; the store has the truth, and a watcher who missed something gets the
state afresh.
"""

import asyncio
import contextlib
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import orjson
import structlog
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, allowed
from apps.accounts.sockets import address_of_scope, user_of_scope
from apps.errors import DomainError, NotFound, Unavailable
from apps.jobs.feed import LAYER_ERRORS, envelope, group_name
from apps.policy_runs.access import WISHES, visible_run
from apps.policy_runs.entities import AstExecution
from apps.policy_runs.payloads import state_payload
from apps.policy_runs.services import control
from apps.policy_runs.watching import watched_run
from apps.policy_runs.wiring import default_stores
from apps.storage.connection import off_loop

log = structlog.get_logger(__name__)

NOT_SIGNED_IN = 4401
NOT_FOUND = 4404
UNAVAILABLE = 4503
BROKEN = 1011
TICK_SECONDS = 1.0
SILENT_SECONDS = 2.0
SIGN_IN_SECONDS = 5.0
LONGEST_MESSAGE = 4096


class PolicyRunConsumer(AsyncWebsocketConsumer):
    """One watcher of one run."""

    user: User
    key: str
    last: tuple[int, int] | None = None
    shown: Mapping[str, Any] | None = None
    told: tuple[int, int] = (0, 0)  # fence and policies done, as the worker told last

    async def connect(self) -> None:
        """Let in who may see the run, from our own origin; tell others why not."""
        self.heard = time.monotonic()
        self.guard: asyncio.Task[None] | None = None
        if not self._own_origin():
            await self.close()
            return
        await self.accept()
        try:
            user = await user_of_scope(self.scope)
            if user is None:
                await self.close(NOT_SIGNED_IN)
                return
            self.user = user
            self.key = self.scope["url_route"]["kwargs"]["execution_id"]
            await self._visible_run()
            with contextlib.suppress(*LAYER_ERRORS):  # without the layer the store is asked
                await self.channel_layer.group_add(group_name(self.key), self.channel_name)
            await self._tell_state(seq=None)
        except NotFound:
            await self.close(NOT_FOUND)
        except Unavailable:
            await self.close(UNAVAILABLE)
        else:
            self.guard = asyncio.create_task(self._guard())
            self.guard.add_done_callback(self._unguarded)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002  (Channels' signature)
        """Leave the group."""
        guard = getattr(self, "guard", None)
        if guard is not None:
            guard.cancel()
            with contextlib.suppress(*LAYER_ERRORS):
                await self.channel_layer.group_discard(group_name(self.key), self.channel_name)

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:  # noqa: ARG002
        """`ast.control` and `ast.resync` from the watcher; anything else is answered with `ast.error`."""
        if self.guard is None:
            return  # was not let in, and is being told so
        message = _read(text_data or "")
        if message is None:
            await self._tell("ast.error", {"message": "This message could not be read."})
            return
        kind, action = message
        try:
            if kind == "ast.resync":
                await self._tell_state(seq=self.last)
            elif kind == "ast.control" and action in WISHES:
                await self._control(action)
            else:
                await self._tell("ast.error", {"message": "There is no such message."})
        except NotFound:
            await self.close(NOT_FOUND)
        except DomainError as error:
            await self._tell("ast.error", {"message": error.public_message, "code": error.code})

    async def feed_frame(self, event: Mapping[str, Any]) -> None:
        """A frame from the worker, passed on; the first one of a fence says where the state we showed stands."""
        self.heard = time.monotonic()
        messages = event["messages"]
        fence = messages[0]["seq"][0]
        if self.last is None or self.last[0] != fence:
            self.last = (fence, messages[-1]["seq"][1])
            await self._tell_state(seq=self.last)
            return
        for message in messages:
            self.last = (message["seq"][0], message["seq"][1])
            if message["type"] == "ast.progress":
                self.told = (fence, message["payload"]["current"])
            await self.send(orjson.dumps(message).decode())

    # --- inside ------------------------------------------------------------------------------------------------------

    def _own_origin(self) -> bool:
        headers = dict(self.scope.get("headers", ()))
        origin = headers.get(b"origin", b"").decode("latin-1")
        schemes = {"https"} if settings.SESSION_COOKIE_SECURE else {"http", "https"}
        parts = urlsplit(origin)
        return parts.scheme in schemes and parts.netloc == headers.get(b"host", b"").decode("latin-1")

    async def _visible_run(self) -> AstExecution:
        stores = default_stores()
        return await off_loop(visible_run, stores.executions, key=self.key, actor=self.user, consistent=True)

    async def _control(self, action: str) -> None:
        if not await self._still_welcome():
            return
        run = await off_loop(
            control,
            default_stores(),
            actor=self.user,
            key=self.key,
            wish=WISHES[action],
            now=datetime.now(UTC),
            address=address_of_scope(self.scope),
        )
        self.heard = time.monotonic()
        await self._tell_state(seq=self.last, run=run)

    async def _tell_state(self, *, seq: tuple[int, int] | None, run: AstExecution | None = None) -> None:
        """`ast.state`, standing at `seq` of the numbered stream."""
        run = run or await self._visible_run()
        self.shown = _watched(run)
        payload = state_payload(run, now=datetime.now(UTC))
        await self._tell("ast.state", payload, seq=seq or (run.fence, 0), session_id=run.session_id)

    async def _tell(
        self,
        kind: str,
        payload: Mapping[str, Any],
        *,
        seq: tuple[int, int] | None = None,
        session_id: str | None = None,
    ) -> None:
        message = envelope(kind, payload, session_id=session_id, seq=seq, now=datetime.now(UTC))
        await self.send(orjson.dumps(message).decode())

    async def _guard(self) -> None:
        """Ask every few seconds whether this person is still signed in, and whether something happened untold."""
        asked = time.monotonic()
        while True:
            await asyncio.sleep(TICK_SECONDS)
            with contextlib.suppress(Unavailable):  # asked again at the next tick
                if time.monotonic() - asked >= SIGN_IN_SECONDS:
                    if not await self._still_welcome():
                        return
                    asked = time.monotonic()
                if time.monotonic() - self.heard >= SILENT_SECONDS:
                    await self._catch_up()

    async def _still_welcome(self) -> bool:
        """Whether this person, with the roles they have now, may still watch; closes the socket where not."""
        user = await user_of_scope(self.scope)
        if user is None or user.user_id != self.user.user_id:
            await self.close(NOT_SIGNED_IN)
            return False
        self.user = user
        run = await watched_run(self.key)
        if run is None or not allowed(user, Permission.RUN_SEE, run):
            await self.close(NOT_FOUND)
            return False
        return True

    def _unguarded(self, guard: "asyncio.Task[None]") -> None:
        """An open socket without its guard would outlive its sign-in."""
        if not guard.cancelled() and guard.exception() is not None:
            log.error("a socket's guard broke", run=self.key, exc_info=guard.exception())
            self.closing = asyncio.create_task(self.close(BROKEN))

    async def _catch_up(self) -> None:
        """Without a word from the worker the store is asked: it may run elsewhere, or not at all.

        The stored counters may lag behind what the worker told; then there is nothing new to tell.
        """
        run = await watched_run(self.key)
        if run is None:
            await self.close(NOT_FOUND)
        elif _watched(run) != self.shown and (run.fence, run.completed_items) >= self.told:
            await self._tell_state(seq=self.last, run=run)


def _read(text: str) -> tuple[str, str] | None:
    """Type and action of a watcher's message, whatever else it holds; None where it is none."""
    try:
        message = orjson.loads(text[:LONGEST_MESSAGE])
    except orjson.JSONDecodeError:
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        return None
    payload = message.get("payload")
    action = payload.get("action") if isinstance(payload, dict) else None
    return message["type"], action if isinstance(action, str) else ""


def _watched(run: AstExecution) -> Mapping[str, Any]:
    """What a watcher would notice a change of."""
    return {
        "fence": run.fence,
        "status": run.status,
        "control": run.control,
        "completed": run.completed_items,
        "waiting": run.waiting_reason,
        "queue": run.queue,
    }
