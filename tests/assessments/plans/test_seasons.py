"""Seasons by name: their days, and the one that follows."""

from datetime import date

import pytest

from apps.assessments.seasons import season_after, season_at, season_order, season_span


@pytest.mark.parametrize(
    ("name", "first", "last", "following"),
    [
        ("2026-Q1", date(2026, 1, 1), date(2026, 3, 31), "2026-Q2"),
        ("2026-Q4", date(2026, 10, 1), date(2026, 12, 31), "2027-Q1"),
        ("Q2-2028", date(2028, 4, 1), date(2028, 6, 30), "Q3-2028"),
        ("H1-2026", date(2026, 1, 1), date(2026, 6, 30), "H2-2026"),
        ("2026-H2", date(2026, 7, 1), date(2026, 12, 31), "2027-H1"),
        ("2028", date(2028, 1, 1), date(2028, 12, 31), "2029"),
    ],
)
def test_a_season_has_days_and_one_that_follows_named_alike(name, first, last, following) -> None:
    assert season_span(name) == (first, last)
    assert {season_at(day, like=name) for day in (first, last)} == {name}
    assert season_after(name) == following
    assert season_order(name) < season_order(following)


def test_where_nothing_is_known_yet_a_season_is_a_quarter() -> None:
    assert season_at(date(2026, 5, 5)) == "2026-Q2"
