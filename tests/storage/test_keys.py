"""Keys whose text follows from fields."""

import re
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.storage.keys import KeyTemplate
from tests.storage.things import State

parts = some.text(some.characters(exclude_characters="#"), max_size=12)


@given(parts, parts, parts)
def test_what_was_filled_in_is_read_out_again(shop: str, kind: str, number: str) -> None:
    values = {"shop": shop, "kind": kind, "number": number}
    template = KeyTemplate("SHOP#{shop}#K{kind}#{number}!")
    key = template.fill(values.__getitem__)
    assert key == f"SHOP#{shop}#K{kind}#{number}!"
    assert template.read(key) == values


@given(some.text(max_size=20))
def test_a_single_field_may_hold_the_delimiter_and_is_still_read_out(value: str) -> None:
    template = KeyTemplate("USER#{user_id}")
    key = template.fill(lambda _: value)
    assert key is not None
    assert template.read(key) == {"user_id": value}


def test_a_part_that_holds_the_delimiter_is_refused_among_others() -> None:
    with pytest.raises(ValueError, match=re.escape("'a#b' holds '#'")):
        KeyTemplate("{status}#{name}").fill({"status": "new", "name": "a#b"}.__getitem__)


def test_a_key_that_lacks_a_part_is_no_key() -> None:
    assert KeyTemplate("{status}#{name}").fill({"status": "new", "name": None}.get) is None


def test_a_template_without_fields_is_the_same_for_all() -> None:
    assert KeyTemplate("all").fill({}.get) == "all"
    assert KeyTemplate("all").read("all") == {}


@pytest.mark.parametrize("template", ["{a}{b}", "{a}-{b}", "{a}#{b}:{c}"])
def test_fields_that_could_not_be_told_apart_are_refused(template: str) -> None:
    with pytest.raises(ValueError, match="without a delimiter"):
        KeyTemplate(template)


@pytest.mark.parametrize("key", ["", "JOB#1", "SHOP#a", "SHOP#a#b#c"])
def test_a_key_of_another_form_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match="is not of the form"):
        KeyTemplate("SHOP#{shop}#{job}").read(key)


def test_values_are_written_as_they_are_stored() -> None:
    values = {"state": State.WORN, "at": datetime(2026, 3, 1, 9, tzinfo=UTC), "day": date(2026, 3, 1), "n": 7}
    key = KeyTemplate("{state}#{at}#{day}#{n}").fill(values.__getitem__)
    assert key == "worn#2026-03-01T09:00:00.000Z#2026-03-01#7"
