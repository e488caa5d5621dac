"""Everything Rungs reads from its environment: once, typed, and with an error that names the variable."""

import base64
import binascii
import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Literal, TypeVar, cast, get_args
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from apps.accounts.entities import Role
from apps.accounts.oidc.config import DEFAULT_LABEL, DEFAULT_SCOPES, SingleSignOn
from apps.storage.connection import DataPlaneName

EnvironmentName = Literal["dev", "staging", "prod"]
Network = IPv4Network | IPv6Network
T = TypeVar("T")

ENCRYPTION_KEY_BYTES = 32
SHORTEST_SECRET_KEY = 32
SHORTEST_TOKEN = 16
MOST_DAYS = 36_500
LONGEST_ISSUER = 500
LONGEST_LABEL = 40
PHYSICAL_NAME = re.compile(r"[A-Za-z0-9_.-]{3,255}")
LEVEL_NAMES = ("Apprentice", "Contributor", "Practitioner", "Specialist", "Expert", "Authority", "Luminary")


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """Where mail goes; a `host` of None means that it is printed on the console."""

    host: str | None
    port: int
    user: str
    password: str
    use_tls: bool
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """What a deployment may choose; `.env.example` has the sentence behind each variable."""

    name: EnvironmentName
    table_prefix: str
    table_names: Mapping[str, str]
    endpoint: str | None
    region: str | None
    data_plane: DataPlaneName
    redis_url: str | None
    secret_key: str
    encryption_keys: tuple[str, ...]
    kms_key: str | None
    allowed_hosts: tuple[str, ...]
    public_url: str | None
    trusted_proxies: tuple[Network, ...]
    second_factor_roles: frozenset[Role]
    email: Email
    data_dir: Path
    log_level: str
    metrics_token: str
    audit_retention_days: int | None
    level_names: tuple[str, ...]
    single_sign_on: SingleSignOn | None

    @property
    def is_dev(self) -> bool:
        """A developer's machine or a test, where conveniences are allowed."""
        return self.name == "dev"


