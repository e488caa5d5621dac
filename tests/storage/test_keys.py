"""Keys whose text follows from fields."""

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from enum import IntEnum
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from apps.errors import Invalid
from apps.storage.items.keys import KeyTemplate, UnfitKey
from tests.storage.things import State


class Priority(IntEnum):
    HIGH = 2


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


# --- numbers of a fixed width


@given(some.lists(some.integers(0, 999_999), min_size=2))
def test_padded_numbers_sort_as_numbers_and_are_read_back(numbers: list[int]) -> None:
    template = KeyTemplate("{name}#{version:06}")
    keys = {number: template.fill({"name": "n", "version": number}.__getitem__) for number in numbers}
    assert sorted(keys, key=lambda number: str(keys[number])) == sorted(keys)
    for number, key in keys.items():
        assert key is not None
        assert template.read(key) == {"name": "n", "version": f"{number:06}"}
        assert template.fill(template.read(key).__getitem__) == key


@pytest.mark.parametrize("value", [-1, 1_000_000, 7.5, Decimal(7), "7.5", "-7", "", "x", "\u0667"])
def test_numbers_that_would_sort_wrongly_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="whole numbers from 0 to 999999") as refused:
        KeyTemplate("V{version:06}").fill(lambda _: value)
    assert isinstance(refused.value, Invalid)


def test_a_number_may_be_given_as_the_text_that_was_read() -> None:
    fill = KeyTemplate("V{version:03}").fill
    assert [fill(lambda _, value=value: value) for value in ("7", "0007", 0, "0", Priority.HIGH)] == [
        "V007",
        "V007",
        "V000",
        "V000",
        "V002",
    ]


def test_flags_and_enums_of_numbers_are_written_as_their_numbers() -> None:
    assert KeyTemplate("{open}#{priority}").fill({"open": True, "priority": Priority.HIGH}.__getitem__) == "1#2"


@pytest.mark.parametrize("template", ["{a:6}", "{a:x}", "{}", "{a", "a}", "{a!r}", "{a.b}"])
def test_what_is_no_field_in_braces_is_refused(template: str) -> None:
    with pytest.raises(ValueError, match="something in braces"):
        KeyTemplate(template)


def test_a_field_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="a field twice"):
        KeyTemplate("{a}#{a}")


# --- the beginning of a key, and what tells keys apart


@given(parts, parts)
def test_the_beginning_of_a_key_is_that_of_every_key_with_these_fields(shop: str, job: str) -> None:
    template = KeyTemplate("SHOP#{shop}#JOB#{job}!")
    key = template.fill({"shop": shop, "job": job}.__getitem__)
    assert key is not None
    begin, left = template.begin({"shop": shop})
    assert key.startswith(begin)
    assert [slot.field for slot in left] == ["job"]
    assert template.begin({"shop": shop, "job": job}) == (key, ())


TEMPLATES = ["{a}", "PROFILE", "JOB#{a}", "JOB#{a}#X", "{a}#{b}", "JOB#{a}#{b:03}", "{a}#X{b}", "J{a}", "{a}#{b}#{c}"]


@given(some.sampled_from(TEMPLATES), some.sampled_from(TEMPLATES), some.data())
def test_keys_of_both_forms_exist_only_where_templates_are_said_to_overlap(
    one: str, other: str, data: some.DataObject
) -> None:
    mine, theirs = KeyTemplate(one), KeyTemplate(other)
    words = some.sampled_from(["", "a", "JOB", "X", "Xa", "007", "PROFILE"])
    numbers = some.integers(0, 999)
    key = mine.fill(lambda field: data.draw(numbers if f"{{{field}:" in one else words))
    assert key is not None
    assert mine.matches(key)
    if theirs.matches(key):
        assert mine.overlaps(theirs)
        assert theirs.overlaps(mine)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("PROFILE", "JOB#{a}"),
        ("JOB#{a}", "IMPORT#{a}"),
        ("D#{day}", "M#{month}"),
        ("JOB#{a}#{b}", "JOB#{a}#{b}#{c}"),
        ("{a}#X", "{a}#Y"),
        ("A#{a}#X{b}", "A#{a}#Y{b}"),
        ("{a}#J{b}J#{c}", "{a}#J#{c}"),
    ],
)
def test_templates_with_words_of_their_own_are_told_apart(one: str, other: str) -> None:
    assert not KeyTemplate(one).overlaps(KeyTemplate(other))
    assert not KeyTemplate(other).overlaps(KeyTemplate(one))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1.10", "1.1"),
        ("1E+2", "100"),
        ("100", "100"),
        ("-0.50", "-0.5"),
        ("0.0", "0"),
        ("-0", "0"),
        ("1E-10", "0.0000000001"),
        ("1234567890123456789012345678901234567.8", "1234567890123456789012345678901234567.8"),
    ],
)
def test_a_number_has_one_text_however_it_is_written(number: str, text: str) -> None:
    assert KeyTemplate("P#{price}").fill({"price": Decimal(number)}.get) == f"P#{text}"


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1." + "2" * 38])
def test_a_number_that_the_store_would_not_keep_cannot_stand_in_a_key(number: str) -> None:
    with pytest.raises(UnfitKey, match="cannot stand in a key"):
        KeyTemplate("P#{price}").fill({"price": Decimal(number)}.get)


@pytest.mark.parametrize("value", [b"a", 1.5, {"a"}, frozenset(), {"a": 1}, ["a"], ("a",)], ids=str)
def test_what_has_no_one_text_cannot_stand_in_a_key(value: Any) -> None:
    with pytest.raises(TypeError, match="no one text"):
        KeyTemplate("P#{value}").fill({"value": value}.get)
