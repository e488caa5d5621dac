"""Items of earlier releases are read in today's form, and saved in it."""

from decimal import Decimal
from typing import Any, ClassVar

import pytest
from pydantic import ValidationError

from apps.errors import Unavailable
from apps.storage.conditions import Query, Update
from apps.storage.engine import EngineKind
from apps.storage.entity import Entity, Naming
from apps.storage.errors import StaleVersion
from apps.storage.items.codec import Codec
from apps.storage.items.upgrades import NewerItem
from apps.storage.repository import Repository
from apps.storage.secrets import Secret
from apps.storage.table import Index, Key, Table
from tests.storage.shared import Endpoints, emptied

SHOPS = Table(
    name="Shops",
    partition_key=Key("shopId"),
    indexes=(Index(name="town-index", partition_key=Key("town"), include=("fullName", "name", "schemaVersion")),),
)


def name_the_whole(item: dict[str, Any]) -> dict[str, Any]:
    """Release 2: one name where there had been two."""
    if "first" in item:
        item["name"] = f"{item.pop('first')} {item.pop('last', '')}".strip()
    return item


def count_in_pence(item: dict[str, Any]) -> dict[str, Any]:
    """Release 3: a whole number of pence, and the name called what it is."""
    item["fullName"] = item.pop("name", "")
    item["pence"] = int(item.pop("pounds", 0) * 100)
    return item


class OldShop(Entity):
    naming: ClassVar[Naming] = Naming.CAMEL

    shop_id: str
    first: str
    last: str
    town: str = "Bath"
    pounds: Decimal
    token: Secret | None = None


class Shop(Entity):
    naming: ClassVar[Naming] = Naming.CAMEL
    upgrades = (name_the_whole, count_in_pence)

    shop_id: str
    full_name: str
    town: str = "Bath"
    pence: int = 0
    token: Secret | None = None


class OldShops(Repository[OldShop]):
    entity = OldShop
    table = SHOPS


class Shops(Repository[Shop]):
    entity = Shop
    table = SHOPS
    noun = "shop"


OLD = OldShop(shop_id="1", first="Ada", last="King", pounds=Decimal("12.50"), token=Secret("t"))
NEW = Shop(shop_id="1", full_name="Ada King", pence=1250, token=Secret("t"), version=1)


@pytest.fixture
def shops(engine_endpoint: Endpoints) -> Shops:
    store = emptied(engine_endpoint(EngineKind.DYNOXIDE), SHOPS)
    return Shops(store)


def raw(shops: Shops) -> dict[str, Any]:
    return dict(
        shops.store.client.get_item(
            TableName=shops.store.physical(SHOPS), Key={"shopId": {"S": "1"}}, ConsistentRead=True
        )["Item"]
    )


def test_an_old_item_is_read_through_every_upgrade_in_turn(shops: Shops) -> None:
    OldShops(shops.store).add(OLD)
    assert shops.get("1") == NEW
    assert shops.get_many(["1"]) == [NEW]
    assert "schemaVersion" not in raw(shops)


def test_an_item_of_the_release_between_takes_only_the_last_step() -> None:
    item = {"shopId": {"S": "1"}, "name": {"S": "Ada"}, "first": {"S": "not for us"}, "schemaVersion": {"N": "2"}}
    assert Codec(Shop, SHOPS).decode(item) == Shop(shop_id="1", full_name="Ada")


def test_the_next_save_writes_todays_form_and_its_number(shops: Shops) -> None:
    OldShops(shops.store).add(OLD)
    shops.save(shops.get("1").evolve(town="York"))
    stored = raw(shops)
    assert (stored["schemaVersion"], stored["fullName"], stored["pence"]) == (
        {"N": "3"},
        {"S": "Ada King"},
        {"N": "1250"},
    )
    assert shops.get("1") == NEW.evolve(town="York", version=2)
    with pytest.raises(StaleVersion) as error:
        shops.save(NEW)
    assert error.value.stored.town == "York"


def test_a_new_item_bears_the_number_from_the_start(shops: Shops) -> None:
    shops.add(NEW.evolve(version=0))
    assert raw(shops)["schemaVersion"] == {"N": "3"}
    assert shops.get("1") == NEW


def test_a_part_of_an_old_item_is_changed_in_todays_form(shops: Shops) -> None:
    OldShops(shops.store).add(OLD)
    changed = shops.update("1", Update(set={"full_name": "Augusta"}))
    assert (changed.full_name, changed.pence) == ("Augusta", 1250)
    assert shops.get("1") == changed


def test_a_partial_read_is_upgraded_as_far_as_the_index_carries(shops: Shops) -> None:
    OldShops(shops.store).add(OLD)
    shops.add(NEW.evolve(shop_id="2", full_name="Bo", version=0))
    found = shops.page(Query(partition="Bath", index="town-index")).items
    assert {(shop.shop_id, shop.full_name, shop.is_projected) for shop in found} == {("1", "", True), ("2", "Bo", True)}


def test_an_item_of_a_later_release_is_refused_and_stays_as_it_is(shops: Shops) -> None:
    shops.add(NEW.evolve(version=0))
    shops.store.client.update_item(
        TableName=shops.store.physical(SHOPS),
        Key={"shopId": {"S": "1"}},
        UpdateExpression="SET schemaVersion = :four, version = :two, colour = :red",
        ExpressionAttributeValues={":four": {"N": "4"}, ":two": {"N": "2"}, ":red": {"S": "red"}},
    )
    before = raw(shops)
    with pytest.raises(
        NewerItem, match=r"Shop is in version 4 of its form; this release knows 3\. Update Rungs"
    ) as error:
        shops.get("1")
    assert isinstance(error.value, Unavailable)
    assert not error.value.retryable
    with pytest.raises(NewerItem):
        shops.update("1", Update(set={"full_name": "x"}))
    with pytest.raises(NewerItem):
        shops.save(NEW)
    assert raw(shops) == before


def test_what_an_upgrade_leaves_wrong_names_the_field() -> None:
    class Careless(Shop):
        upgrades = (lambda item: {**item, "pence": "many"},)

    with pytest.raises(ValidationError, match="pence"):
        Codec(Careless, SHOPS).decode({"shopId": {"S": "1"}, "fullName": {"S": "x"}})


def test_an_upgrade_may_take_values_away_and_must_stay_exact() -> None:
    class Emptied(Shop):
        upgrades = (lambda item: {**item, "token": None, "town": "York", "old": frozenset()},)

    class Inexact(Shop):
        upgrades = (lambda item: {**item, "pence": 1.5},)

    item = {"shopId": {"S": "1"}, "fullName": {"S": "x"}, "town": {"S": "Bath"}}
    assert Codec(Emptied, SHOPS).decode(item) == Emptied(shop_id="1", full_name="x", town="York")
    with pytest.raises(TypeError, match="use Decimal"):
        Codec(Inexact, SHOPS).decode(item)


def test_an_entity_without_upgrades_stores_no_number_and_one_with_them_has_no_field_of_that_name() -> None:
    assert Codec(OldShop, SHOPS).schema is None
    assert "schemaVersion" not in Codec(OldShop, SHOPS).encode(OLD)

    class Numbered(Shop):
        schema_version: int = 1

    with pytest.raises(TypeError, match="filled in by its upgrades"):
        Codec(Numbered, SHOPS)
