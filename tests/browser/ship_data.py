"""What the served ships' console starts with; run as a program, with the environment of the server."""

from datetime import UTC, datetime

import django

from apps.storage.connection import Store, default_store
from apps.storage.secrets import Secret


def add_ships(store: Store) -> None:
    """Make the tables and a ship that calls at two ports."""
    from tests.conftest import create_tables  # noqa: PLC0415  (once Django is set up)
    from tests.console.ships import SHIPS, VISITS, Crate, Mast, Sail, Ship, Ships, Visit, Visits  # noqa: PLC0415

    create_tables(store, SHIPS, VISITS)
    Ships(store).add(
        Ship(
            ship_id="s-1",
            name="Swan",
            crew={"Ada", "Bo"},
            sails_at=datetime(2026, 3, 1, 9, 30, tzinfo=UTC),
            mast=Mast(height=9, sails=(Sail(cloth="linen"),)),
            cargo=(Crate(mark="A", count=2), Crate(mark="B")),
            stores={"rum": 3},
            notes={"seen": [1, {"by": "Bo"}]},
            radio_key=Secret("swordfish-1987"),
        )
    )
    for port in ("Kiel", "Oslo"):
        Visits(store).add(Visit(ship_id="s-1", port=port, tons=5))


if __name__ == "__main__":
    django.setup()
    add_ships(default_store())