class _Reader:
    """Reads variables one by one and keeps every complaint, so that all of them are told at once."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = variables
        self.complaints: list[str] = []

    def text(self, name: str, default: str = "") -> str:
        return self.variables.get(name, "").strip() or default

    def parsed(self, name: str, parse: Callable[[str], T], default: T) -> T:
        raw = self.text(name)
        if not raw:
            return default
        try:
            return parse(raw)
        except ValueError as error:
            self.complaints.append(f"{name}: {error}")
            return default

    def needed(self, name: str, why: str) -> None:
        if not self.text(name):
            self.complaints.append(f"{name} is not set: {why}")


def read_environment(*, base_dir: Path, variables: Mapping[str, str] | None = None) -> Environment:
    """The environment as one typed value.

    `base_dir` is the project's root, below which `.rungs` holds a developer's data. Raises `ImproperlyConfigured` that
    lists every variable which is missing or wrong. Outside dev nothing that matters for safety has a default.
    """
    reader = _Reader(os.environ if variables is None else variables)
    name: EnvironmentName = reader.parsed("RUNGS_ENV", _environment_name, "dev")
    is_dev = name == "dev"
    data_dir = Path(reader.text("RUNGS_DATA_DIR", str(base_dir / ".rungs")))
    if not is_dev:
        reader.needed("RUNGS_SECRET_KEY", "sessions and cursors are signed with it; set 50 or more random characters")
        if not reader.text("RUNGS_KMS_KEY"):
            reader.needed(
                "RUNGS_ENCRYPTION_KEYS", "host passwords are encrypted with it; set 32 random bytes in base64"
            )
        reader.needed("RUNGS_ALLOWED_HOSTS", "name the hosts this site answers to, separated by commas")
    environment = Environment(
        name=name,
        table_prefix=reader.parsed("RUNGS_TABLE_PREFIX", _prefix, "rungs"),
        table_names=reader.parsed("RUNGS_TABLE_NAMES", _table_names, {}),
        endpoint=reader.parsed("AWS_ENDPOINT_URL_DYNAMODB", _http_url, None),
        region=reader.text("AWS_REGION") or reader.text("AWS_DEFAULT_REGION") or None,
        data_plane=reader.parsed("RUNGS_DATA_PLANE", _data_plane, "fast"),
        redis_url=reader.parsed("REDIS_URL", _redis_url, None),
        secret_key=reader.parsed("RUNGS_SECRET_KEY", _secret_key, ""),
        encryption_keys=reader.parsed("RUNGS_ENCRYPTION_KEYS", _encryption_keys, ()),
        kms_key=reader.parsed("RUNGS_KMS_KEY", _kms_key, None),
        allowed_hosts=reader.parsed(
            "RUNGS_ALLOWED_HOSTS", _some, ("localhost", "127.0.0.1", "[::1]") if is_dev else ()
        ),
        public_url=_public_url(reader, is_dev=is_dev),
        trusted_proxies=reader.parsed("RUNGS_TRUSTED_PROXIES", _networks, ()),
        second_factor_roles=reader.parsed("RUNGS_SECOND_FACTOR_ROLES", _roles, frozenset()),
        email=_email(reader),
        data_dir=data_dir,
        log_level=reader.parsed("RUNGS_LOG_LEVEL", _log_level, "INFO"),
        metrics_token=reader.parsed("RUNGS_METRICS_TOKEN", _metrics_token, ""),
        audit_retention_days=reader.parsed("RUNGS_AUDIT_RETENTION_DAYS", _days, None),
        level_names=reader.parsed("RUNGS_LEVEL_NAMES", _some, LEVEL_NAMES),
        single_sign_on=_single_sign_on(reader, is_dev=is_dev),
    )
    if reader.complaints:
        raise ImproperlyConfigured("Rungs cannot start:\n" + "\n".join(f"  - {line}" for line in reader.complaints))
    return environment


def development_key(data_dir: Path, name: str) -> str:
    """A random key of this laptop's own, 32 bytes in base64, made once and kept in `data_dir` (dev only)."""
    path = data_dir / f"{name}.key"
    try:
        if not path.exists():
            _make_key(path)
        return path.read_text().strip()
    except OSError as error:
        raise ImproperlyConfigured(f"RUNGS_DATA_DIR: {data_dir} cannot be used: {error.strerror}.") from error


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    fresh.touch(mode=0o600)
    fresh.write_text(base64.b64encode(secrets.token_bytes(ENCRYPTION_KEY_BYTES)).decode())
    try:
        path.hardlink_to(fresh)  # the first of several processes wins; the others read its key
    except FileExistsError:
        pass
    finally:
        fresh.unlink()


def _email(reader: _Reader) -> Email:
    return Email(
        host=reader.text("RUNGS_EMAIL_HOST") or None,
        port=reader.parsed("RUNGS_EMAIL_PORT", _port, None) or 587,
        user=reader.text("RUNGS_EMAIL_USER"),
        password=reader.text("RUNGS_EMAIL_PASSWORD"),
        use_tls=reader.parsed("RUNGS_EMAIL_TLS", _flag, default=True),
        sender=reader.text("RUNGS_EMAIL_FROM", "rungs@localhost"),
    )


