"""What the environment says about single sign-on."""

from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured

from apps.accounts.entities import Role
from apps.accounts.oidc.config import SingleSignOn
from project.environment import read_environment

SET = {
    "RUNGS_OIDC_ISSUER": "https://id.example.org/tenant/",
    "RUNGS_OIDC_CLIENT_ID": "rungs",
    "RUNGS_OIDC_CLIENT_SECRET": "hunter2-hunter2",
}
SAFE = {
    "RUNGS_ENV": "prod",
    "RUNGS_SECRET_KEY": "s" * 50,
    "RUNGS_KMS_KEY": "alias/k",
    "RUNGS_ALLOWED_HOSTS": "a.example",
}


def read(**variables: str) -> SingleSignOn | None:
    return read_environment(base_dir=Path("/srv/rungs"), variables=variables).single_sign_on


def complaints(**variables: str) -> str:
    with pytest.raises(ImproperlyConfigured) as error:
        read(**variables)
    return str(error.value)


def test_there_is_none_unless_an_issuer_is_set() -> None:
    assert read() is None


def test_an_issuer_a_client_and_its_secret_are_enough() -> None:
    found = read(**SET)
    assert found == SingleSignOn(
        issuer="https://id.example.org/tenant/", client_id="rungs", client_secret="hunter2-hunter2"
    )
    assert (found.label, found.scopes) == ("single sign-on", ("openid", "email", "profile"))
    assert (found.new_accounts, found.trusts_emails) == (False, False)
    assert "hunter2" not in repr(found)


def test_everything_is_read_with_its_type() -> None:
    found = read(
        **SET,
        RUNGS_OIDC_LABEL="Example ID",
        RUNGS_OIDC_SCOPES="openid, email",
        RUNGS_OIDC_EMAIL_DOMAINS="Example.org, sub.example.com",
        RUNGS_OIDC_NEW_ACCOUNTS="yes",
        RUNGS_OIDC_NEW_ACCOUNT_ROLES="analyst, viewer",
        RUNGS_OIDC_TRUST_EMAILS="on",
    )
    assert found is not None
    assert (found.label, found.scopes) == ("Example ID", ("openid", "email"))
    assert found.email_domains == {"example.org", "sub.example.com"}
    assert found.new_account_roles == {Role.ANALYST, Role.VIEWER}
    assert found.new_accounts and found.trusts_emails


@pytest.mark.parametrize("missing", ["RUNGS_OIDC_CLIENT_ID", "RUNGS_OIDC_CLIENT_SECRET"])
def test_an_issuer_needs_client_and_secret_and_they_need_an_issuer(missing: str) -> None:
    assert f"{missing} is not set" in complaints(**{name: value for name, value in SET.items() if name != missing})
    told = complaints(**{missing: "hunter2-hunter2"})
    assert f"{missing} is set, but RUNGS_OIDC_ISSUER is not" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("RUNGS_OIDC_ISSUER", "id.example.org", "no https address"),
        ("RUNGS_OIDC_ISSUER", "http://id.example.org", "no https address"),
        ("RUNGS_OIDC_ISSUER", "https://id.example.org:eighty", "Port"),
        ("RUNGS_OIDC_ISSUER", "https://id.example.org/?tenant=1", "without user, query and #"),
        ("RUNGS_OIDC_ISSUER", "https://id.example.org/#1", "without user, query and #"),
        ("RUNGS_OIDC_ISSUER", "https://me:you@id.example.org/", "without user, query and #"),
        ("RUNGS_OIDC_LABEL", "x" * 41, "at most 40 characters"),
        ("RUNGS_OIDC_SCOPES", "email", "openid must be one of them"),
        ("RUNGS_OIDC_EMAIL_DOMAINS", "@example.org", "is no domain"),
        ("RUNGS_OIDC_EMAIL_DOMAINS", ",", "nothing but commas"),
        ("RUNGS_OIDC_NEW_ACCOUNTS", "maybe", "neither yes nor no"),
        ("RUNGS_OIDC_NEW_ACCOUNT_ROLES", "admin", "would be an administrator"),
        ("RUNGS_OIDC_NEW_ACCOUNT_ROLES", "chief", "'chief' is no role"),
        ("RUNGS_OIDC_TRUST_EMAILS", "2", "neither yes nor no"),
    ],
    ids=range(14),
)
def test_what_is_wrong_is_named_and_no_secret_with_it(name: str, value: str, said: str) -> None:
    told = complaints(**{**SET, name: value})
    assert f"{name}: " in told
    assert said in told
    assert "hunter2" not in told


def test_plain_http_is_for_a_developer_s_own_machine() -> None:
    local = {**SET, "RUNGS_OIDC_ISSUER": "http://127.0.0.1:9000"}
    assert read(**local) is not None
    assert "no https address" in complaints(**SAFE, **local)
    assert read(**SAFE, **SET) is not None
