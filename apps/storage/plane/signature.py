"""AWS's signature, version 4, of the one kind of request that the data plane sends."""

import hmac
from datetime import datetime
from hashlib import sha256
from typing import Any
from urllib.parse import quote, urlsplit

from botocore.utils import normalize_url_path

from apps.storage.plane.answers import TARGET_PREFIX
from apps.storage.plane.botocore_private import Target

CONTENT_TYPE = "application/x-amz-json-1.0"


class Signer:
    """Signs POSTs to one target: the same bytes as botocore's signer gives, but the key of a day is made once."""

    def __init__(self, target: Target) -> None:
        """What no request changes is prepared here."""
        parts = urlsplit(target.url)
        host = f"[{parts.hostname}]" if ":" in str(parts.hostname) else str(parts.hostname)
        is_usual = parts.port in {None, {"http": 80, "https": 443}[parts.scheme]}
        self._host = host if is_usual else f"{host}:{parts.port}"
        self._path = quote(normalize_url_path(parts.path), safe="/~")
        self._scope = (target.region, target.service, "aws4_request")
        # Secret, day and key are read and replaced as one: several threads sign at the same time.
        self._key: tuple[str, str, bytes] = ("", "", b"")

    def headers(self, operation: str, body: bytes, credentials: Any, *, now: datetime) -> dict[str, str]:
        """The headers that are signed, and the one with the signature.

        `operation` is DynamoDB's name of it, `credentials` are botocore's frozen ones, `now` is in UTC.
        """
        moment = now.strftime("%Y%m%dT%H%M%SZ")
        headers = {"Content-Type": CONTENT_TYPE, "X-Amz-Date": moment, "X-Amz-Target": TARGET_PREFIX + operation}
        names, token = "content-type;host;x-amz-date;x-amz-target", ""
        if credentials.token:
            headers["X-Amz-Security-Token"] = credentials.token
            names, token = names.replace(";x-amz-t", ";x-amz-security-token;x-amz-t"), credentials.token
            token = f"x-amz-security-token:{token}\n"
        canonical = (
            f"POST\n{self._path}\n\ncontent-type:{CONTENT_TYPE}\nhost:{self._host}\nx-amz-date:{moment}\n"
            f"{token}x-amz-target:{TARGET_PREFIX}{operation}\n\n{names}\n{sha256(body).hexdigest()}"
        )
        day = moment[:8]
        scope = "/".join((day, *self._scope))
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{sha256(canonical.encode()).hexdigest()}"
        signature = hmac.digest(self._key_of(credentials.secret_key, day), text.encode(), "sha256").hex()
        headers["Authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _key_of(self, secret: str, day: str) -> bytes:
        known_secret, known_day, key = self._key
        if known_secret != secret or known_day != day:
            key = f"AWS4{secret}".encode()
            for part in (day, *self._scope):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key = (secret, day, key)
        return key
