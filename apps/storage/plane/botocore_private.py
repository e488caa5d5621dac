"""Everything in Rungs that touches private names of botocore.

Each may change with any release, so the fast data plane uses them within `TESTED` only, and
`tests/storage/test_signatures.py` names every one of them. Outside that range the store goes through boto3's client,
which is slower and no less right (see `transport.plane_for`): a security release of botocore must not keep anybody from
starting. That way needs `replace_http_session` alone, to check answers, and
lacks `bound_connections`.
"""

from collections.abc import Callable
from copy import copy
from dataclasses import dataclass
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import botocore
from botocore.exceptions import NoCredentialsError

from apps.storage.plane.connections import POOLS

# The releases that the tests ran with: from the first, up to but without the second.
TESTED = ((1, 44), (1, 45))
# By owner, seen from a client; for the contract test.
NAMES = {
    "client": ("_endpoint", "_request_signer", "_resolve_endpoint_ruleset", "_user_agent_creator"),
    "client._endpoint": ("http_session",),
    "client._endpoint.http_session": ("_manager", "_pool_classes_by_scheme", "_proxy_config"),
    "client._endpoint.http_session._manager": ("connection_from_url",),
    "client._endpoint.http_session._proxy_config": ("proxy_url_for",),
    "client._request_signer": ("_credentials",),
    "client._user_agent_creator": ("to_string",),
}


@dataclass(frozen=True, slots=True)
class Target:
    """Where requests of these credentials go and what their signature is for."""

    url: str
    region: str
    service: str


def is_tested(version: str = botocore.__version__) -> bool:
    """Whether this release of botocore is among those that the tests ran with."""
    major, minor, *_ = version.split(".")
    first, beyond = TESTED
    return first <= (int(major), int(minor)) < beyond


def http_session(client: Any) -> Any:
    """The client's own pool of connections: `send(AWSPreparedRequest) -> AWSResponse`, raises `BotoCoreError`.

    It remembers which pool and which proxy an address has, which botocore works out anew for each request.
    """
    session = copy(client._endpoint.http_session)  # noqa: SLF001  (this module is for that)
    session._manager = _Remembering(session._manager, "connection_from_url")  # noqa: SLF001
    session._proxy_config = _Remembering(session._proxy_config, "proxy_url_for")  # noqa: SLF001
    return session


class _Remembering:
    """Something of which one method, of an address, is asked once for each."""

    def __init__(self, original: Any, method: str) -> None:
        self._original = original
        setattr(self, method, cache(getattr(original, method)))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._original, name)


def bound_connections(client: Any) -> None:
    """Have each wait of the client's connections end with the call, headers and body included; before the first one."""
    client._endpoint.http_session._pool_classes_by_scheme.update(POOLS)  # noqa: SLF001


def replace_http_session(client: Any, wrap: Callable[[Any], Any]) -> None:
    """Put something around the client's connections."""
    endpoint = client._endpoint  # noqa: SLF001
    endpoint.http_session = wrap(endpoint.http_session)


def frozen_credentials(client: Any) -> Any:
    """Access key, secret key, token and account as they are now: they may be renewed at any time.

    Raises `NoCredentialsError`.
    """
    credentials = client._request_signer._credentials  # noqa: SLF001
    if credentials is None:
        raise NoCredentialsError
    return credentials.get_frozen_credentials()


def target(client: Any) -> Target | None:
    """What botocore's endpoint rules say for the credentials of now, as they would for each call.

    They look at the region, the account of the credentials and the set-up, never at the operation. None where they ask
    for another kind of signature than SigV4, or for headers.
    """
    context: dict[str, Any] = {"client_region": client.meta.region_name, "client_config": client.meta.config}
    service = client.meta.service_model
    url, headers, _ = client._resolve_endpoint_ruleset(  # noqa: SLF001
        service.operation_model("GetItem"), {"TableName": "table"}, context
    )
    if headers or {context.get("auth_type", "v4"), client.meta.config.signature_version} != {"v4"}:
        return None
    signing = context.get("signing", {})
    return Target(
        url=url if urlsplit(url).path else f"{url}/",
        region=signing.get("region", client.meta.region_name),
        service=signing.get("signing_name", service.signing_name),
    )


def user_agent(client: Any) -> str:
    """How botocore introduces itself."""
    return str(client._user_agent_creator.to_string())  # noqa: SLF001
