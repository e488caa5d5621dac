"""The provider as Rungs sees it: where to send people, and who it says came back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, RequestException

from apps.accounts.errors import ProviderUnavailable, SignInRefused
from apps.accounts.oidc.cached import Cached
from apps.accounts.oidc.config import Claims, SingleSignOn
from apps.accounts.oidc.flows import Flow
from apps.accounts.oidc.id_token import JsonKey, claims_of, fitting, header_of
from apps.accounts.oidc.transport import BoundedAdapter

DISCOVERY: Final = "/.well-known/openid-configuration"
LOOPBACK: Final = frozenset({"localhost", "127.0.0.1", "::1"})
_OK: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Metadata:
    """What the discovery document says, checked. `names_itself`: its answers carry `iss` (RFC 9207)."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_auth: str
    names_itself: bool


class IdentityProvider:
    """One provider; keeps its discovery document and its keys for an hour. For any number of threads."""

    def __init__(self, settings: SingleSignOn) -> None:
        """Asks nothing yet."""
        self.settings = settings
        self.metadata = Cached(self._fetched_metadata)
        self.keys = Cached(self._fetched_keys)

    def address_for(self, flow: Flow, *, redirect_uri: str) -> str:
        """Where to send somebody who begins this flow. Raises `ProviderUnavailable`."""
        with self._client(redirect_uri) as client:
            address, _ = client.create_authorization_url(
                self.metadata.get().authorization_endpoint,
                state=flow.state,
                nonce=flow.nonce,
                code_verifier=flow.verifier,
            )
        return str(address)

    def who_came_back(self, flow: Flow, *, code: str, issuer: str | None, redirect_uri: str, now: datetime) -> Claims:
        """Whom the provider gave this code for; `issuer` is what the answer named as its sender, if it did.

        Raises `SignInRefused`, `ProviderUnavailable`.
        """
        metadata = self.metadata.get()
        if issuer != self.settings.issuer and (issuer is not None or metadata.names_itself):
            raise SignInRefused("answer of another issuer")
        answer = self._redeemed(metadata, code=code, verifier=flow.verifier, redirect_uri=redirect_uri)
        token, access_token = answer.get("id_token"), answer.get("access_token")
        if not isinstance(token, str) or not token:
            raise SignInRefused("no ID token")
        algorithm, key_id = header_of(token)
        return claims_of(
            token,
            keys=self._keys_for(algorithm, key_id),
            algorithm=algorithm,
            issuer=self.settings.issuer,
            client_id=self.settings.client_id,
            nonce=flow.nonce,
            access_token=access_token if isinstance(access_token, str) else None,
            now=now,
        )

    def _keys_for(self, algorithm: str, key_id: str | None) -> list[JsonKey]:
        found = fitting(self.keys.get(), algorithm=algorithm, key_id=key_id)
        return found or fitting(self.keys.renewed(), algorithm=algorithm, key_id=key_id)

    def _redeemed(self, metadata: Metadata, *, code: str, verifier: str, redirect_uri: str) -> Mapping[str, Any]:
        with self._client(redirect_uri, token_auth=metadata.token_auth) as client:
            try:
                answer = client.fetch_token(
                    metadata.token_endpoint,
                    grant_type="authorization_code",
                    code=code,
                    code_verifier=verifier,
                    redirect_uri=redirect_uri,
                    allow_redirects=False,
                )
            except OAuthError as error:
                if error.error == "invalid_grant":
                    raise SignInRefused("code refused") from error
                raise ProviderUnavailable(f"token endpoint refused: {_told(error.error)}") from error
            except (RequestException, ValueError, TypeError) as error:
                raise ProviderUnavailable(f"token endpoint: {type(error).__name__}") from error
        return dict(answer)

    def _fetched_metadata(self) -> Metadata:
        document = self._fetched(self.settings.issuer.rstrip("/") + DISCOVERY, "discovery document")
        if document.get("issuer") != self.settings.issuer:
            raise ProviderUnavailable("discovery document: its issuer is not the one that is set")
        methods = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        return Metadata(
            authorization_endpoint=self._endpoint(document, "authorization_endpoint"),
            token_endpoint=self._endpoint(document, "token_endpoint"),
            jwks_uri=self._endpoint(document, "jwks_uri"),
            token_auth="client_secret_basic" if "client_secret_basic" in methods else "client_secret_post",
            names_itself=document.get("authorization_response_iss_parameter_supported") is True,
        )

    def _endpoint(self, document: Mapping[str, Any], name: str) -> str:
        address = document.get(name)
        if not isinstance(address, str) or not is_safe(address, issuer=self.settings.issuer):
            raise ProviderUnavailable(f"discovery document: {name} is missing or no https address")
        return address

    def _fetched_keys(self) -> list[JsonKey]:
        keys = self._fetched(self.metadata.get().jwks_uri, "keys").get("keys")
        if not isinstance(keys, list):
            raise ProviderUnavailable("keys: there are none")
        return [key for key in keys if isinstance(key, dict)]

    def _fetched(self, address: str, what: str) -> Mapping[str, Any]:
        with self._client() as client:
            try:
                answer = client.get(
                    address,
                    headers={"Accept": "application/json"},
                    auth=_nobody,
                    withhold_token=True,
                    allow_redirects=False,
                )
                document = answer.json() if answer.status_code == _OK else None
            except (RequestException, ValueError) as error:
                raise ProviderUnavailable(f"{what}: {type(error).__name__}") from error
        if not isinstance(document, dict):
            raise ProviderUnavailable(f"{what}: status {answer.status_code}, or no JSON object")
        return document

    def _client(self, redirect_uri: str | None = None, *, token_auth: str = "client_secret_basic") -> Any:  # noqa: S107
        client = OAuth2Session(
            self.settings.client_id,
            self.settings.client_secret,
            scope=" ".join(self.settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            token_endpoint_auth_method=token_auth,
        )
        for scheme in ("https://", "http://"):
            client.mount(scheme, BoundedAdapter())
        return client


def is_safe(address: str, *, issuer: str) -> bool:
    """Whether this may be asked: https, or plain http on the machine itself where the issuer is there too."""
    parts, home = _split(address), _split(issuer)
    if parts is None or home is None:
        return False
    return parts[0] == "https" or (parts[0] == "http" and parts[1] in LOOPBACK and home[1] in LOOPBACK)


def _split(address: str) -> tuple[str, str] | None:
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    return (parts.scheme, parts.hostname) if parts.hostname else None


def _nobody(request: PreparedRequest) -> PreparedRequest:
    """Keeps what a .netrc holds out of a question that needs no credentials."""
    return request


def _told(error: object) -> str:
    """The provider's word for an error as far as it is one: anything else could be a secret, or a forged log line."""
    return error if isinstance(error, str) and error.replace("_", "").isalnum() and len(error) <= 50 else "(garbled)"  # noqa: PLR2004
