"""Answers: merged one by one, never lost, and only from whom may give them."""

import pytest

from apps.accounts.entities import Role
from apps.assessments.entities import Answer, AssessmentStatus, PlanStatus
from apps.assessments.errors import AssessmentLocked, AssessmentNotFound, InvalidAnswer
from apps.assessments.services.answering import GivenAnswer, GivenConclusion, save_answers, start
from apps.errors import Forbidden
from tests.assessments.conftest import MANAGER, SELF
from tests.policy_runs.web import member
from tests.seasons import NOW

DESIGN, TESTING, FEEDBACK = ("Craft", "Design"), ("Craft", "Testing"), ("People", "Feedback")


def saved(season, *answers, by=None, kind=SELF, **more):
    person = by or (season.timo if kind is SELF else season.mona)
    return save_answers(season.stores, assessment_id=season.id(kind), by=person, now=NOW, answers=answers, **more)


def test_several_answers_are_saved_at_once_and_the_assessment_has_begun(season, costs):
    with costs(requests=3, scans=0):
        found = saved(
            season,
            GivenAnswer(place=DESIGN, level=3, evidence="Drew **it**."),
            GivenAnswer(place=FEEDBACK, next_level_feedback="Ask more."),
            conclusion=GivenConclusion(current_level=4, way_forward="Lead."),
            resume_at="People",
        )
    assert found.is_all_saved
    assert [one.revision for one in found.answers] == [1, 1]
    stored = season.stored(SELF)
    assert stored == found.assessment
    assert stored.answer(DESIGN) == Answer(level=3, evidence="Drew **it**.")
    assert stored.answer(FEEDBACK) == Answer(next_level_feedback="Ask more.")
    assert (stored.status, stored.answered_count) == (AssessmentStatus.IN_PROGRESS, 1)
    assert (stored.current_level, stored.way_forward, stored.texts_revision) == (4, "Lead.", 1)
    assert stored.resume_at == "People"


def test_an_answer_that_was_changed_elsewhere_is_told_and_nothing_of_either_is_lost(season):
    saved(season, GivenAnswer(place=DESIGN, level=3, evidence="first"))
    found = saved(
        season,
        GivenAnswer(place=DESIGN, level=5, evidence="second", revision=0),
        GivenAnswer(place=TESTING, level=2),
        conclusion=GivenConclusion(way_forward="x"),
    )
    conflict, other = found.answers
    assert not found.is_all_saved
    assert (conflict.is_saved, conflict.answer, conflict.revision) == (False, Answer(level=3, evidence="first"), 1)
    assert other.is_saved
    assert season.stored(SELF).answer(TESTING).level == 2
    assert saved(season, GivenAnswer(place=DESIGN, level=5, evidence="second", revision=1)).is_all_saved
    late = saved(season, conclusion=GivenConclusion(way_forward="y"))
    assert (late.conclusion.is_saved, late.conclusion.way_forward, late.conclusion.revision) == (False, "x", 1)


def test_what_is_stored_already_counts_as_saved_and_costs_no_write(season, costs):
    answer = GivenAnswer(place=DESIGN, level=3, evidence="first")
    saved(season, answer, conclusion=GivenConclusion(current_level=2))
    before = season.stored(SELF)
    with costs(writes=0):
        again = saved(season, answer, conclusion=GivenConclusion(current_level=2))
    assert again.is_all_saved
    assert (again.answers[0].revision, again.conclusion.revision) == (1, 1)
    assert season.stored(SELF) == before


def test_writers_of_different_competencies_all_come_through(season, in_threads):
    places = (DESIGN, TESTING, FEEDBACK)

    def write(position):
        for revision in range(4):
            answer = GivenAnswer(place=places[position], level=revision + 1, evidence=f"{revision}", revision=revision)
            assert saved(season, answer).is_all_saved

    in_threads(3, write)
    stored = season.stored(SELF)
    assert [stored.answer(place) for place in places] == [Answer(level=4, evidence="3")] * 3
    assert [stored.revision(place) for place in places] == [4, 4, 4]


