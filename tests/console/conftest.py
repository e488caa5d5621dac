"""The whole site, rows in it, and staff."""

import pytest

from apps.accounts.entities import Role
from apps.terminal.entities import Host
from apps.terminal.repository import Hosts
from tests.conftest import create_tables
from tests.console.ships import SHIPS, VISITS, Ships
from tests.policy_runs.conftest import launched_offline, operator, owner, run, stores
from tests.policy_runs.web import browser, member

__all__ = ["launched_offline", "operator", "owner", "run", "stores"]


@pytest.fixture
def hosts(store):
    return Hosts(store)


@pytest.fixture
def host(hosts):
    return hosts.add(Host(host_name="mainframe-1", description="The old one", address="192.0.2.7", port=992))


@pytest.fixture
def ada(store):
    return member(store, Role.ADMIN, name="Ada Admin")


@pytest.fixture
def adas(ada):
    """A browser in which an administrator is signed in."""
    return browser(ada)


@pytest.fixture
def office_store(store, settings):
    """The store, where a back office with more in it has its tables and its addresses."""
    from tests.console.office import Deliveries  # noqa: PLC0415  (once the addresses are there)

    create_tables(store, Deliveries.table)
    settings.ROOT_URLCONF = "tests.console.office"
    return store


@pytest.fixture
def ships(store, settings):
    """Ships, with their own console in the place of the back office."""
    settings.ROOT_URLCONF = "tests.console.ship_urls"
    create_tables(store, SHIPS, VISITS)
    return Ships(store)
