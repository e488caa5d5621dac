"""What an admin may not declare is refused when the process starts, with a hint that says what to do instead."""

from collections.abc import Mapping
from typing import ClassVar

import pytest
from django.contrib.admin.sites import all_sites

from apps.accounts.admin import UserAdmin
from apps.accounts.entities import folded
from apps.accounts.middleware import actor_of
from apps.console.checks import CANNOT_WORK, check_consoles
from apps.console.entity_admin import EntityAdmin
from apps.console.lists.filters import Choices, Days, Exactly, YesNo
from apps.console.lists.listings import Listing
from apps.console.site import Console
from apps.policy_runs.admin import HostAdmin
from apps.storage.entity import Entity
from apps.storage.repository import Repository
from apps.storage.table import Index, Key, Table, number
from tests.console.office import EntryAdmin


def found(admin, **declared):
    """The numbers and sentences of what the checks say of this admin with other declarations."""
    changed = type("Changed", (admin,), declared)
    site = Console(changed, allowed=lambda *_: True, actor_of=actor_of)
    all_sites.discard(site)  # it is nobody else's
    return [(error.id, f"{error.msg} {error.hint}") for error in site.check(None)]


def test_what_is_registered_passes():
    assert check_consoles(None) == []


@pytest.mark.parametrize("option", CANNOT_WORK)
def test_an_option_that_needs_sql_is_refused(option):
    value = {"date_hierarchy": "created_at", "prepopulated_fields": {"name": ("email",)}, "radio_fields": {"name": 1}}
    ((number, sentence),) = found(UserAdmin, **{option: value.get(option, ("name",))})
    assert number == "console.E001"
    assert f"`{option}` cannot work without SQL." in sentence
    assert CANNOT_WORK[option] in sentence


@pytest.mark.parametrize(
    ("admin", "declared", "number", "told"),
    [
        (UserAdmin, {"listings": (Listing(index="nothing-index", partition="users"),)}, "E002", "email-index"),
        (UserAdmin, {"list_display": ("name", "created_at")}, "E003", "Add createdAt to the index's `include`"),
        (HostAdmin, {"search_fields": ("host_name",)}, "E004", "No index answers a search of host_name"),
        (UserAdmin, {"search_fields": ("email",)}, "E005", "`email` cannot be searched"),
        (UserAdmin, {"search_fields": ("name__icontains",)}, "E005", "only beginnings can be found"),
        (UserAdmin, {"search_fields": ("name", "email")}, "E005", "Name one field"),
        (UserAdmin, {"search_fields": ("email",)}, "E005", "Whole values of unique fields are found by `finds`"),
        (UserAdmin, {"listings": (Listing(index="directory-index"),)}, "E010", "either a `partition` or `by`"),
        (UserAdmin, {"listings": (Listing(index="email-index", by=("email",)),)}, "E010", "nobody can choose that"),
        (UserAdmin, {"listings": (Listing(index="email-index", by=("name",)),)}, "E010", "name exactly that in `by`"),
        (UserAdmin, {"filters": (Exactly("shoe_size"),)}, "E011", "of no stored field"),
        (UserAdmin, {"filters": (Choices("name"),)}, "E011", "`name` cannot be filtered by Choices"),
        (UserAdmin, {"filters": (YesNo("name"),)}, "E011", "`name` cannot be filtered by YesNo"),
        (UserAdmin, {"filters": (Exactly("is_active"),)}, "E011", "use YesNo for a flag"),
        (UserAdmin, {"filters": (Exactly("roles"),)}, "E011", "Choices for enums"),
        (UserAdmin, {"filters": (Days("name"),)}, "E011", "Use Day for a day as text"),
        (UserAdmin, {"filters": (Days("created_at"),)}, "E012", "createdAt to the `include` of directory-index"),
        (UserAdmin, {"filters": (Exactly("auth_epoch"),)}, "E012", "Add a listing `by=('auth_epoch',)`"),
        (HostAdmin, {"filters": (Exactly("port"),)}, "E012", "No index answers the filter `port`"),
        (UserAdmin, {"finds": {"name": str}}, "E013", "in the entity's `unique`"),
        (UserAdmin, {"related": {"nobody": UserAdmin}}, "E014", "cannot name a user"),
        (UserAdmin, {"related": {"user_id": HostAdmin}}, "E014", "No index finds a host"),
        (HostAdmin, {"row_actions": ("explode",)}, "E015", "Make it with @row_action"),
        (HostAdmin, {"row_actions": ("remove",)}, "E015", "Make it with @row_action"),
        (UserAdmin, {"fields": ("name", "password_hash")}, "E006", "`password_hash` is nothing that can be shown"),
        (EntryAdmin, {"changes": "users.change"}, "E007", "create and change and remove"),
        (HostAdmin, {"fields": ("host_name", "port")}, "E008", "`address` is required"),
        (HostAdmin, {"readonly_fields": ("port",)}, "E008", "`port` is required"),
    ],
)
def test_what_no_index_and_no_service_stands_behind_is_refused(admin, declared, number, told):
    errors = found(admin, **declared)
    assert f"console.{number}" in {one for one, _ in errors}
    assert told in " ".join(sentence for _, sentence in errors)


