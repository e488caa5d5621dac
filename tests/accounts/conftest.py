"""A small site, two people, and a way to count looks at passwords."""

import copy
import dataclasses
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import services, wiring
from apps.accounts.entities import Role, User
from apps.accounts.oidc.config import Claims, SingleSignOn
from apps.storage.connection import Store
from tests.accounts.oidc_provider import CLIENT_ID, CLIENT_SECRET, Provider, served
from tests.accounts.people import ADMIN, PASSWORD, CountingPasswords


@pytest.fixture(autouse=True)
def small_site(settings: Any) -> None:
    from tests.accounts import site  # noqa: PLC0415  (needs Django's settings)

    settings.ROOT_URLCONF = "tests.accounts.site"
    settings.MIDDLEWARE = site.MIDDLEWARE
    settings.CSRF_FAILURE_VIEW = "tests.accounts.site.csrf_failure"
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["OPTIONS"]["context_processors"] = site.CONTEXT_PROCESSORS
    settings.TEMPLATES = templates
    settings.PASSWORD_HASHERS = ["tests.accounts.site.QuickArgon2"]


@pytest.fixture
def passwords(monkeypatch: pytest.MonkeyPatch) -> CountingPasswords:
    counting = CountingPasswords()
    monkeypatch.setattr(wiring, "passwords", lambda: counting)
    return counting


@pytest.fixture
def make_user(store: Store, passwords: CountingPasswords) -> Callable[..., User]:
    def make(
        email: str = "ada@example.org",
        name: str = "Ada",
        roles: Iterable[Role] = (Role.OPERATOR,),
        password: str = PASSWORD,
    ) -> User:
        return services.create_user(
            wiring.users(),
            email=email,
            name=name,
            roles=roles,
            password=password,
            actor=ADMIN,
            now=datetime.now(UTC),
            passwords=passwords,
            audit=wiring.audit_log(),
        )

    return make


@pytest.fixture
def ada(make_user: Callable[..., User]) -> User:
    return make_user()


@pytest.fixture
def sign_in() -> Callable[..., HttpResponse]:
    def sign_in_with(
        client: Client, email: str = "ada@example.org", password: str = PASSWORD, **more: Any
    ) -> HttpResponse:
        wanted = more.pop("next", "")
        return client.post("/account/sign-in/", {"email": email, "password": password, "next": wanted}, **more)

    return sign_in_with


@pytest.fixture
def client() -> Client:
    return Client()


@pytest.fixture
def provider(settings: Any) -> Iterator[Provider]:
    """A provider of single sign-on, which the site is set to."""
    with served() as found:
        settings.SINGLE_SIGN_ON = SingleSignOn(
            issuer=found.issuer, client_id=CLIENT_ID, client_secret=CLIENT_SECRET, label="Example ID"
        )
        yield found


@pytest.fixture
def choose(provider: Provider, settings: Any) -> Callable[..., None]:
    """Set something about single sign-on to another value."""

    def change(**values: Any) -> None:
        settings.SINGLE_SIGN_ON = dataclasses.replace(settings.SINGLE_SIGN_ON, **values)

    return change


@pytest.fixture
def connect(provider: Provider, settings: Any) -> Callable[..., None]:
    """Connect a user with a person at the provider."""

    def connect_with(user: User, subject: str = "s-ada") -> None:
        services.connect(
            wiring.users(),
            wiring.identities(),
            user=user,
            claims=Claims(issuer=provider.issuer, subject=subject, email=user.email),
            chosen=settings.SINGLE_SIGN_ON,
            actor=user.acting(),
            now=datetime.now(UTC),
            audit=wiring.audit_log(),
        )

    return connect_with


@pytest.fixture
def connected(ada: User, connect: Callable[..., None]) -> User:
    """Ada, who is `s-ada` at the provider."""
    connect(ada)
    return ada
