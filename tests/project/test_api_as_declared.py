"""Whatever is sent to the API of people, teams and seasons, it answers as the OpenAPI document says."""

from copy import deepcopy

import pytest
import schemathesis
from django.core.wsgi import get_wsgi_application
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from tests.policy_runs.web import CSRF_TOKEN, member, openapi, session_key
from tests.seasons import active_ladder, plan_of, reported, team_member, team_of


@pytest.fixture
def reader(store):
    """Somebody who may do nearly all of it."""
    return member(store, Role.ADMIN, Role.MANAGER, Role.TEAM_MEMBER, name="Ada Admin")


@pytest.fixture
def known(store, reader):
    """What is there, by the names of the paths' parts."""
    timo = team_member(store)
    team, ladder = team_of(store, reader, timo), active_ladder(store)
    plan = plan_of(store, team, ladder)
    past = plan_of(store, team, ladder, season="2025-Q4", status=PlanStatus.COMPLETED)
    report = reported(store, past, timo.user_id, team=team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    return {
        "user_id": timo.user_id,
        "team_id": team.team_id,
        "config_id": ladder.config_id,
        "plan_id": plan.plan_id,
        "assessment_id": assessment_id(plan.plan_id, timo.user_id, AssessmentType.MANAGER),
        "report_id": report.report_id,
    }


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_whatever_is_sent_is_answered_as_the_openapi_document_says(mode, reader, known):
    described = deepcopy(openapi())
    described["paths"] = {
        path: found
        for path, found in described["paths"].items()
        if path.startswith("/api/") and "/policy-runs" not in path and not path.endswith("/export")
    }
    for operation in (operation for path in described["paths"].values() for operation in path.values()):
        operation.pop("security", None)  # the cookie stands in every request here
    schema = schemathesis.openapi.from_dict(described)
    schema.app = get_wsgi_application()
    cookies = {"sessionid": session_key(reader), "csrftoken": CSRF_TOKEN}
    operations = [found.ok() for found in schema.get_all_operations()]
    if mode is GenerationMode.NEGATIVE:  # what takes nothing can be asked in no wrong way
        operations = [one for one in operations if list(one.body) or list(one.query)]
    statuses = set()

    @settings(max_examples=4, deadline=None, database=None, derandomize=True, suppress_health_check=list(HealthCheck))
    @given(data=st.data())
    def answers_as_declared(operation, data):
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if data.draw(st.booleans()):
            case.path_parameters = {name: known[name] for name in case.path_parameters or {}}
        # Whether a manager, a plan or an answer can be so is told by the answer: a valid form may be refused.
        response = case.call_and_validate(
            cookies=cookies, headers={"X-CSRFToken": CSRF_TOKEN}, excluded_checks=[positive_data_acceptance]
        )
        statuses.add(response.status_code)

    for operation in operations:
        answers_as_declared(operation)
    assert statuses >= ({200, 404, 422} if mode is GenerationMode.POSITIVE else {400, 422})
