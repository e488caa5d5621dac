"""The charts: every mark at the place of its value, whatever the ladder's shape; nothing that a page refuses."""

import xml.etree.ElementTree as ET
from itertools import pairwise
from math import hypot

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.reports.charts import dumbbells, heat, radar, trend
from apps.reports.charts.distribution import TALL, distribution
from apps.reports.charts.heat import Cell, Row, heat_maps
from apps.reports.charts.pairs import Pair
from tests.test_architecture import ROOT

LEVELS = [f"{number} Level" for number in range(1, 8)]
TITLES = st.text(min_size=0, max_size=120)
SCORES = st.none() | st.integers(1, 7) | st.floats(1, 7).map(lambda score: round(score, 1))
PAIRS = st.lists(st.builds(Pair, title=TITLES, own=SCORES, manager=SCORES), max_size=24)


def parsed(svg):
    root = ET.fromstring(svg)  # noqa: S314  (our own)
    assert root.get("role") == "img" and root.find("title").text and root.find("desc") is not None
    for element in root.iter():
        assert "style" not in element.attrib and element.tag in {
            *("svg", "title", "desc", "line", "text", "circle", "rect", "polygon", "polyline"),
        }
        assert not [name for name in element.attrib if name.startswith("on")]
    return root


def marks(root, kind):
    """Where the circles of a class are, but for the one of the legend, which is the last."""
    found = [(float(one.get("cx")), float(one.get("cy"))) for one in root.iter("circle") if one.get("class") == kind]
    return found[:-1]


def words(root):
    return [one.text for one in root.iter("text")]


def pair(title, own, manager):
    return Pair(title=title, own=own, manager=manager)


def test_a_radar_has_each_mark_as_far_from_the_centre_as_its_level_is_high():
    root = parsed(radar.radar([pair("A", 7, 3.5), pair("B", 1, 7), pair("C", 4, 4)], highest=7, title="Levels"))
    middle, centre = radar.CENTRE
    far = {
        kind: [round(hypot(x - middle, y - centre) / radar.RADIUS * 7, 1) for x, y in marks(root, kind)]
        for kind in ("own", "manager")
    }
    assert far == {"own": [7, 1, 4], "manager": [3.5, 7, 4]}
    assert marks(root, "own")[0] == (radar.CENTRE[0], radar.CENTRE[1] - radar.RADIUS), "the first axis points upwards"
    assert {"A", "B", "C", "Self", "Manager", "1", "7"} <= set(words(root))
    assert "A: manager 3.5, self 7." in root.find("desc").text


@pytest.mark.parametrize("axes", [1, 2, 17])
def test_what_no_radar_can_show_is_drawn_as_bars(axes):
    found = [pair(f"Axis {number}", 2, 5) for number in range(axes)]
    root = parsed(radar.radar(found, highest=7, title="Levels"))
    assert root.get("class") == "chart dumbbells"
    assert len(marks(root, "own")) == axes
    (x, _), (right, _) = marks(root, "own")[0], marks(root, "manager")[0]
    step = (dumbbells.WIDTH - dumbbells.RIGHT - dumbbells.LEFT) / 6
    assert (round((x - dumbbells.LEFT) / step), round((right - dumbbells.LEFT) / step)) == (1, 4)


def test_views_are_told_apart_without_colour_and_agreement_is_a_dot_in_a_ring():
    root = parsed(radar.radar([pair("A", 5, 5)] * 3, highest=7, title="Levels"))
    assert marks(root, "own") == marks(root, "manager")
    rings = {one.get("class"): float(one.get("r")) for one in root.iter("circle")}
    assert rings["own"] > rings["manager"]
    sheet = (ROOT / "static" / "reports" / "charts.css").read_text()
    assert ".own { fill: none" in sheet and "dasharray" in sheet.split(".own-line")[1].split("}")[0]


def test_a_missing_score_is_a_gap_and_no_zero():
    root = parsed(radar.radar([pair("A", 5, 4), pair("B", None, 4), pair("C", 4, 6)], highest=7, title="Levels"))
    assert len(marks(root, "own")) == 2 and len(marks(root, "manager")) == 3
    assert [one.tag for one in root.iter() if one.get("class") == "own-line"] == ["polyline", "line"]
    broken = trend.trend([pair("1", 2, 2), pair("2", None, 3), pair("3", 4, 4)], levels=LEVELS, title="Trend")
    lines = list(parsed(broken).iter("polyline"))
    assert [one.get("class") for one in lines] == ["manager-line"], "one's own two points are not joined over the gap"


def test_a_trend_goes_from_left_to_right_and_higher_is_up():
    root = parsed(trend.trend([pair("2025-Q4", 1, 7), pair("2026-Q1", 4, 5)], levels=LEVELS, title="Trend"))
    (left, lowest), (right, middle) = marks(root, "own")
    (_, highest), _ = marks(root, "manager")
    assert left < right and highest < middle < lowest
    assert (lowest - middle, lowest - highest) == (3 * trend.STEP, 6 * trend.STEP)
    assert {"2025-Q4", "2026-Q1", "1 Level", "7 Level"} <= set(words(root))


