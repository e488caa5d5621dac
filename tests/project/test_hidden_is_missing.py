"""What one may not see answers word for word as what is not there: nobody learns that it exists."""

import re
from uuid import uuid4

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from tests.policy_runs.web import browser, member
from tests.project.test_every_address import ASKED, asked
from tests.seasons import active_ladder, manager, plan_of, reported, team_member, team_of


def told(answer):
    """What it says, without ids, tokens and the reference, which are others each time."""
    return answer.status_code, re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}|[\w-]{32,}|[0-9a-f]{12}", "", answer.content.decode())


def test_strangers_are_told_the_same_of_what_is_hidden_and_of_what_is_missing(store) -> None:
    somebody = team_member(store)
    team, ladder = team_of(store, manager(store), somebody), active_ladder(store)
    plan = plan_of(store, team, ladder)
    past = plan_of(store, team, ladder, season="2025-Q4", status=PlanStatus.COMPLETED)
    report = reported(store, past, somebody.user_id, team=team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    there = {
        "team_id": team.team_id,
        "plan_id": past.plan_id,
        "report_id": report.report_id,
        "assessment_id": assessment_id(plan.plan_id, somebody.user_id, AssessmentType.SELF),
        "user_id": somebody.user_id,
    }
    stranger = member(store, Role.MANAGER, Role.TEAM_MEMBER, name="Max Manager")
    team_of(store, stranger, name="Yard")
    client, told_apart, compared = browser(stranger), [], 0
    for path, opened in (case.values for case in ASKED):
        if "policy-runs" in path or not any(f"{{{name}}}" in f"{path}{opened.sends}" for name in there):
            continue
        hidden = asked(client, path.format(**there), opened, there)
        assert hidden.status_code == 404, path
        missing = {name: str(uuid4()) for name in there}
        compared += 1
        if told(hidden) != told(asked(client, path.format(**missing), opened, missing)):
            told_apart.append((opened.method, path))
    assert not told_apart
    assert compared > 50
