from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from django.http import HttpResponse
from django.test import Client

from apps.accounts import wiring
from apps.accounts.demo import DEMO_PASSWORD, seed_demo_users
from apps.accounts.entities import Role
from apps.errors import Forbidden
from apps.storage.connection import Store

NOW = datetime(2026, 3, 1, tzinfo=UTC)


def test_the_demo_people_can_sign_in_and_are_made_once(store: Store, sign_in: Callable[..., HttpResponse]) -> None:
    first = seed_demo_users(store, NOW)
    made = wiring.users().listed().items
    assert seed_demo_users(store, NOW) == first
    assert wiring.users().listed().items == made
    assert {email for _, email, _ in first} == {user.email for user in made}
    assert ("Ada Admin", "ada@example.org", frozenset({Role.ADMIN})) in first
    assert len(DEMO_PASSWORD) >= 12
    for _, email, _ in first:
        assert sign_in(Client(), email=email, password=DEMO_PASSWORD).status_code == 302


def test_there_are_no_demo_people_outside_dev(store: Store) -> None:
    staging = Store(environment="staging", prefix=store.prefix, endpoint=store.endpoint, region=store.region)
    with pytest.raises(Forbidden):
        seed_demo_users(staging, NOW)
