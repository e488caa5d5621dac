"""What Rungs reads from its environment."""

import base64
import subprocess
import sys
from collections.abc import Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from project.environment import Environment, development_key, read_environment

ROOT = Path(__file__).resolve().parent.parent
KEY = base64.b64encode(b"k" * 32).decode()
FORMER_KEY = base64.b64encode(b"f" * 32).decode()
SAFE = {"RUNGS_SECRET_KEY": "s" * 50, "RUNGS_ENCRYPTION_KEYS": KEY, "RUNGS_ALLOWED_HOSTS": "rungs.example.org"}


def read(**variables: str) -> Environment:
    return read_environment(base_dir=Path("/srv/rungs"), variables=variables)


def complaints(**variables: str) -> list[str]:
    with pytest.raises(ImproperlyConfigured) as error:
        read(**variables)
    first, *lines = str(error.value).splitlines()
    assert first == "Rungs cannot start:"
    return [line.removeprefix("  - ") for line in lines]


def test_a_developer_needs_to_set_nothing() -> None:
    found = read()
    assert found.is_dev
    assert (found.name, found.table_prefix, found.table_names) == ("dev", "rungs", {})
    assert (found.endpoint, found.region, found.redis_url, found.data_plane) == (None, None, None, "fast")
    assert (found.secret_key, found.encryption_keys, found.trusted_proxies) == ("", (), ())
    assert found.allowed_hosts == ("localhost", "127.0.0.1", "[::1]")
    assert (found.data_dir, found.log_level) == (Path("/srv/rungs/.rungs"), "INFO")
    assert (found.email.host, found.email.port, found.email.use_tls) == (None, 587, True)


def test_everything_set_is_read_with_its_type() -> None:
    found = read(
        RUNGS_ENV="prod",
        RUNGS_TABLE_PREFIX="acme.rungs",
        RUNGS_TABLE_NAMES="Projects=prod-vishmaker-projects, Users = users_1",
        RUNGS_DATA_DIR="/var/lib/rungs",
        RUNGS_SECRET_KEY="s" * 50,
        RUNGS_ENCRYPTION_KEYS=f"{KEY}, {FORMER_KEY}",
        RUNGS_ALLOWED_HOSTS="rungs.example.org, .example.com,",
        RUNGS_PUBLIC_URL="https://rungs.example.org/",
        RUNGS_TRUSTED_PROXIES="10.0.0.0/8,2001:db8::/32,192.0.2.7",
        RUNGS_LOG_LEVEL="warning",
        RUNGS_EMAIL_HOST="mail.example.org",
        RUNGS_EMAIL_PORT="2525",
        RUNGS_EMAIL_USER="rungs",
        RUNGS_EMAIL_PASSWORD="mail-secret",
        RUNGS_EMAIL_TLS="No",
        RUNGS_EMAIL_FROM="rungs@example.org",
        AWS_ENDPOINT_URL_DYNAMODB="https://store.example.org:8042/",
        AWS_DEFAULT_REGION="eu-west-1",
        REDIS_URL="rediss://cache:6379/0",
        RUNGS_DATA_PLANE="boto3",
        RUNGS_AUDIT_RETENTION_DAYS="730",
    )
    assert not found.is_dev
    assert (found.audit_retention_days, read().audit_retention_days) == (730, None)
    assert found.data_plane == "boto3"
    assert (found.name, found.table_prefix) == ("prod", "acme.rungs")
    assert found.table_names["Projects"] == "prod-vishmaker-projects"
    assert found.data_dir == Path("/var/lib/rungs")
    assert found.encryption_keys == (KEY, FORMER_KEY)
    assert found.allowed_hosts == ("rungs.example.org", ".example.com")
    assert found.public_url == "https://rungs.example.org"
    assert found.trusted_proxies == tuple(map(ip_network, ("10.0.0.0/8", "2001:db8::/32", "192.0.2.7/32")))
    assert found.log_level == "WARNING"
    assert (found.email.host, found.email.port, found.email.use_tls) == ("mail.example.org", 2525, False)
    assert found.endpoint == "https://store.example.org:8042"
    assert (found.region, found.redis_url) == ("eu-west-1", "rediss://cache:6379/0")


def test_table_names_may_be_one_json_object() -> None:
    assert read(RUNGS_TABLE_NAMES='{"Users": "old-users"}').table_names == {"Users": "old-users"}


