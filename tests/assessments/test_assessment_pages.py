"""The pages of assessments without a script: what they cost, whom they open to, and that nothing typed is lost."""

import re

import pytest

from apps.accounts.entities import Role
from apps.assessments.entities import Answer, Feedback, PlanStatus
from apps.assessments.services.answering import GivenAnswer, save_answers
from apps.assessments.services.submitting import reopen, submit
from tests.assessments.conftest import MANAGER, SELF
from tests.policy_runs.web import beyond_sign_in, browser, member
from tests.seasons import NOW

DESIGN = ("Craft", "Design")


def address(season, kind=SELF, rest=""):
    return f"/assessments/{season.id(kind)}/{rest}"


def hand_in(season, kind):
    by = season.timo if kind is SELF else season.mona
    season.fill(kind)
    return submit(season.stores, assessment_id=season.id(kind), by=by, actor=by.acting(), now=NOW)


def typed(number=1, *, level="3", evidence="Drew it.", following="More.", revision="0", **more):
    return {
        "category": "Craft",
        f"level-{number}": level,
        f"evidence-{number}": evidence,
        f"next-{number}": following,
        f"revision-{number}": revision,
        **more,
    }


def shown(response):
    """What the page says, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", response.content.decode()))


def test_the_list_says_what_waits_and_what_is_done(season, costs):
    client = browser(season.mona)
    with costs(requests=5, scans=0) as cost:
        page = client.get("/assessments/")
    assert sum(beyond_sign_in(cost).values()) <= 3
    assert re.findall(r'assessments/[0-9a-f-]+/">([^<]*)</a>', page.content.decode()) == ["Timo Member", "Tina Member"]
    assert "Not started" in shown(page)
    hand_in(season, MANAGER)
    page = browser(season.mona).get("/assessments/")
    assert "Submitted, under plans" in shown(page)
    own = browser(season.timo).get("/assessments/")
    assert "My self-assessment" in shown(own)
    assert "Mona" not in shown(own).replace(season.timo.name, "")


def test_the_list_is_empty_for_who_has_nothing_and_hides_what_a_former_manager_gave(season, store):
    assert "Nothing waits for you" in shown(browser(member(store, Role.TEAM_MEMBER)).get("/assessments/"))
    hand_in(season, MANAGER)
    season.stores.teams.save(season.team.evolve(manager_id=member(store, Role.MANAGER).user_id))
    assert "Timo" not in shown(browser(season.mona).get("/assessments/"))
    season.stores.plans.save(season.stored_plan().evolve(status=PlanStatus.COMPLETED, active_season=None))
    assert "Nothing waits for you" in shown(browser(season.tina).get("/assessments/"))


def test_what_is_typed_in_the_review_of_what_was_submitted_elsewhere_meanwhile_stays_in_the_page(season):
    client = browser(season.timo)
    hand_in(season, SELF)
    late = {"current_level": "3", "way_forward": "Typed late.", "texts_revision": "0", "answers_revision": "3"}
    for go in ("stay", "submit"):
        page = client.post(address(season, rest="review/"), {**late, "go": go})
        assert page.status_code == 409
        assert "was submitted" in shown(page) and "Typed late.</textarea>" in page.content.decode()
    assert season.stored(SELF).way_forward == "On and up."
    same = {**late, "current_level": "4", "way_forward": "On and up.", "go": "submit"}  # as after a double click
    assert client.post(address(season, rest="review/"), same).status_code == 302


def test_more_than_an_item_can_hold_is_told_and_stays_in_the_page(season, store):
    own, long = season.stored(SELF), "🙂" * 5000
    filled = {str(level): Feedback(evidence=long, next_level_feedback=long) for level in range(10)}
    season.stores.assessments.save(own.evolve(feedback={"Elsewhere": {"Much": filled}}))
    client = browser(season.timo)
    page = client.post(address(season), typed(evidence=long, following=long))
    assert page.status_code == 422
    assert "longer than what can be stored" in shown(page) and long in shown(page)
    review = {"current_level": "3", "way_forward": "🙂" * 10_000, "texts_revision": "0", "answers_revision": "0"}
    page = client.post(address(season, rest="review/"), review)
    assert page.status_code == 422
    assert "longer than what can be stored" in shown(page) and review["way_forward"] in shown(page)
    assert season.stored(SELF).answer(DESIGN) == Answer()


@pytest.mark.parametrize("rest", ["", "?category=People", "review/"])
def test_a_page_asks_for_two_things_beside_who_it_is(season, costs, rest):
    season.fill(SELF)
    client = browser(season.timo)
    with costs(requests=4, scans=0, writes=0) as cost:
        page = client.get(address(season, rest=rest))
    assert page.status_code == 200
    assert sum(beyond_sign_in(cost).values()) == 2


def test_the_member_never_sees_the_managers_view_and_nobody_else_sees_either(season, store):
    hand_in(season, SELF)
    hand_in(season, MANAGER)
    strangers = [member(store, role) for role in set(Role) - {Role.ADMIN}]
    for person in (season.tina, *strangers):
        for kind in (SELF, MANAGER):
            assert browser(person).get(address(season, kind)).status_code == 404
            assert browser(person).post(address(season, kind), typed()).status_code == 404
    for rest in ("", "review/"):
        assert browser(season.timo).get(address(season, MANAGER, rest)).status_code == 404
        assert browser(season.timo).post(address(season, MANAGER, rest), typed()).status_code == 404
    assert browser(season.timo).post(address(season, MANAGER, "reopen/"), {"reason": "x"}).status_code == 404
    assert browser(season.mona).post(address(season, MANAGER, "reopen/"), {"reason": "x"}).status_code == 403
    for person in (season.mona, season.ada):
        assert browser(person).get(address(season)).status_code == 200
        assert browser(person).post(address(season), typed()).status_code == 403
        assert browser(person).get(address(season, MANAGER)).status_code == 200


def test_the_managers_form_has_the_submitted_self_assessment_beside_and_before_only_its_state(season):
    save_answers(
        season.stores,
        assessment_id=season.id(SELF),
        by=season.timo,
        now=NOW,
        answers=[GivenAnswer(place=DESIGN, level=2, evidence="SECRETDRAFT")],
    )
    page = shown(browser(season.mona).get(address(season, MANAGER)))
    assert "in progress: 1 of 3 answered" in page
    assert "SECRETDRAFT" not in page
    for reader in (season.mona, season.ada):  # nor on the page of the self-assessment itself, nor by the API
        own = browser(reader).get(address(season))
        assert own.status_code == 200 and "it may still change" in shown(own)
        told = browser(reader).get(f"/api{address(season)}"[:-1]).json()
        assert (told["status"], told["answered"]) == ("in_progress", 1)
        assert {answer["level"] for answer in told["answers"]} == {None}
        assert "SECRETDRAFT" not in shown(own) + str(told)
    assert "SECRETDRAFT" in browser(season.timo).get(f"/api{address(season)}"[:-1]).content.decode()
    hand_in(season, SELF)
    assert "None chosen" not in shown(browser(season.mona).get(address(season)))
    page = shown(browser(season.mona).get(address(season, MANAGER)))
    assert "Timo Member\N{RIGHT SINGLE QUOTATION MARK}s own view" in page
    assert "Timo Member chose this" in page
    assert "own view" not in shown(browser(season.timo).get(address(season)))


def test_save_and_next_saves_and_leads_to_the_next_category_and_then_to_the_review(season):
    client = browser(season.timo)
    answer = client.post(address(season), typed(go="next"))
    assert (answer.status_code, answer.url) == (302, f"{address(season)}?category=People")
    assert season.stored(SELF).answer(DESIGN) == Answer(level=3, evidence="Drew it.", next_level_feedback="More.")
    answer = client.post(address(season), {"category": "People", "level-1": "2", "revision-1": "0", "go": "next"})
    assert answer.url == address(season, rest="review/")
    assert season.stored(SELF).resume_at == "People"
    assert (
        'aria-current="step" data-step-to data-step-category="People"' in client.get(address(season)).content.decode()
    )


def test_lines_are_stored_as_a_script_would_send_them(season):
    browser(season.timo).post(address(season), typed(evidence="one\r\ntwo"))
    assert season.stored(SELF).answer(DESIGN).evidence == "one\ntwo"


def test_what_was_changed_elsewhere_is_shown_with_what_was_typed_and_saved_by_saving_again(season):
    client = browser(season.timo)
    client.post(address(season), typed(evidence="from elsewhere"))
    page = client.post(address(season), typed(evidence="typed here", level="5"))
    assert page.status_code == 409
    assert "changed elsewhere" in shown(page)
    assert "from elsewhere" in shown(page)
    assert "typed here" in page.content.decode()
    assert season.stored(SELF).answer(DESIGN).evidence == "from elsewhere"
    revision = re.search(r'name="revision-1" value="(\d+)"', page.content.decode())[1]
    assert client.post(address(season), typed(evidence="typed here", revision=revision)).status_code == 302
    assert season.stored(SELF).answer(DESIGN).evidence == "typed here"


def test_what_is_too_long_stays_in_the_form_with_the_reason_beside_it(season):
    page = browser(season.timo).post(address(season), typed(evidence="x" * 5001))
    assert page.status_code == 422
    assert "Shorten it by 1" in shown(page)
    assert "x" * 5001 in page.content.decode()
    assert not season.stored(SELF).selections


def test_what_was_typed_into_what_is_locked_meanwhile_is_shown_once_more(season):
    hand_in(season, SELF)
    page = browser(season.timo).post(address(season), typed(evidence="too late"))
    assert page.status_code == 409
    assert "too late" in page.content.decode()
    assert "was submitted" in shown(page)


def test_markup_in_an_answer_is_text(season):
    evil = "<script>alert(1)</script> [x](javascript:alert(1))"
    browser(season.timo).post(address(season), typed(evidence=evil))
    for rest in ("", "review/"):
        assert "<script>alert" not in browser(season.timo).get(address(season, rest=rest)).content.decode()
    assert 'href="javascript' not in browser(season.timo).get(address(season, rest="review/")).content.decode()


def concluded(season, **more):
    stored = season.stored(SELF)
    return {
        "current_level": "4",
        "way_forward": "Lead.",
        "texts_revision": str(stored.texts_revision),
        "answers_revision": str(stored.answers_revision),
        "go": "submit",
        **more,
    }


def test_the_review_submits_and_locks(season):
    season.stores.assessments.save(season.fill(SELF).evolve(current_level=None))
    client = browser(season.timo)
    answer = client.post(address(season, rest="review/"), concluded(season))
    assert (answer.status_code, answer.url) == (302, address(season))
    stored = season.stored(SELF)
    assert (stored.is_submitted, stored.current_level, stored.way_forward) == (True, 4, "Lead.")
    page = client.get(address(season))
    assert "Submitted and locked" in shown(page)
    assert "<textarea" not in page.content.decode()
    assert client.get(address(season, rest="review/")).status_code == 302


def test_the_review_names_what_is_missing_and_links_there(season):
    season.fill(SELF, (3,))
    client = browser(season.timo)
    page = client.get(address(season, rest="review/"))
    assert "2 competencies have no level yet" in shown(page)
    assert "?category=Craft#competency-2" in page.content.decode()
    page = client.post(address(season, rest="review/"), concluded(season, current_level="", way_forward="Kept."))
    assert page.status_code == 422
    assert "Choose the overall level." in shown(page)
    assert "Kept." in page.content.decode()
    assert not season.stored(SELF).is_submitted


def test_the_review_does_not_submit_answers_that_nobody_looked_at(season):
    season.fill(SELF)
    sent = concluded(season)
    save_answers(
        season.stores,
        assessment_id=season.id(SELF),
        by=season.timo,
        now=NOW,
        answers=[GivenAnswer(place=DESIGN, level=7, revision=1)],
    )
    client = browser(season.timo)
    page = client.post(address(season, rest="review/"), sent, follow=True)
    assert "Answers were changed since" in shown(page)
    assert not season.stored(SELF).is_submitted


def test_a_conclusion_that_was_changed_elsewhere_is_shown_with_what_was_typed(season):
    season.fill(SELF)
    client = browser(season.timo)
    client.post(address(season, rest="review/"), concluded(season, way_forward="Other.", go="stay"))
    page = client.post(address(season, rest="review/"), concluded(season, texts_revision="0"))
    assert page.status_code == 409
    assert "Other." in shown(page)
    assert "Lead." in page.content.decode()


def test_a_conclusion_that_comes_too_late_is_shown_once_more(season):
    hand_in(season, SELF)
    page = browser(season.timo).post(address(season, rest="review/"), concluded(season, way_forward="Too late."))
    assert page.status_code == 409
    assert "Too late." in page.content.decode()
    assert "was submitted" in shown(page)


def test_the_locked_page_leads_to_the_report_once_there_is_one(season):
    hand_in(season, SELF)
    assert "Read the report" not in shown(browser(season.timo).get(address(season)))
    report = hand_in(season, MANAGER).report
    for person, kind in ((season.timo, SELF), (season.mona, MANAGER), (season.ada, SELF)):
        assert f"/reports/{report.report_id}/" in browser(person).get(address(season, kind)).content.decode()


def test_an_administrator_reopens_with_a_reason(season):
    hand_in(season, SELF)
    client = browser(season.ada)
    assert "Reopen this assessment?" in shown(client.get(address(season)))
    page = client.post(address(season, rest="reopen/"), {"reason": " "})
    assert page.status_code == 422
    assert "Enter why it is reopened" in shown(page)
    page = client.post(address(season, rest="reopen/"), {"reason": "A slip."}, follow=True)
    assert "Reopened" in shown(page)
    assert not season.stored(SELF).is_submitted
    assert "Reopen this assessment?" not in shown(client.get(address(season)))
    page = client.post(address(season, rest="reopen/"), {"reason": "Again."}, follow=True)
    assert "there is no submission to take back" in shown(page)
    assert "Reopened" in shown(browser(season.timo).get("/assessments/"))


def test_a_link_to_a_category_that_is_none_opens_where_something_is_missing(season):
    season.fill(SELF, (3, 4))
    page = browser(season.timo).get(f"{address(season)}?category=Cooking").content.decode()
    assert '<h2 class="category-title">People</h2>' in page
    assert browser(season.timo).post(address(season), {"category": "Cooking"}).status_code == 404


def test_it_is_read_by_whom_it_is_not_to_fill_in_while_it_is_open(season):
    hand_in(season, SELF)
    reopen(
        season.stores,
        assessment_id=season.id(SELF),
        reason="x",
        by=season.ada,
        actor=season.ada.acting(),
        now=NOW,
    )
    page = browser(season.mona).get(address(season))
    assert "it may still change" in shown(page)
    assert "<form" not in re.sub(r'<form class="inline".*?</form>', "", page.content.decode(), flags=re.DOTALL)
