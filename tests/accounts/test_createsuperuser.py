import getpass
import io
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.http import HttpResponse

from apps.accounts import wiring
from apps.accounts.entities import Role, User
from apps.storage.connection import Store
from tests.accounts.people import PASSWORD

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def no_variables(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("EMAIL", "NAME", "PASSWORD"):
        monkeypatch.delenv(f"RUNGS_SUPERUSER_{name}", raising=False)


@pytest.fixture
def run() -> Callable[..., str]:
    def run_command(*arguments: str) -> str:
        out = io.StringIO()
        call_command("createsuperuser", *arguments, stdout=out)
        return out.getvalue()

    return run_command


def test_everything_can_come_from_the_environment(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch, sign_in: Callable[..., HttpResponse]
) -> None:
    monkeypatch.setenv("RUNGS_SUPERUSER_EMAIL", "Root@example.org")
    monkeypatch.setenv("RUNGS_SUPERUSER_NAME", "Root")
    monkeypatch.setenv("RUNGS_SUPERUSER_PASSWORD", PASSWORD)
    assert run("--noinput") == "Created the administrator Root (root@example.org).\n"
    user = wiring.users().by_email("root@example.org")
    assert user.roles == {Role.ADMIN}
    assert wiring.passwords().matches(PASSWORD, user.password_hash)
    assert wiring.audit_log().of(f"Users#{user.user_id}").items[0].actor_id == "command:createsuperuser"


def test_the_variable_of_the_password_can_be_named(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MY_SECRET", PASSWORD)
    run("--noinput", "--email", "root@example.org", "--name", "Root", "--password-env", "MY_SECRET")
    assert wiring.users().by_email("root@example.org").is_active


def test_it_asks_for_what_is_missing(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter(["root@example.org", "Root"])
    monkeypatch.setattr("builtins.input", lambda _: next(answers))
    monkeypatch.setattr(getpass, "getpass", lambda _: PASSWORD)
    assert "root@example.org" in run()


def test_two_different_passwords_are_refused(run: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> None:
    typed = iter([PASSWORD, PASSWORD + "x"])
    monkeypatch.setattr(getpass, "getpass", lambda _: next(typed))
    with pytest.raises(CommandError, match="differ"):
        run("--email", "root@example.org", "--name", "Root")
    assert wiring.users().by_email("root@example.org") is None


@pytest.mark.parametrize(
    ("arguments", "password", "said"),
    [
        (("--email", "root@example.org", "--name", "R"), "", "RUNGS_SUPERUSER_PASSWORD"),
        (("--email", "root@example.org"), PASSWORD, "--name"),
        (("--name", "Root"), PASSWORD, "--email"),
        (("--email", "root", "--name", "Root"), PASSWORD, "name@example.org"),
        (("--email", "root@example.org", "--name", "Root"), "short", "at least 12 characters"),
    ],
)
def test_what_is_missing_or_wrong_is_said_in_one_sentence(
    run: Callable[..., str], monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], password: str, said: str
) -> None:
    monkeypatch.setenv("RUNGS_SUPERUSER_PASSWORD", password)
    with pytest.raises(CommandError, match=said) as refused:
        run("--noinput", *arguments)
    assert refused.value.returncode == 1
    assert "\n" not in str(refused.value)


def test_an_address_that_is_taken_is_said_plainly(
    run: Callable[..., str], ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RUNGS_SUPERUSER_PASSWORD", PASSWORD)
    with pytest.raises(CommandError) as refused:
        run("--noinput", "--email", "ADA@example.org", "--name", "Root")
    assert str(refused.value) == "Somebody uses ada@example.org already."
    assert refused.value.returncode == 1


def test_the_password_is_no_option(run: Callable[..., str]) -> None:
    with pytest.raises(CommandError, match="unrecognized arguments"):
        run("--password", PASSWORD, "--noinput", "--email", "root@example.org", "--name", "Root")


def test_run_as_a_process_it_exits_with_1_and_one_sentence(ada: User, store: Store) -> None:
    environment = {
        **os.environ,
        "AWS_ENDPOINT_URL_DYNAMODB": str(store.endpoint),
        "AWS_REGION": store.region,
        "RUNGS_TABLE_PREFIX": store.prefix,
        "RUNGS_SUPERUSER_PASSWORD": PASSWORD,
    }
    command = [sys.executable, "manage.py", "createsuperuser", "--noinput", "--name", "Root", "--email"]
    made = subprocess.run(
        [*command, "root@example.org"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (made.returncode, made.stdout, made.stderr) == (
        0,
        "Created the administrator Root (root@example.org).\n",
        "",
    )
    refused = subprocess.run(
        [*command, "ada@example.org"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "CommandError: Somebody uses ada@example.org already.\n"
    assert wiring.users().by_email("root@example.org") is not None
