"""What the benchmark of the storage layer stores: an order of 13 attributes, one of them a nested map."""

from datetime import UTC, datetime, timedelta
from typing import Any

from pydantic import BaseModel, ConfigDict

from apps.storage.entity import Entity, Instant
from apps.storage.items.codec import iso
from apps.storage.repository import Repository
from apps.storage.table import Key, Table

ORDERS = Table(name="Orders", partition_key=Key("owner"), sort_key=Key("order_id"))
OWNER = "shop-0001"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)


class Place(BaseModel):
    """Where an order goes."""

    model_config = ConfigDict(frozen=True)

    street: str
    city: str
    postcode: str
    floor: int


class Order(Entity):
    """Twelve attributes, and `version`."""

    owner: str
    order_id: str
    status: str
    title: str
    notes: str
    currency: str
    total: int
    paid: int
    attempts: int
    is_gift: bool
    ordered_at: Instant
    place: Place


class Orders(Repository[Order]):
    """Orders as Rungs keeps them."""

    entity = Order
    table = ORDERS
    noun = "order"


def order(order_id: str, owner: str = OWNER) -> Order:
    """An order of about 511 bytes as DynamoDB's JSON in an answer."""
    number = sum(order_id.encode())
    return Order(
        owner=owner,
        order_id=order_id,
        status="open",
        title=f"Order {order_id} of the spring sale",
        notes="to be left with a neighbour, who is at home from nine to five on any weekday",
        currency="EUR",
        total=1999 + number,
        paid=0,
        attempts=3,
        is_gift=number % 2 == 0,
        ordered_at=NOON + timedelta(seconds=number),
        place=Place(street="Lange Reihe 12", city="Hamburg", postcode="20099", floor=number % 5),
    )


def plain(entity: Order) -> dict[str, Any]:
    """An order as Python values, the instant as its stored text."""
    return {**entity.model_dump(mode="python"), "ordered_at": iso(entity.ordered_at)}


def first(entity: Order) -> dict[str, Any]:
    """A new order as it is stored: version 1, which repositories count and other libraries are given."""
    return {**plain(entity), "version": 1}


def name(number: int) -> str:
    """The key of a stored order."""
    return f"order-{number:06}"
