"""The demo host as a row that runs may name; only on a developer's machine."""

from apps.errors import Forbidden
from apps.storage.connection import Store
from apps.terminal.demohost import PASSWORD
from apps.terminal.entities import Host
from apps.terminal.repository import Hosts

DEMO_HOST = "demo"
DEMO_HOST_USER = "DEMO01"
DEMO_HOST_PASSWORD = PASSWORD


def seed_demo_host(store: Store, *, port: int) -> Host:
    """Point the host row `demo` at the demo host on this port. Raises `Forbidden` outside dev."""
    if store.environment != "dev":
        raise Forbidden("The demo host exists only where RUNGS_ENV is dev.")
    hosts = Hosts(store)
    known = hosts.find(DEMO_HOST, consistent=True)
    if known is None:
        return hosts.add(
            Host(
                host_name=DEMO_HOST,
                description="The demo host inside this server",
                address="127.0.0.1",
                port=port,
                use_tls=False,
            )
        )
    return known if known.port == port else hosts.save(known.evolve(port=port))