@pytest.mark.parametrize(
    ("declared", "told"),
    [
        ({"listing": Listing(index="directory-index", partition="users")}, "Did you mean `listings`?"),
        ({"filter": ()}, "Did you mean `filters`?"),
        ({"listing": (), "__annotations__": {"listing": tuple}}, "Did you mean `listings`?"),
        ({"shoe_size": 42}, "give it a type"),
    ],
)
def test_what_nothing_reads_is_refused(declared, told):
    ((number, sentence),) = found(UserAdmin, **declared)
    assert number == "console.E017"
    assert told in sentence


def test_an_admin_may_have_attributes_of_its_own():
    assert found(UserAdmin, shoe_size=42, __annotations__={"shoe_size": int}) == []


class Mooring(Entity):
    mooring_id: str
    harbour: str
    kind: str = ""
    depth: int = 0
    name: str = ""


class Moorings(Repository[Mooring]):
    entity = Mooring
    table = Table(
        name="Moorings",
        partition_key=Key("mooring_id"),
        indexes=(
            Index(name="harbour-index", partition_key=Key("harbour"), sort_key=Key("name"), include=("kind",)),
            Index(name="kind-index", partition_key=Key("kind"), include=("depth",)),
            Index(name="depth-index", partition_key=number("depth"), include=("harbour",)),
        ),
    )


class MooringAdmin(EntityAdmin[Mooring]):
    repository = Moorings
    sees = "hosts.see"
    list_display = ("mooring_id",)
    listings = (
        Listing(index="harbour-index", by=("harbour",)),
        Listing(index="kind-index", by=("kind",)),
        Listing(index="depth-index", by=("depth",)),
    )
    filters = (Exactly("harbour"), Exactly("kind"), Exactly("depth"))


def test_filters_that_no_index_answers_together_are_refused_with_the_smallest_set():
    assert found(MooringAdmin, filters=MooringAdmin.filters[:2], listings=MooringAdmin.listings[:2]) == []
    ((number, told),) = found(MooringAdmin)
    assert number == "console.E016"
    assert "No index answers `harbour` and `kind` and `depth` together." in told
    fewer = {"filters": MooringAdmin.filters[::2], "listings": (*MooringAdmin.listings[::2],)}
    assert found(MooringAdmin, **fewer) == [], "the third carries the first's"
    without = {"filters": MooringAdmin.filters[::2], "listings": (MooringAdmin.listings[0],)}
    assert [number for number, _ in found(MooringAdmin, **without)] == ["console.E012"]


def test_a_search_that_excludes_a_filter_is_refused():
    searched = Listing(index="harbour-index", by=("harbour",), folded=str)
    listings = (searched, Listing(index="depth-index", by=("depth",)))
    sentences = found(MooringAdmin, listings=listings, filters=MooringAdmin.filters[::2], search_fields=("name",))
    assert [number for number, _ in sentences] == ["console.E016"]
    assert "No index answers `depth` and the search together." in sentences[0][1]


def test_a_search_without_its_folding_is_refused():
    ((number, _),) = found(UserAdmin, listings=(Listing(index="directory-index", partition="users"),))
    assert number == "console.E004"
    unsorted = found(UserAdmin, listings=(Listing(index="email-index", partition="x", folded=folded),))
    assert [number for number, _ in unsorted] == ["console.E010", "console.E004"], "the index has no sort key"


class Berth(Entity):
    derived: ClassVar[Mapping[str, str]] = {"berth_key": "{harbour}#{number}"}

    harbour: str
    number: int = 0


class Berths(Repository[Berth]):
    entity = Berth
    table = Table(
        name="Berths",
        partition_key=Key("berth_key"),
        indexes=(Index(name="harbour-index", partition_key=Key("harbour"), include=()),),
    )


class BerthAdmin(EntityAdmin[Berth]):
    repository = Berths
    sees = "hosts.see"
    list_display = ("harbour",)
    listings = (Listing(index="harbour-index", partition="Kiel"),)


def test_a_list_whose_rows_cannot_be_named_is_refused():
    ((number, told),) = found(BerthAdmin)
    assert number == "console.E009"
    assert "Add number to the index's `include`" in told
