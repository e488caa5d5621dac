"""What is done with assessments: submitted, reported on, reopened."""

from typing import Any

from apps.accounts.entities import Role
from apps.assessments.entities import AssessmentType
from apps.assessments.ids import assessment_id, report_id
from apps.assessments.services.submitting import generate_report, reopen, submit
from apps.assessments.stores import stores_on
from tests.audit.deeds import Deed, World
from tests.policy_runs.web import member
from tests.seasons import active_ladder, blank, filled_in, manager, plan_of, team_of

SELF, MANAGER = AssessmentType.SELF, AssessmentType.MANAGER


def begun(w: World) -> Any:
    """Ada leads nobody: she is a member here, who has answered everything, and so has her manager."""
    store = w.stores.store
    stores = stores_on(store)
    w.season = stores
    ada = stores.users.get(w.ada.user_id, consistent=True)
    w.ada = stores.users.save(ada.evolve(roles=frozenset({Role.ADMIN, Role.TEAM_MEMBER})))
    leader = manager(store)
    team, ladder = team_of(store, leader, w.ada, member(store, Role.TEAM_MEMBER)), active_ladder(store)
    plan = plan_of(store, team, ladder)
    w.plan_id = plan.plan_id
    for kind, submitted in ((SELF, False), (MANAGER, True)):
        whole = filled_in(
            blank(plan, w.ada.user_id, kind, team=team, ladder=ladder), ladder.ladder, (3, 4, 5), submitted=submitted
        )
        stores.assessments.put_many([whole.evolve(current_level=4)])


def submitted(w: World) -> None:
    begun(w)
    submit(w.season, assessment_id=own(w), by=w.ada, **w.by)


def generated(w: World) -> None:
    submitted(w)
    report = w.season.reports.get(report_id(w.plan_id, w.ada.user_id))
    w.season.reports.delete(report)
    generate_report(w.season, plan_id=w.plan_id, member_id=w.ada.user_id, by=w.ada, **w.by)


def reopened(w: World) -> None:
    submitted(w)
    reopen(w.season, assessment_id=own(w), reason="A slip.", by=w.ada, **w.by)


def own(w: World) -> str:
    return assessment_id(w.plan_id, w.ada.user_id, SELF)


def of_own(w: World) -> str:
    return f"Assessments#{own(w)}"


def of_report(w: World) -> str:
    return f"AssessmentReports#{report_id(w.plan_id, w.ada.user_id)}"


DEEDS = [
    Deed(submit, submitted, of_own, "assessment.submitted", {"status": "in_progress"}, {"type": "self"}),
    Deed(generate_report, generated, of_report, "report.generated", {}),
    Deed(
        reopen,
        reopened,
        of_own,
        "assessment.reopened",
        {"status": "submitted"},
        {"status": "in_progress", "reason": "A slip."},
    ),
]
