"""What is done with reports."""

from typing import Any

from apps.assessments.stores import stores_on
from apps.reports.services import Notes, discuss, note_exported, note_plan_exported, note_season_exported
from tests.audit.deeds import Deed, World
from tests.seasons import active_ladder, manager, plan_of, reported, team_member, team_of

SAID = "Only the two know what was said."


def a_report(w: World) -> Any:
    store = w.stores.store
    mona, timo = manager(store, name="Ada Admin"), team_member(store)
    w.seasons, w.mona, w.team = stores_on(store), mona, team_of(store, mona, timo)
    ladder = active_ladder(store)
    w.plan = plan_of(store, w.team, ladder)
    w.report = reported(store, w.plan, timo.user_id, team=w.team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    return {"user": w.mona, "actor": w.mona.acting("192.0.2.1"), "now": w.by["now"]}


def discussed(w: World) -> None:
    by = a_report(w)
    notes = Notes(discussed_on=w.by["now"].date(), discussion_notes=SAID)
    discuss(w.seasons, report_id=w.report.report_id, notes=notes, revision=0, **by)


def exported(w: World) -> None:
    by = a_report(w)
    note_exported(w.seasons, report=w.report, team=w.team, form="pdf", **by)


def plan_exported(w: World) -> None:
    by = a_report(w)
    note_plan_exported(w.seasons, plan=w.plan, team=w.team, reports=1, **by)


def season_exported(w: World) -> None:
    a_report(w)
    note_season_exported(w.seasons, season="2026-Q1", plans=1, user=w.ada, **w.by)


def of_report(w: World) -> str:
    return f"AssessmentReports#{w.report.report_id}"


DEEDS = [
    Deed(discuss, discussed, of_report, "report.discussed", {}, {"notes": "changed"}),
    Deed(note_exported, exported, of_report, "report.exported", {}, {"form": "pdf"}),
    Deed(
        note_plan_exported,
        plan_exported,
        lambda w: f"AssessmentPlans#{w.plan.plan_id}",
        "plan.reports_exported",
        {},
        {"reports": 1},
    ),
    Deed(note_season_exported, season_exported, lambda _: "Seasons#2026-Q1", "season.exported", {}, {"plans": 1}),
]
