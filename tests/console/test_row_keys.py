"""One address a row, whatever its key: made of several parts, of numbers or by a template, and read back exactly."""

from decimal import Decimal

import pytest
from django.contrib.admin.utils import quote, unquote
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as some

from apps.audit.repository import AuditLog
from apps.console.keys import RowKeys
from apps.errors import NotFound
from apps.policy_runs.entities import PolicyResult
from apps.policy_runs.repository import Results
from apps.storage.entity import Entity
from apps.storage.table import AttributeType, Key, Table
from tests.console.office import Deliveries, Delivery
from tests.console.pages import form_of
from tests.console.test_lists import rows

RESULTS = RowKeys(PolicyResult, Results.table)
DELIVERIES = RowKeys(Delivery, Deliveries.table)
any_text = some.text(alphabet=some.characters(exclude_categories=["Cs"]), min_size=1) | some.text(
    "!~.01#/_%", min_size=1
)


@given(any_text, any_text)
def test_a_key_of_two_texts_comes_back_from_its_address(one, other):
    name = RESULTS.text(PolicyResult(execution_id=one, policy_number=other))
    assert RESULTS.value(unquote(quote(name))) == (one, other)


@given(any_text, any_text, any_text, any_text)
def test_no_two_keys_have_one_address(one, other, third, fourth):
    first = RESULTS.text(PolicyResult(execution_id=one, policy_number=other))
    second = RESULTS.text(PolicyResult(execution_id=third, policy_number=fourth))
    assert (first == second) == ((one, other) == (third, fourth))


@given(any_text)
def test_whatever_somebody_types_is_a_key_or_none_and_never_two_addresses_of_one_row(text):
    try:
        one, other = RESULTS.value(text)
    except NotFound:
        return
    assert RESULTS.text(PolicyResult(execution_id=one, policy_number=other)) == text


@given(any_text, some.decimals(allow_nan=False, allow_infinity=False, min_value=-1000, max_value=1000, places=4))
def test_a_number_in_a_key_has_one_form(harbour, weight):
    name = DELIVERIES.text(Delivery(harbour=harbour, weight=weight))
    partition, number = DELIVERIES.value(unquote(quote(name)))
    assert (partition, Decimal(number)) == (f"HARBOUR#{harbour}", weight)
    assert DELIVERIES.text(Delivery(harbour=harbour, weight=Decimal(f"{weight:f}0"))) == name


@pytest.mark.parametrize("dots", [".", ".."])
def test_a_key_of_dots_is_no_way_to_another_page(dots):
    class Place(Entity):
        derived = {"place_key": "{place}"}  # noqa: RUF012  (as entities declare it)
        place: str

    keys = RowKeys(Place, Table(name="Places", partition_key=Key("place_key")))
    assert set(keys.text(Place(place=dots))) == {"!", "2"}
    assert keys.value(keys.text(Place(place=dots))) == dots


def test_a_key_of_bytes_is_refused_at_once():
    class Blob(Entity):
        digest: bytes

    with pytest.raises(TypeError, match="its key is bytes"):
        RowKeys(Blob, Table(name="Blobs", partition_key=Key("digest", AttributeType.BINARY)))


@pytest.fixture
def deliveries(office_store):
    return Deliveries(office_store)


def address(kind, screen, *key):
    return reverse(f"admin:{kind}_{screen}", args=[quote(one) for one in key])


def test_a_row_with_two_keys_is_listed_shown_and_its_history_told(office_store, adas, costs):
    Results(office_store).add(PolicyResult(execution_id="01-run/#~", policy_number="ABC123DEF", error="What it said"))
    listed = adas.get(address("policy_runs_policyresult", "changelist"))
    assert rows(listed) == ["ABC123DEF"]
    page = address("policy_runs_policyresult", "change", "01-run/#!1~ABC123DEF")
    assert page.replace("&", "&amp;") in listed.content.decode()
    with costs(requests=3, gets=3, wcu=0):
        html = adas.get(page).content.decode()
    assert "What it said" in html
    assert "01-run/#~ · ABC123DEF" in html
    assert adas.get(address("policy_runs_policyresult", "history", "01-run/#!1~ABC123DEF")).status_code == 200


def test_a_row_with_a_number_and_a_template_in_its_key_is_changed_and_deleted(deliveries, adas):
    made = deliveries.add(Delivery(harbour="Kiel", weight=Decimal("7.50"), note="Early"))
    key = "HARBOUR#Kiel~7.5"
    change, delete = (address("console_delivery", screen, key) for screen in ("change", "delete"))
    form = form_of(adas.get(change))
    assert "weight" not in form
    assert adas.post(change, form | {"note": "Late"}).status_code == 302
    changed = deliveries.get(deliveries.at(harbour="Kiel", weight=Decimal("7.5")), consistent=True)
    assert changed == made.evolve(note="Late").at_version(2)
    assert adas.post(delete, form_of(adas.get(delete))).status_code == 302
    assert deliveries.find(deliveries.at(harbour="Kiel", weight=Decimal("7.5")), consistent=True) is None


@pytest.mark.parametrize(
    "key",
    [
        "Kiel",
        "HARBOUR#Kiel",
        "HARBOUR#Kiel~7.50",
        "HARBOUR#Kiel~x",
        "HARBOUR#Kiel~NaN",
        "HARBOUR#Kiel~7!9",
        "Kiel~7.5",
        "~7.5",
        "a~b~c",
        "\0~1",
        "x" * 3000 + "~1",
    ],
)
def test_an_address_that_names_no_row_answers_404(deliveries, adas, key):
    deliveries.add(Delivery(harbour="Kiel", weight=Decimal("7.5")))
    assert adas.get(address("console_delivery", "change", key)).status_code == 404
    assert adas.post(address("console_delivery", "delete", key), {"read_version": 1}).status_code == 404


def test_an_entry_of_the_audit_log_has_its_page(office_store, adas):
    AuditLog(office_store).add(
        entry := AuditLog.entity(
            object="Hosts#a~b", entry="01", action="host.added", at="2026-03-01T10:00Z", actor_id="x"
        )
    )
    assert rows(adas.get(address("audit_auditentry", "changelist") + "?day=2026-03-01")) == [entry.object]
    assert "host.added" in adas.get(address("audit_auditentry", "change", "Hosts#a!1b~01")).content.decode()