def test_the_newer_variable_of_the_region_goes_first() -> None:
    assert read(AWS_REGION="eu-north-1", AWS_DEFAULT_REGION="us-east-1").region == "eu-north-1"


def test_blank_is_not_set() -> None:
    assert read(RUNGS_ENV=" ", AWS_REGION="", REDIS_URL="  ") == read()


WRONG = [
    ("RUNGS_ENV", "production", "'production' is not one of dev, staging, prod"),
    ("RUNGS_TABLE_PREFIX", "a b", "letters, digits"),
    ("RUNGS_TABLE_NAMES", "Users", "Table=physical-name pairs"),
    ("RUNGS_TABLE_NAMES", "{nonsense", "Table=physical-name pairs"),
    ("RUNGS_TABLE_NAMES", "Users=ab", "'ab' cannot be the name of table Users"),
    ("RUNGS_TABLE_NAMES", '{"Users": 7}', "7 cannot be the name of table Users"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "localhost:8042", "no http or https address"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://", "no http or https address"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:eighty", "Port"),
    ("AWS_ENDPOINT_URL_DYNAMODB", "http://localhost:99999", "Port"),
    ("REDIS_URL", "localhost:6379", "redis://"),
    ("RUNGS_SECRET_KEY", "short", "has 5 characters; use at least 32"),
    ("RUNGS_ENCRYPTION_KEYS", "not base64!", "key 1 is not base64"),
    ("RUNGS_ENCRYPTION_KEYS", "schlüssel", "ASCII"),
    ("RUNGS_ENCRYPTION_KEYS", f"{KEY},c2hvcnQ=", "key 2 has 5 bytes; it must have 32"),
    ("RUNGS_ENCRYPTION_KEYS", ",", "nothing but commas"),
    ("RUNGS_ALLOWED_HOSTS", " , ", "nothing but commas"),
    ("RUNGS_PUBLIC_URL", "rungs.example.org", "no http or https address"),
    ("RUNGS_PUBLIC_URL", "https://example.org/rungs", "has a path"),
    ("RUNGS_PUBLIC_URL", "https://example.org?a=1", "without user, query and #"),
    ("RUNGS_PUBLIC_URL", "https://me:secret@example.org", "without user, query and #"),
    ("RUNGS_TRUSTED_PROXIES", "10.0.0.1/8", "host bits"),
    ("RUNGS_TRUSTED_PROXIES", "proxy.example.org", "does not appear to be"),
    ("RUNGS_EMAIL_PORT", "0", "between 1 and 65535"),
    ("RUNGS_EMAIL_PORT", "smtp", "between 1 and 65535"),
    ("RUNGS_EMAIL_TLS", "maybe", "neither yes nor no"),
    ("RUNGS_LOG_LEVEL", "loud", "not one of DEBUG"),
    ("RUNGS_DATA_PLANE", "slow", "not one of fast, boto3"),
    ("RUNGS_AUDIT_RETENTION_DAYS", "0", "between 1 and 36500"),
    ("RUNGS_AUDIT_RETENTION_DAYS", "-1", "between 1 and 36500"),
    ("RUNGS_AUDIT_RETENTION_DAYS", "a year", "between 1 and 36500"),
    ("RUNGS_AUDIT_RETENTION_DAYS", "36501", "between 1 and 36500"),
]


@pytest.mark.parametrize(("name", "value", "why"), WRONG, ids=[f"{name}={value}" for name, value, _ in WRONG])
def test_a_wrong_value_is_named_with_its_variable_and_what_would_be_right(name: str, value: str, why: str) -> None:
    (complaint,) = complaints(**{name: value})
    assert complaint.startswith(f"{name}: ")
    assert why in complaint


@pytest.mark.parametrize("hosts", ["*", "rungs.example.org, .example.com"])
def test_where_the_host_names_are_open_the_address_for_links_must_be_named(hosts: str) -> None:
    (complaint,) = complaints(RUNGS_ENV="prod", **{**SAFE, "RUNGS_ALLOWED_HOSTS": hosts})
    assert complaint.startswith("RUNGS_PUBLIC_URL is not set")
    assert read(RUNGS_ENV="prod", **SAFE).public_url is None


def test_links_that_choose_a_password_are_secure_outside_dev() -> None:
    insecure = {"RUNGS_PUBLIC_URL": "http://rungs.example.org"}
    (complaint,) = complaints(RUNGS_ENV="prod", **{**SAFE, **insecure})
    assert complaint.startswith("RUNGS_PUBLIC_URL: 'http://rungs.example.org' is no https address")
    assert read(**insecure).public_url == "http://rungs.example.org"


def test_all_complaints_are_told_at_once() -> None:
    told = complaints(
        RUNGS_ENV="staging", RUNGS_TABLE_PREFIX="a b", RUNGS_EMAIL_PORT="x", RUNGS_SECRET_KEY="x", REDIS_URL="x"
    )
    assert [line.partition(":")[0].split()[0] for line in told] == [
        "RUNGS_ENCRYPTION_KEYS",
        "RUNGS_ALLOWED_HOSTS",
        "RUNGS_TABLE_PREFIX",
        "REDIS_URL",
        "RUNGS_SECRET_KEY",
        "RUNGS_EMAIL_PORT",
    ]


@pytest.mark.parametrize("name", ["staging", "prod"])
def test_nothing_that_matters_for_safety_has_a_default_outside_dev(name: str) -> None:
    told = complaints(RUNGS_ENV=name)
    assert [line.split()[0] for line in told] == list(SAFE)
    assert all("is not set: " in line for line in told)
    for missing in SAFE:
        (line,) = complaints(RUNGS_ENV=name, **{other: SAFE[other] for other in SAFE if other != missing})
        assert line.startswith(f"{missing} is not set")
    assert read(RUNGS_ENV=name, **SAFE).name == name


def test_a_complaint_does_not_repeat_a_secret() -> None:
    told = complaints(RUNGS_SECRET_KEY="hunter2", RUNGS_ENCRYPTION_KEYS="hunter2", REDIS_URL="cache:hunter2@x")
    assert len(told) == 3
    assert "hunter2" not in " ".join(told)


def test_the_environment_of_the_process_is_read_where_no_other_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RUNGS_TABLE_PREFIX", "from-the-process")
    assert read_environment(base_dir=ROOT).table_prefix == "from-the-process"


def test_a_server_in_prod_does_not_start_and_says_all_that_is_missing() -> None:
    started = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=ROOT,
        env={"RUNGS_ENV": "prod", "PATH": ""},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert started.returncode == 1
    assert all(f"{name} is not set" in started.stderr for name in SAFE)


# --- keys of a laptop


def test_a_laptops_keys_are_made_once_and_differ_by_name(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "data"
    first = development_key(folder, "secret")
    assert len(base64.b64decode(first, validate=True)) == 32
    assert development_key(folder, "secret") == first
    assert development_key(folder, "encryption") != first
    assert (folder / "secret.key").stat().st_mode & 0o777 == 0o600
    assert read(RUNGS_ENCRYPTION_KEYS=first).encryption_keys == (first,)


def test_all_who_need_a_laptops_key_first_get_the_same_one(
    tmp_path: Path, in_threads: Callable[[int, Callable[[int], None]], None]
) -> None:
    for attempt in range(20):
        folder = tmp_path / str(attempt)
        found: list[str] = []
        in_threads(8, lambda _, folder=folder, found=found: found.append(development_key(folder, "secret")))  # type: ignore[misc]
        assert len(found) == 8
        assert len(set(found)) == 1
        assert [path.name for path in folder.iterdir()] == ["secret.key"]


def test_processes_agree_on_a_laptops_key_too(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib; from project.environment import development_key;"
        "sys.stdin.readline(); print(development_key(pathlib.Path(sys.argv[1]), 'secret'))"
    )
    racers = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(tmp_path)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write("go\n")
        racer.stdin.flush()
    keys = [racer.communicate(timeout=30)[0].strip() for racer in racers]
    assert len(keys[0]) == 44
    assert len(set(keys)) == 1


def test_roles_that_need_a_second_factor_are_known_ones(tmp_path: Path) -> None:
    found = read_environment(base_dir=tmp_path, variables={"RUNGS_SECOND_FACTOR_ROLES": "admin, support"})
    assert found.second_factor_roles == {"admin", "support"}
    with pytest.raises(ImproperlyConfigured, match="RUNGS_SECOND_FACTOR_ROLES: 'king' is no role"):
        read_environment(base_dir=tmp_path, variables={"RUNGS_SECOND_FACTOR_ROLES": "admin,king"})
