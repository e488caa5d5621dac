"""A small OpenID provider that is one: codes, PKCE, keys that change, signatures made without the library under test.

It can also be made to lie, each lie by one knob.
"""

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

CLIENT_ID, CLIENT_SECRET = "rungs", "a secret: with % & signs"
Claims = dict[str, Any]


def b64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def b64_number(number: int) -> str:
    return b64(number.to_bytes((number.bit_length() + 7) // 8, "big"))


@cache
def rsa_key(number: int, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same key for the same number: they take long to make."""
    return rsa.generate_private_key(public_exponent=65537, key_size=bits)


@dataclass
class SigningKey:
    """A private key with a name, and how it signs."""

    key_id: str
    private: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

    @property
    def algorithm(self) -> str:
        return "RS256" if isinstance(self.private, rsa.RSAPrivateKey) else "ES256"

    def public(self) -> dict[str, str]:
        """The JSON Web Key."""
        common = {"kid": self.key_id, "use": "sig", "alg": self.algorithm}
        if isinstance(self.private, rsa.RSAPrivateKey):
            numbers = self.private.public_key().public_numbers()
            return {**common, "kty": "RSA", "n": b64_number(numbers.n), "e": b64_number(numbers.e)}
        point = self.private.public_key().public_numbers()
        x, y = (b64(part.to_bytes(32, "big")) for part in (point.x, point.y))
        return {**common, "kty": "EC", "crv": "P-256", "x": x, "y": y}

    def public_pem(self) -> bytes:
        return self.private.public_key().public_bytes(
            serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
        )

    def signature(self, signed: bytes) -> bytes:
        if isinstance(self.private, rsa.RSAPrivateKey):
            return self.private.sign(signed, padding.PKCS1v15(), hashes.SHA256())
        r, s = decode_dss_signature(self.private.sign(signed, ec.ECDSA(hashes.SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


def token(header: dict[str, Any], claims: Claims, sign: Callable[[bytes], bytes]) -> str:
    """A JSON Web Token, signed however one likes."""
    signed = ".".join(b64(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{b64(sign(signed.encode()))}"


def signed_by(key: SigningKey) -> Callable[[Claims], str]:
    return lambda claims: token({"alg": key.algorithm, "kid": key.key_id, "typ": "JWT"}, claims, key.signature)


def unsigned(claims: Claims) -> str:
    return token({"alg": "none"}, claims, lambda _: b"")


def signed_with_public_key(key: SigningKey) -> Callable[[Claims], str]:
    """The old trick: the public key as a shared secret."""
    header = {"alg": "HS256", "kid": key.key_id}
    return lambda claims: token(header, claims, lambda text: hmac.digest(key.public_pem(), text, "sha256"))


@dataclass
class Provider:
    """A provider that answers at `issuer`. `person` is who sits at every browser that comes."""

    issuer: str = ""
    person: Claims = field(default_factory=lambda: {"sub": "s-ada", "email": "ada@example.org", "email_verified": True})
    keys: list[SigningKey] = field(default_factory=lambda: [SigningKey("k1", rsa_key(1))])
    asked: Counter[str] = field(default_factory=Counter)
    codes: dict[str, Claims] = field(default_factory=dict)
    # Knobs.
    more: Claims = field(default_factory=dict)  # claims of the ID token that are other than they should be
    without: tuple[str, ...] = ()
    sign: Callable[[Claims], str] | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = field(default_factory=dict)
    error: str = ""
    names_itself: str = ""
    shows_a_page: bool = False
    redirect_uris: frozenset[str] = frozenset({"http://testserver/account/single-sign-on/callback/"})

    def discovery(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256", "ES256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "code_challenge_methods_supported": ["S256"],
            **self.metadata,
        }

    def authorized(self, query: dict[str, str]) -> str:
        """Where the browser is sent back to. Raises `ValueError` for a request that breaks the rules."""
        demanded = {"client_id": CLIENT_ID, "response_type": "code", "code_challenge_method": "S256"}
        for name, value in demanded.items():
            if query.get(name) != value:
                raise ValueError(f"{name} is {query.get(name)!r}")
        if query.get("redirect_uri") not in self.redirect_uris:
            raise ValueError(f"unregistered {query.get('redirect_uri')!r}")
        if "openid" not in query.get("scope", "").split():
            raise ValueError("no OpenID")
        back = {"state": query["state"], **({"iss": self.names_itself} if self.names_itself else {})}
        if self.error:
            return f"{query['redirect_uri']}?{urlencode({**back, 'error': self.error})}"
        code = secrets.token_urlsafe(16)
        self.codes[code] = {**query, "person": dict(self.person)}
        return f"{query['redirect_uri']}?{urlencode({**back, 'code': code})}"

    def redeemed(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """The token endpoint's answer."""
        if not self._is_client(form, authorization):
            return 401, {"error": "invalid_client"}
        given = self.codes.pop(form.get("code", ""), None)
        if given is None or given["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        challenge = b64(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
        if challenge != given["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        access = secrets.token_urlsafe(16)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "nonce": given["nonce"],
            "iat": now,
            "exp": now + 300,
            "at_hash": b64(hashlib.sha256(access.encode()).digest()[:16]),
            **given["person"],
            **self.more,
        }
        claims = {name: value for name, value in claims.items() if name not in self.without}
        id_token = (self.sign or signed_by(self.keys[0]))(claims)
        return 200, {"access_token": access, "token_type": "Bearer", "expires_in": 300, "id_token": id_token}

    def _is_client(self, form: dict[str, str], authorization: str) -> bool:
        if "client_secret_post" in self.discovery()["token_endpoint_auth_methods_supported"]:
            return not authorization and form.get("client_secret") == CLIENT_SECRET
        kind, _, encoded = authorization.partition(" ")
        expected = f"{CLIENT_ID}:{CLIENT_SECRET}"
        return kind == "Basic" and base64.b64decode(encoded).decode() == expected and "client_secret" not in form


class _Handler(BaseHTTPRequestHandler):
    provider: Provider
    protocol_version = "HTTP/1.1"

    def log_message(self, *_args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.provider.asked[parts.path] += 1
        if parts.path in self.provider.answers:
            self.provider.answers[parts.path](self)
        elif parts.path.endswith("/.well-known/openid-configuration"):
            send_json(self, 200, self.provider.discovery())
        elif parts.path == "/keys":
            send_json(self, 200, {"keys": [key.public() for key in self.provider.keys]})
        elif parts.path == "/authorize" and self.provider.shows_a_page:
            self._page(f"/confirmed?{parts.query}")
        elif parts.path in {"/authorize", "/confirmed"}:
            self._back(query)
        else:
            send_json(self, 404, {})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        self.provider.asked[self.path] += 1
        if self.path in self.provider.answers:
            self.provider.answers[self.path](self)
            return
        form = {name: values[0] for name, values in parse_qs(body).items()}
        send_json(self, *self.provider.redeemed(form, self.headers.get("Authorization", "")))

    def _back(self, query: dict[str, str]) -> None:
        try:
            address = self.provider.authorized(query)
        except (ValueError, KeyError) as error:
            send_json(self, 400, {"error": str(error)})
            return
        send(self, 302, b"", Location=address)

    def _page(self, onward: str) -> None:
        person = escape(str(self.provider.person["sub"]))
        html = (
            "<!doctype html><html lang=en><title>Example ID</title><main><h1>Example ID</h1>"
            f'<a href="{escape(onward)}">Go on as {person}</a></main></html>'
        )
        send(self, 200, html.encode(), **{"Content-Type": "text/html; charset=utf-8"})


def send(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(body))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(body)


def send_json(handler: BaseHTTPRequestHandler, status: int, answer: Any) -> None:
    send(handler, status, json.dumps(answer).encode(), **{"Content-Type": "application/json"})


@contextmanager
def served() -> Iterator[Provider]:
    """A provider on a free port of this machine, gone afterwards."""
    provider = Provider()
    handler = type("Handler", (_Handler,), {"provider": provider})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        provider.issuer = f"http://127.0.0.1:{server.server_address[1]}"
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()
