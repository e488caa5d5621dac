"""Whatever is sent to the API is answered as its OpenAPI document says: fuzzed, with what is in the store."""

from copy import deepcopy

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from apps.assessments.entities import AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from apps.ladders.parsing import written
from tests.policy_runs.web import CSRF_TOKEN, openapi, session_key
from tests.seasons import LADDER, active_ladder, admin, manager, plan_of, reported, team_member, team_of

TESTED_BY_THEMSELVES = ("/api/policy-runs", "/healthz", "/readyz")
WITHOUT_WAY_BACK = ("/complete", "/archive")
EXAMPLES = {GenerationMode.POSITIVE: 3, GenerationMode.NEGATIVE: 3}


@pytest.fixture
def season(store):
    """Who may do what, ids of a plan under way and of one that has ended, and what fits into bodies."""
    leader, somebody = manager(store), team_member(store)
    team, ladder = team_of(store, leader, somebody), active_ladder(store)
    plan = plan_of(store, team, ladder)
    past = plan_of(store, team, ladder, season="2025-Q4", status=PlanStatus.COMPLETED)
    report = reported(store, past, somebody.user_id, team=team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    ids = {
        "user_id": somebody.user_id,
        "team_id": team.team_id,
        "plan_id": plan.plan_id,
        "config_id": ladder.config_id,
        "assessment_id": assessment_id(plan.plan_id, somebody.user_id, AssessmentType.MANAGER),
        "report_id": report.report_id,
    }
    fitting = {
        "teamId": [team.team_id],
        "planId": [past.plan_id],
        "memberId": [somebody.user_id],
        "managerId": [leader.user_id],
        "userIds": [[team_member(store, "Other Member").user_id]],
        "version": [1, 2, 3],
        "revision": [0, 1],
        "season": ["2026-Q2", "2027", "0001", "9999-H2"],
        "content": [written(LADDER)],
        "answers": [[{"category": "Craft", "competency": "Design", "level": 3}]],
    }
    return {"admin": admin(store), "manager": leader, "ids": ids, "ended": past.plan_id, "fitting": fitting}


@pytest.mark.parametrize("who", ["admin", "manager"])
@pytest.mark.parametrize("mode", EXAMPLES)
def test_whatever_is_sent_is_answered_as_the_openapi_document_says(season, who, mode):
    described = deepcopy(openapi())
    described["paths"] = {
        path: found for path, found in described["paths"].items() if not path.startswith(TESTED_BY_THEMSELVES)
    }
    for operation in (operation for path in described["paths"].values() for operation in path.values()):
        operation.pop("security", None)  # the cookie stands in every request
    schema = schemathesis.openapi.from_dict(described)
    schema.app = get_wsgi_application()
    cookies = {"sessionid": session_key(season[who]), "csrftoken": CSRF_TOKEN}
    answered = set()

    def fuzz(operation):
        ids = {**season["ids"], **({"plan_id": season["ended"]} if operation.path.endswith(WITHOUT_WAY_BACK) else {})}

        @settings(
            max_examples=EXAMPLES[mode],
            deadline=None,
            database=None,
            derandomize=True,
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy(generation_mode=mode), data=st.data())
        def answers_as_declared(case, data):
            if data.draw(st.integers(0, 3)):
                case.path_parameters = {name: ids[name] for name in case.path_parameters or {}}
            if mode is GenerationMode.POSITIVE and isinstance(case.body, dict):
                for name in sorted(set(case.body) & set(season["fitting"])):
                    case.body[name] = data.draw(st.sampled_from([case.body[name], *season["fitting"][name]]))
            # Which ids there are is told by the answer, so a valid form may be refused.
            response = case.call_and_validate(
                cookies=cookies, headers={"X-CSRFToken": CSRF_TOKEN}, excluded_checks=[positive_data_acceptance]
            )
            answered.add((operation.label, response.status_code))

        answers_as_declared()

    operations = [found.ok() for found in schema.get_all_operations()]
    # What locks or empties things comes last: until then there is something to do for the others.
    for operation in sorted(operations, key=lambda one: (one.method == "delete", one.path.endswith(WITHOUT_WAY_BACK))):
        if mode is GenerationMode.POSITIVE or _takes_anything(operation):
            fuzz(operation)

    statuses = {status for _, status in answered}
    if mode is GenerationMode.POSITIVE:
        assert {label for label, _ in answered} == {operation.label for operation in operations}
        assert statuses >= {200, 404, 409, 422}
    else:
        assert statuses >= {400, 422}


def _takes_anything(operation):
    """Whether something can be sent that breaks the schema: of a bare address nothing can."""
    return bool(operation.body or operation.query)