def _single_sign_on(reader: _Reader, *, is_dev: bool) -> SingleSignOn | None:
    issuer = reader.parsed("RUNGS_OIDC_ISSUER", lambda raw: _issuer(raw, is_dev=is_dev), "")
    if not reader.text("RUNGS_OIDC_ISSUER"):
        for name in ("RUNGS_OIDC_CLIENT_ID", "RUNGS_OIDC_CLIENT_SECRET"):
            if reader.text(name):
                reader.complaints.append(f"{name} is set, but RUNGS_OIDC_ISSUER is not: set both, or none")
        return None
    reader.needed("RUNGS_OIDC_CLIENT_ID", "the provider of single sign-on knows this site by it")
    reader.needed("RUNGS_OIDC_CLIENT_SECRET", "the provider gave it together with the client id")
    return SingleSignOn(
        issuer=issuer,
        client_id=reader.text("RUNGS_OIDC_CLIENT_ID"),
        client_secret=reader.text("RUNGS_OIDC_CLIENT_SECRET"),
        label=reader.parsed("RUNGS_OIDC_LABEL", _label, DEFAULT_LABEL),
        scopes=reader.parsed("RUNGS_OIDC_SCOPES", _scopes, DEFAULT_SCOPES),
        email_domains=reader.parsed("RUNGS_OIDC_EMAIL_DOMAINS", _domains, frozenset()),
        new_accounts=reader.parsed("RUNGS_OIDC_NEW_ACCOUNTS", _flag, default=False),
        new_account_roles=reader.parsed("RUNGS_OIDC_NEW_ACCOUNT_ROLES", _new_account_roles, frozenset()),
        trusts_emails=reader.parsed("RUNGS_OIDC_TRUST_EMAILS", _flag, default=False),
    )


def _issuer(raw: str, *, is_dev: bool) -> str:
    parts = urlsplit(raw)
    if parts.port == 0:
        raise ValueError(f"{raw!r} has no port that can be")
    local = is_dev and parts.scheme == "http" and parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or (parts.scheme != "https" and not local):
        raise ValueError(f"{raw!r} is no https address, such as https://accounts.example.org")
    if parts.query or parts.fragment or "@" in parts.netloc or len(raw) > LONGEST_ISSUER:
        raise ValueError("write the issuer as the provider writes it: an address without user, query and #")
    return raw


def _label(raw: str) -> str:
    if len(raw) > LONGEST_LABEL or not raw.isprintable():
        raise ValueError(f"use at most {LONGEST_LABEL} characters: it follows “Sign in with” on a button")
    return raw


def _scopes(raw: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(raw.replace(",", " ").split()))
    if "openid" not in found:
        raise ValueError("openid must be one of them")
    return found


def _domains(raw: str) -> frozenset[str]:
    found = frozenset(part.casefold() for part in _some(raw))
    for domain in found:
        if not re.fullmatch(r"[\w-]+(\.[\w-]+)+", domain):
            raise ValueError(f"{domain!r} is no domain, such as example.org")
    return found


def _new_account_roles(raw: str) -> frozenset[Role]:
    found = _roles(raw)
    if Role.ADMIN in found:
        raise ValueError("whoever the provider knows would be an administrator; give that role to single people")
    return found


def _public_url(reader: _Reader, *, is_dev: bool) -> str | None:
    """What links in mails begin with; None where the host that was asked may be believed instead."""
    hosts = _list(reader.text("RUNGS_ALLOWED_HOSTS"))
    if not is_dev and any(host.startswith((".", "*")) for host in hosts):
        # Whoever asks chooses among them, and so where a link to a new password would lead.
        reader.needed("RUNGS_PUBLIC_URL", "RUNGS_ALLOWED_HOSTS leaves open what links in mails begin with")
    return reader.parsed("RUNGS_PUBLIC_URL", lambda raw: _site_url(raw, is_dev=is_dev), None)


def _environment_name(raw: str) -> EnvironmentName:
    if raw not in get_args(EnvironmentName):
        raise ValueError(f"{raw!r} is not one of {', '.join(get_args(EnvironmentName))}")
    return cast("EnvironmentName", raw)


def _data_plane(raw: str) -> DataPlaneName:
    if raw not in get_args(DataPlaneName):
        raise ValueError(f"{raw!r} is not one of {', '.join(get_args(DataPlaneName))}")
    return cast("DataPlaneName", raw)