def test_twelve_seasons_each_have_their_name_and_none_is_over_another():
    seasons = [pair(f"{2023 + number // 4}-Q{number % 4 + 1}", 3, 4) for number in range(12)]
    root = parsed(trend.trend(seasons, levels=LEVELS, title="Trend"))
    names = [one for one in root.iter("text") if one.text in {"Q1", "Q2", "Q3", "Q4"}]
    places = sorted(float(one.get("x")) for one in names)
    assert len(names) == 12 and min(b - a for a, b in pairwise(places)) > 40
    assert places[-1] < trend.WIDE.width


def test_a_narrow_trend_fits_a_telephone_and_tells_the_same():
    for many in (1, 3, 12):
        seasons = [pair(f"{2023 + number // 4}-Q{number % 4 + 1}", 3, 4) for number in range(many)]
        wide, narrow = (
            parsed(trend.trend(seasons, levels=LEVELS, title="Trend", room=room)) for room in (trend.WIDE, trend.NARROW)
        )
        assert narrow.find("desc").text == wide.find("desc").text
        assert float(narrow.get("width")) <= 340 and len(marks(narrow, "manager")) == many
        assert all(trend.NARROW.left < x < 340 for x, _ in marks(narrow, "own"))
        names = sorted(float(one.get("x")) for one in narrow.iter("text") if (one.text or "").startswith("Q"))
        assert all(b - a > trend.LABEL / 2 for a, b in pairwise(names)), "names stand beside each other"


def test_a_heat_map_says_each_number_and_marks_where_views_are_apart():
    rows = [
        Row(title="Ada", cells=[Cell(value=1), Cell(value=7, apart=3)]),
        Row(title="Bo", cells=[Cell(value=None), Cell(value=4.5, apart=-4)]),
    ]
    (svg,) = heat_maps(rows, ["Craft", "People"], highest=7, title="Team")
    root = parsed(svg)
    cells = [one.get("class") for one in root.iter("rect")][:4]
    assert cells == ["cell depth-1", "cell depth-7", "cell none", "cell depth-5"]
    assert {"Ada", "Bo", "Craft", "People", "1", "7", "4.5", "\N{EN DASH}"} <= set(words(root))
    up, down = [one.get("points").split() for one in root.iter("polygon")][:2]
    assert float(up[2].split(",")[1]) < float(up[0].split(",")[1]), "it points up"
    assert float(down[2].split(",")[1]) > float(down[0].split(",")[1])
    assert "People 7 (manager +3 to self)" in root.find("desc").text


def test_many_rows_make_several_drawings_none_of_which_is_longer_than_a_sheet():
    rows = [Row(title=f"P{number}", cells=[Cell(value=3)]) for number in range(60)]
    drawings = [parsed(svg) for svg in heat_maps(rows, ["Craft"], highest=7, title="Team")]
    assert [sum(text.startswith("P") for text in words(root)) for root in drawings] == [25, 25, 10]
    assert max(float(root.get("height")) for root in drawings) < 900


@pytest.mark.parametrize("highest", [1, 3, 5, 7, 10])
def test_depths_reach_from_the_first_to_the_last_whatever_the_number_of_levels(highest):
    depths = [heat.depth(level, highest) for level in range(1, highest + 1)]
    assert depths[0] == 1 and depths == sorted(depths) and (depths[-1] == 7 or highest == 1)


def test_columns_are_as_high_as_the_share_of_their_level():
    root = parsed(distribution({"Craft": {1: 1, 2: 3}, "People": {7: 40}}, highest=7, title="Levels"))
    heights = [float(one.get("height")) for one in root.iter("rect")]
    assert heights == [TALL * 0.25, TALL * 0.75, TALL]
    assert {"1", "3", "40", "Craft", "People"} <= set(words(root))


@settings(deadline=None, max_examples=60)
@given(pairs=PAIRS, highest=st.integers(1, 12))
def test_any_ladder_can_be_drawn_inside_its_frame(pairs, highest):
    fitting = [
        Pair(title=one.title, own=one.own and min(one.own, highest), manager=one.manager and min(one.manager, highest))
        for one in pairs
    ]
    drawn = [radar.radar(fitting, highest=highest, title="Radar")]
    if fitting:
        drawn.append(trend.trend(fitting, levels=[f"{n}" for n in range(1, highest + 1)], title="Trend"))
        rows = [Row(title=one.title, cells=[Cell(value=one.manager)]) for one in fitting]
        drawn += heat_maps(rows, [fitting[0].title], highest=highest, title="Heat")
    drawn.append(distribution({one.title: {1: 2} for one in pairs}, highest=highest, title="Distribution"))
    for svg in drawn:
        root = parsed(svg)
        _, _, width, height = map(float, root.get("viewBox").split())
        for one in root.iter():
            for name, most in (("x", width), ("cx", width), ("y", height), ("cy", height)):
                assert 0 <= float(one.get(name, 0)) <= most, (root.get("class"), one.attrib)


def test_titles_are_text_whatever_they_hold():
    svg = radar.radar([pair("<script>alert(1)</script>", 3, 4)] * 3, highest=7, title='"><script>')
    assert "<script" not in svg and "&lt;script&gt;" in svg
