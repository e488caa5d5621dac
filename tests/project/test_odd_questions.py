"""Whatever stands in an address, or behind its question mark, is answered, never a failure of ours."""

import re

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentType
from apps.assessments.ids import assessment_id
from tests.policy_runs.web import browser, member
from tests.project.test_every_address import OPERATIONS, PAGES
from tests.seasons import active_ladder, manager, plan_of, reported, team_member, team_of

ASKED = {
    "/people/": "q cursor",
    "/teams/": "q cursor of",
    "/teams/managers/": "manager_email",
    "/teams/{team_id}/people/": "q user_id",
    "/plans/": "team season status cursor",
    "/plans/new/": "team q cursor",
    "/ladder/": "level",
    "/ladder/versions/": "cursor",
    "/ladder/new/": "from",
    "/assessments/": "cursor",
    "/assessments/{assessment_id}/": "category",
    "/reports/": "show season team cursor",
    "/reports/organisation/": "season page",
    "/reports/organisation/season.csv": "season",
    "/reports/plan/{plan_id}/": "by",
    "/reports/{report_id}/": "by",
    "/policy-runs/": "mine status cursor",
    "/policy-runs/{execution_id}/": "status cursor",
    "/audit/": "day actor object action cursor",
}
ODD = (
    *("\0", "'\"<&>\\\r\n", "\ud7ff\uffff\U0001f469", "٣", "İ" * 200, "x" * 3000, "=" * 9, "../..", "%ff"),
    *("-1", "9" * 400, "001" + "0" * 5000, "1e400", "NaN", "9999-H2", "0000-00-00", "active"),
    *("e30", "bnVsbA", "WzFd", "eyJhIjp7fX0"),  # {}, null, [1] and {"a":{}} as a cursor writes them
)


def test_no_question_breaks_a_page(store, run) -> None:
    leader, somebody = manager(store), team_member(store)
    team, ladder = team_of(store, leader, somebody), active_ladder(store)
    plan = plan_of(store, team, ladder)
    report = reported(store, plan, somebody.user_id, team=team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    ids = {
        "execution_id": run.execution_id,
        "team_id": team.team_id,
        "plan_id": plan.plan_id,
        "report_id": report.report_id,
        "assessment_id": assessment_id(plan.plan_id, somebody.user_id, AssessmentType.SELF),
    }
    client = browser(member(store, *Role), raise_request_exception=False)

    broken = {
        (address, name, value[:20])
        for address, names in ASKED.items()
        for name in names.split()
        for value in ODD
        if client.get(address.format(**ids), {name: value}).status_code >= 500
    }

    assert {address for address in ASKED if client.get(address.format(**ids)).status_code != 200} == set()
    assert broken == set()


def test_an_id_that_no_store_can_hold_is_one_that_is_not_there(store) -> None:
    client = browser(member(store, *Role), raise_request_exception=False)
    routes = [route for route in (*(f"/{page}" for page in PAGES), *OPERATIONS) if re.search("[<{]", route)]

    broken = {
        (route, part[:3])
        for route in routes
        for part in ("x" * 3000, "ä" * 600, "\0")
        if client.get(re.sub(r"<[^>]+>|\{\w+\}", part, route)).status_code >= 500
    }

    assert broken == set()
