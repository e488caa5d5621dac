"""One process-wide client, the physical names of tables, and the way from async code to blocking calls."""

import asyncio
import sys
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cached_property, lru_cache, partial
from typing import TYPE_CHECKING, Any, Literal, ParamSpec, TypeVar

from django.conf import settings

from apps.storage.metering import METERED, Exchange, observers
from apps.storage.plane import deadline
from apps.storage.table import Table

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from apps.storage.plane.transport import DataPlane

P = ParamSpec("P")
R = TypeVar("R")

DataPlaneName = Literal["fast", "boto3"]

DEFAULT_REGION = "us-east-1"
CONNECT_TIMEOUT_SECONDS = 3
READ_TIMEOUT_SECONDS = 10
ATTEMPTS = 5
PROMPT_ATTEMPTS = 2
PROMPT_TIMEOUT_SECONDS = 3
DEADLINE_SECONDS = 30
PROMPT_DEADLINE_SECONDS = 5
PROMPT_THREADS = 4
_FOR_THE_REPOSITORY = frozenset({"ConditionalCheckFailedException", "TransactionCanceledException"})


class Store:
    """A DynamoDB endpoint and the names that tables have there.

    Cheap to make: the client, and boto3 itself, are loaded at the first call. Safe to use from many threads.

    A call ends after `deadline_seconds` (30): no try begins later, and no wait for the store's bytes lasts longer. It
    may take longer by a TLS handshake begun just in time (3 s), by 3 s for each further address of a name, and by what
    looking up names and credentials takes. With botocore's own way (`data_plane` "boto3") also by its wait between two
    tries: under 0.3 s, but up to 13 s where the store throttles and asks for it. With a botocore that is not known here
    only tries are bounded: then each takes `read_timeout_seconds` for each piece of an answer.
    """

    def __init__(
        self,
        *,
        environment: str,
        prefix: str,
        names: Mapping[str, str] | None = None,
        endpoint: str | None = None,
        region: str | None = None,
        engine: Callable[[], str] | None = None,
        attempts: int = ATTEMPTS,
        read_timeout_seconds: float = READ_TIMEOUT_SECONDS,
        deadline_seconds: float = DEADLINE_SECONDS,
        data_plane: DataPlaneName = "fast",
    ) -> None:
        """`engine` starts, or finds, an embedded engine and returns its address; used where `endpoint` is None.

        `attempts` is how often a request is sent before it fails, with growing waits between. `data_plane` says how
        requests are made: "boto3" as boto3 makes them, "fast" the same with less work.
        """
        self.environment = environment
        self.prefix = prefix
        self.names = names or {}
        self._given_endpoint = endpoint
        self._given_region = region
        self._engine = engine
        self._attempts = attempts
        self._read_timeout_seconds = read_timeout_seconds
        self._deadline_seconds = deadline_seconds
        self._lock = threading.RLock()
        self._client: DynamoDBClient | None = None
        self._plane: DataPlane | None = None
        self.data_plane = data_plane

    def prompt(self) -> "Store":
        """The same store for what must be answered soon or not at all, such as heartbeats: a call ends after 5 s.

        At worst after 8 s, where TLS is slow at the end, and what else `Store` says of deadlines.
        """
        return Store(
            environment=self.environment,
            prefix=self.prefix,
            names=self.names,
            region=self._given_region,
            endpoint=self._given_endpoint,
            engine=(lambda: str(self.endpoint)) if self._engine else None,
            attempts=PROMPT_ATTEMPTS,
            read_timeout_seconds=PROMPT_TIMEOUT_SECONDS,
            deadline_seconds=min(self._deadline_seconds, PROMPT_DEADLINE_SECONDS),
            data_plane=self.data_plane,
        )

    def physical(self, table: Table) -> str:
        """The name this table has at the endpoint: `{prefix}-{environment}-{Table}`, or the one mapped to it."""
        return self.names.get(table.name) or f"{self.prefix}-{self.environment}-{table.name}"

    @cached_property
    def endpoint(self) -> str | None:
        """The address given, or the embedded engine's, or None for AWS itself."""
        if self._given_endpoint is None and self._engine is not None:
            return self._engine()
        return self._given_endpoint

    @property
    def is_local(self) -> bool:
        """Whether this is some endpoint of our own rather than AWS, so that no AWS credentials are needed."""
        return self._engine is not None or self._given_endpoint is not None

    @cached_property
    def region(self) -> str:
        """The region given, else the profile's, else us-east-1."""
        if self._given_region:
            return self._given_region
        import botocore.session  # noqa: PLC0415  (slow to import: only where a call is made)

        return str(botocore.session.get_session().get_config_variable("region") or DEFAULT_REGION)

    @property
    def client(self) -> "DynamoDBClient":
        """The shared low-level client, for what is not done on items; several threads may ask for it first."""
        self.warm()
        return self._client  # type: ignore[return-value]  # it is there now

    def warm(self) -> "DataPlane":
        """Make the client where nobody has; the way that requests take through it. Raises botocore's errors."""
        if self._plane is None:
            with self._lock:
                if self._plane is None:
                    from apps.storage.plane.transport import plane_for  # noqa: PLC0415  (slow to import, as boto3 is)

                    self._client = self._new_client("dynamodb", self.endpoint)
                    self._plane = plane_for(self._client, fast=self.data_plane == "fast")
        return self._plane

    def prepare(self) -> None:
        """Make the client now rather than at the first call; asks the store nothing. Raises `StoreUnavailable`."""
        self._guarded(lambda: {"plane": self.warm()}, "connect", str(self._given_endpoint or "AWS"), {})

    def _new_client(self, service: str, endpoint: str | None) -> Any:
        import boto3  # noqa: PLC0415  (slow to import: only where a call is made)
        from botocore.config import Config  # noqa: PLC0415

        config = Config(
            connect_timeout=CONNECT_TIMEOUT_SECONDS,
            read_timeout=self._read_timeout_seconds,
            retries={"total_max_attempts": self._attempts, "mode": "standard"},
            max_pool_connections=64,
            tcp_keepalive=True,
        )
        session: Any = boto3.session.Session()
        # A local engine accepts any signature, but botocore wants something to sign with.
        credentials = (
            {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
            if endpoint and session.get_credentials() is None
            else {}
        )
        return session.client(service, region_name=self.region, endpoint_url=endpoint, config=config, **credentials)

    def caller_identity(self) -> Mapping[str, str]:
        """Who AWS says we are: `Account`, `Arn`, `UserId`. Raises `AccessDenied` or `StoreUnavailable`."""
        return self._guarded(
            lambda: self._new_client("sts", None).get_caller_identity(), "get_caller_identity", "AWS", None
        )

    def call(
        self,
        operation: str,
        *,
        table: str,
        key: Mapping[str, Any] | None = None,
        repeatable: bool = True,
        **request: Any,
    ) -> dict[str, Any]:
        """One request by its boto3 method name, metered; `table` is the name for messages and meters.

        `key` (DynamoDB's JSON) is for messages too, where the request has none of its own.

        A request that fails in passing is sent again. One that is not `repeatable`, such as adding to a number, is sent
        again only while it is certain that nothing came of it; where that is not certain, `OutcomeUnknown` is raised.

        Raises `DomainError`s of this package, except `ClientError` for a failed condition or a cancelled transaction,
        which the repository turns into the error that its caller understands.
        """
        watching = observers()
        if watching and operation in METERED:
            request["ReturnConsumedCapacity"] = "INDEXES"
        answer: dict[str, Any] | None = None
        started = time.perf_counter()
        try:
            answer = self._guarded(
                lambda: self._in_time(operation, request, repeatable=repeatable),
                operation,
                table,
                key or request.get("Key"),
                repeatable=repeatable,
            )
        finally:
            seconds = time.perf_counter() - started
            for observer in watching:
                observer.saw(
                    Exchange(
                        operation=operation,
                        table=table,
                        request=request,
                        answer=answer,
                        seconds=seconds,
                        error=sys.exception() if answer is None else None,
                    )
                )
        return answer

    def _in_time(self, operation: str, request: Mapping[str, Any], *, repeatable: bool) -> dict[str, Any]:
        plane = self.warm()  # starting an engine may take its time
        with deadline.within(self._deadline_seconds):
            return plane.send(operation, request, repeatable=repeatable)

    def _guarded(
        self,
        send: Callable[[], dict[str, Any]],
        operation: str,
        table: str,
        key: Mapping[str, Any] | None,
        *,
        repeatable: bool = True,
    ) -> dict[str, Any]:
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        from apps.storage.errors import error_code, translate  # noqa: PLC0415

        try:
            return send()
        except (ClientError, BotoCoreError) as error:
            if isinstance(error, ClientError) and error_code(error) in _FOR_THE_REPOSITORY:
                raise
            raise translate(error, operation=operation, table=table, key=key, repeatable=repeatable) from error


def configured_store(*, environment: str | None = None, region: str | None = None) -> Store:
    """A store from Django's `STORAGE` setting; a command may name another environment or region."""
    options = settings.STORAGE
    chosen = environment or options["ENVIRONMENT"]
    return Store(
        environment=chosen,
        prefix=options["TABLE_PREFIX"],
        names=options["TABLE_NAMES"],
        endpoint=options["ENDPOINT"],
        region=region or options["REGION"],
        engine=_embedded_engine if options["EMBEDDED"] and chosen == "dev" else None,
        data_plane=options["DATA_PLANE"],
    )


_default: Store | None = None
_default_lock = threading.Lock()


def default_store() -> Store:
    """The process's own store."""
    global _default  # noqa: PLW0603  (one store a process, made when it is first needed)
    with _default_lock:
        if _default is None:
            _default = configured_store()
        return _default


def _embedded_engine() -> str:
    from apps.storage.engine import ensure_engine  # noqa: PLC0415  (only laptops need it)

    return ensure_engine(settings.STORAGE["DATA_DIR"])


@lru_cache(maxsize=1)
def _pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=settings.STORAGE["THREADS"], thread_name_prefix="store")


@lru_cache(maxsize=1)
def _prompt_pool() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(max_workers=PROMPT_THREADS, thread_name_prefix="store-prompt")


async def off_loop(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Await a blocking repository call from async code.

    It runs in a bounded pool of threads of the store's own, so that a slow store can starve neither the event loop nor
    whatever else uses threads. Meters that are active here count there too.
    """
    return await _in_pool(_pool(), partial(function, *args, **kwargs))


async def promptly(function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Like `off_loop`, in a few threads that nothing else uses: a heartbeat must not queue behind slow questions."""
    return await _in_pool(_prompt_pool(), partial(function, *args, **kwargs))


async def _in_pool(pool: ThreadPoolExecutor, call: Callable[[], R]) -> R:
    return await asyncio.get_running_loop().run_in_executor(pool, partial(copy_context().run, call))