def test_of_two_who_change_the_same_answer_at_once_one_learns_of_the_other(season, in_threads):
    outcomes = {}

    def write(position):
        found = saved(season, GivenAnswer(place=DESIGN, level=position + 1, evidence=f"by {position}"))
        outcomes[position] = found.answers[0]

    in_threads(2, write)
    winner, loser = sorted(outcomes.values(), key=lambda one: not one.is_saved)
    assert (winner.is_saved, loser.is_saved) == (True, False)
    assert winner.answer == loser.answer == season.stored(SELF).answer(DESIGN)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (GivenAnswer(place=("Craft", "Cooking"), level=1), "no “Cooking”"),
        (GivenAnswer(place=DESIGN, level=8), "from 1 to 7"),
        (GivenAnswer(place=DESIGN, level=0), "from 1 to 7"),
        (GivenAnswer(place=DESIGN, evidence="x" * 5003), "Shorten it by 3"),
        (GivenAnswer(place=DESIGN, next_level_feedback="x" * 5001), "Shorten it by 1"),
    ],
)
def test_what_the_ladder_has_no_place_for_is_refused_whole(season, answer, words):
    with pytest.raises(InvalidAnswer, match=words) as refused:
        saved(season, GivenAnswer(place=TESTING, level=2), answer)
    assert refused.value.details()[0]["competency"] == answer.place[1]
    assert season.stored(SELF).status is AssessmentStatus.NOT_STARTED


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"conclusion": GivenConclusion(current_level=8)}, "from 1 to 7"),
        ({"conclusion": GivenConclusion(way_forward="x" * 10_001)}, "Shorten it by 1"),
        ({"resume_at": "Nowhere"}, "no such category"),
    ],
)
def test_so_is_an_overall_level_a_text_or_a_category_that_cannot_be(season, more, words):
    with pytest.raises(InvalidAnswer, match=words):
        saved(season, **more)


def test_all_texts_at_their_longest_in_any_script_are_refused_before_the_store_would(season):
    long = "\N{GRINNING FACE}" * 5000
    answers = [
        GivenAnswer(place=place, level=1, evidence=long, next_level_feedback=long)
        for place in season.ladder.ladder.places
    ]
    conclusion = GivenConclusion(way_forward="\N{GRINNING FACE}" * 10_000)
    assert saved(season, *answers, conclusion=conclusion).is_all_saved  # 160 KB: three competencies are well within


def test_only_the_member_answers_for_themselves_and_only_the_manager_as_such(season, store):
    answer = GivenAnswer(place=DESIGN, level=1)
    for person, kind, refusal in (
        (season.mona, SELF, Forbidden),
        (season.ada, SELF, Forbidden),
        (season.tina, SELF, AssessmentNotFound),
        (season.timo, MANAGER, AssessmentNotFound),
        (season.ada, MANAGER, Forbidden),
        (member(store, Role.MANAGER), MANAGER, AssessmentNotFound),
    ):
        with pytest.raises(refusal):
            saved(season, answer, by=person, kind=kind)
    assert saved(season, answer, kind=MANAGER).is_all_saved


def test_who_leads_the_team_now_answers_and_who_led_it_does_not(season, store):
    successor = member(store, Role.MANAGER, name="Nils New")
    season.stores.teams.save(season.team.evolve(manager_id=successor.user_id))
    with pytest.raises(AssessmentNotFound):
        saved(season, GivenAnswer(place=DESIGN, level=1), kind=MANAGER)
    assert saved(season, GivenAnswer(place=DESIGN, level=1), kind=MANAGER, by=successor).is_all_saved


def test_who_came_to_lead_the_team_neither_sees_nor_writes_what_was_said_of_them(season):
    season.stores.users.save(season.timo.evolve(roles=frozenset({Role.MANAGER, Role.TEAM_MEMBER})))
    promoted = season.stores.users.get(season.timo.user_id, consistent=True)
    season.stores.teams.save(season.team.evolve(manager_id=promoted.user_id))
    with pytest.raises(AssessmentNotFound):
        saved(season, GivenAnswer(place=DESIGN, level=7), kind=MANAGER, by=promoted)
    assert saved(season, GivenAnswer(place=DESIGN, level=7), by=promoted).is_all_saved


def test_who_lost_the_role_has_lost_access(season):
    season.stores.users.save(season.timo.evolve(roles=frozenset()))
    without = season.stores.users.get(season.timo.user_id, consistent=True)
    with pytest.raises(AssessmentNotFound):
        saved(season, GivenAnswer(place=DESIGN, level=1), by=without)


def test_a_submitted_assessment_and_one_of_an_ended_plan_take_no_answers(season):
    season.stores.plans.save(season.stored_plan().evolve(status=PlanStatus.COMPLETED, active_season=None))
    with pytest.raises(AssessmentLocked, match="has ended"):
        saved(season, GivenAnswer(place=DESIGN, level=1))
    season.stores.assessments.save(season.stored(SELF).evolve(status=AssessmentStatus.SUBMITTED, submitted_at=NOW))
    with pytest.raises(AssessmentLocked, match="was submitted"):
        saved(season, GivenAnswer(place=DESIGN, level=1))
    with pytest.raises(AssessmentLocked):
        start(season.stores, assessment_id=season.id(SELF), by=season.timo, now=NOW)


def test_starting_twice_is_starting_once(season):
    first = start(season.stores, assessment_id=season.id(SELF), by=season.timo, now=NOW)
    again = start(season.stores, assessment_id=season.id(SELF), by=season.timo, now=NOW)
    assert first == again == season.stored(SELF)
    assert again.status is AssessmentStatus.IN_PROGRESS
    with pytest.raises(Forbidden):
        start(season.stores, assessment_id=season.id(SELF), by=season.mona, now=NOW)
