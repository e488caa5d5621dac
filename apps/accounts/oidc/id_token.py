"""Whether an ID token comes from the provider, for us, now, and for the flow it is shown in."""

import base64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from authlib.oidc.core import CodeIDToken
from joserfc import jwk, jws, jwt
from joserfc.errors import JoseError

from apps.accounts.errors import SignInRefused
from apps.accounts.oidc.config import Claims

# Signatures by a private key alone: with `none` or a shared secret (HS256) whoever knows the public key could sign.
KEY_TYPES: Final[Mapping[str, str]] = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
}
SKEW_SECONDS: Final = 60
OLDEST_SECONDS: Final = 15 * 60
SMALLEST_RSA_BITS: Final = 2048
LONGEST_SUBJECT: Final = 255
_LONGEST_TEXT: Final = 1000

JsonKey = Mapping[str, Any]


def header_of(token: str) -> tuple[str, str | None]:
    """Algorithm and key id that the token claims. Raises `SignInRefused` for algorithms that are not allowed."""
    try:
        header = jws.extract_compact(token.encode()).headers()
    except (JoseError, ValueError) as error:
        raise SignInRefused("malformed token") from error
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in KEY_TYPES:
        raise SignInRefused("algorithm not allowed")
    return algorithm, key_id if isinstance(key_id, str) else None


def fitting(keys: Sequence[JsonKey], *, algorithm: str, key_id: str | None) -> list[JsonKey]:
    """The public keys that a token with this header may be signed with; all of the kind where it names none."""
    return [
        key
        for key in keys
        if key.get("kty") == KEY_TYPES[algorithm]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (key_id is None or key.get("kid") == key_id)
    ]


def claims_of(
    token: str,
    *,
    keys: Sequence[JsonKey],
    algorithm: str,
    issuer: str,
    client_id: str,
    nonce: str,
    access_token: str | None,
    now: datetime,
) -> Claims:
    """What the token says, once its signature by one of `keys` and everything it must claim are verified.

    Raises `SignInRefused`.
    """
    verified = _signed_by_one_of(token, keys, algorithm)
    claims = CodeIDToken(
        verified.claims,
        verified.header,
        options={"iss": {"essential": True, "value": issuer}, "aud": {"essential": True, "value": client_id}},
        params={"nonce": nonce, "client_id": client_id, "access_token": access_token},
    )
    moment = int(now.timestamp())
    try:
        claims.validate(now=moment, leeway=SKEW_SECONDS)
    except JoseError as error:
        raise SignInRefused(f"claim refused: {error.error}") from error
    except (TypeError, ValueError) as error:
        raise SignInRefused("claim of a wrong type") from error
    if claims["iat"] < moment - OLDEST_SECONDS:
        raise SignInRefused("issued long ago")
    subject = claims["sub"]
    if not 0 < len(subject) <= LONGEST_SUBJECT or not subject.isprintable():
        raise SignInRefused("unusable subject")
    return Claims(
        issuer=issuer,
        subject=subject,
        email=_text(claims.get("email")),
        # Some write the word instead of the value.
        email_verified=claims.get("email_verified") is True or claims.get("email_verified") == "true",
        name=_text(claims.get("name")),
    )


def _signed_by_one_of(token: str, keys: Sequence[JsonKey], algorithm: str) -> jwt.Token:
    for key in _imported(keys):
        try:
            return jwt.decode(token, key, algorithms=[algorithm])
        except JoseError:
            continue
        except ValueError as error:
            raise SignInRefused("malformed token") from error
    raise SignInRefused("signed by nobody we know")


def _imported(keys: Sequence[JsonKey]) -> Iterator[jwk.Key]:
    for key in keys:
        try:
            if key["kty"] == "RSA" and _bits(key["n"]) < SMALLEST_RSA_BITS:
                continue
            imported = jwk.import_key(dict(key))
        except (JoseError, ValueError, TypeError, KeyError, AttributeError):  # one broken key must not spoil the others
            continue
        yield imported


def _bits(number: str) -> int:
    """The size of a number as a key writes it (base64url). Raises `ValueError`."""
    raw = base64.urlsafe_b64decode(number + "=" * (-len(number) % 4))
    return int.from_bytes(raw).bit_length()


def _text(value: object) -> str:
    return value.strip()[:_LONGEST_TEXT] if isinstance(value, str) else ""