def _prefix(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", raw):
        raise ValueError("use 1 to 64 letters, digits, dots, underscores or hyphens")
    return raw


def _table_names(raw: str) -> Mapping[str, str]:
    try:
        pairs = json.loads(raw) if raw.startswith("{") else dict(part.split("=", 1) for part in _list(raw))
    except ValueError:
        raise ValueError("write Table=physical-name pairs separated by commas, or one JSON object") from None
    for table, physical in pairs.items():
        if not isinstance(physical, str) or not PHYSICAL_NAME.fullmatch(physical.strip()):
            raise ValueError(f"{physical!r} cannot be the name of table {table} (3 to 255 letters, digits, _ . -)")
    names = {table.strip(): physical.strip() for table, physical in pairs.items()}
    twice = [physical for physical in names.values() if list(names.values()).count(physical) > 1]
    if twice:
        raise ValueError(f"{twice[0]} is given to more than one table")
    return names


def _http_url(raw: str) -> str:
    parts = urlsplit(raw)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.port == 0:
        raise ValueError(f"{raw!r} is no http or https address, such as http://localhost:8042")
    return raw.rstrip("/")


def _site_url(raw: str, *, is_dev: bool) -> str:
    url = _http_url(raw)
    parts = urlsplit(url)
    if parts.path:
        raise ValueError(f"{raw!r} has a path; the site stands at the root of its host")
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("write an address without user, query and #")
    if parts.scheme != "https" and not is_dev:
        raise ValueError(f"{raw!r} is no https address: links to choose a password would cross the network in the open")
    return url


def _redis_url(raw: str) -> str:
    if urlsplit(raw).scheme not in {"redis", "rediss", "unix"}:
        raise ValueError("write an address such as redis://localhost:6379/0")
    return raw


def _secret_key(raw: str) -> str:
    if len(raw) < SHORTEST_SECRET_KEY:
        raise ValueError(f"has {len(raw)} characters; use at least {SHORTEST_SECRET_KEY} random ones")
    return raw


def _metrics_token(raw: str) -> str:
    if not re.fullmatch(r"[!-~]+", raw) or len(raw) < SHORTEST_TOKEN:
        raise ValueError(f"use {SHORTEST_TOKEN} or more random letters, digits and signs, without spaces")
    return raw


def _encryption_keys(raw: str) -> tuple[str, ...]:
    keys = _some(raw)
    for number, key in enumerate(keys, 1):
        try:
            size = len(base64.b64decode(key, validate=True))
        except binascii.Error:
            raise ValueError(f"key {number} is not base64") from None
        if size != ENCRYPTION_KEY_BYTES:
            raise ValueError(f"key {number} has {size} bytes; it must have {ENCRYPTION_KEY_BYTES}")
    return keys


def _kms_key(raw: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9:/_-]+", raw):
        raise ValueError(f"{raw!r} is neither the id nor the ARN nor the alias of a key, such as alias/rungs")
    return raw


def _list(raw: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in raw.split(",") if part.strip())


def _some(raw: str) -> tuple[str, ...]:
    found = _list(raw)
    if not found:
        raise ValueError("holds nothing but commas")
    return found


def _networks(raw: str) -> tuple[Network, ...]:
    return tuple(ip_network(part) for part in _list(raw))


def _roles(raw: str) -> frozenset[Role]:
    unknown = sorted(set(_some(raw)) - set(Role))
    if unknown:
        raise ValueError(f"{unknown[0]!r} is no role; the roles are {', '.join(Role)}")
    return frozenset(map(Role, _some(raw)))


def _port(raw: str) -> int | None:
    if not raw.isdigit() or not 0 < int(raw) < 2**16:
        raise ValueError(f"{raw!r} is not a port between 1 and 65535")
    return int(raw)


def _days(raw: str) -> int | None:
    if not raw.isdecimal() or not 0 < int(raw) <= MOST_DAYS:
        raise ValueError(f"{raw!r} is not a number of days between 1 and {MOST_DAYS}")
    return int(raw)


def _flag(raw: str) -> bool:
    if raw.lower() not in {"1", "0", "true", "false", "yes", "no", "on", "off"}:
        raise ValueError(f"{raw!r} is neither yes nor no")
    return raw.lower() in {"1", "true", "yes", "on"}


def _log_level(raw: str) -> str:
    if raw.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError(f"{raw!r} is not one of DEBUG, INFO, WARNING, ERROR")
    return raw.upper()
