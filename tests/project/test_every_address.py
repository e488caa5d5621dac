"""Every address there is, opened as nobody and as each role: a new one fails here until it says who may open it."""

import re
from dataclasses import dataclass
from typing import Any

import orjson
import pytest
from django.urls import get_resolver

from apps.accounts.admin import UserAdmin
from apps.accounts.entities import Role
from apps.accounts.management.commands.list_permissions import page
from apps.accounts.permissions import RULES, Permission, allowed
from apps.assessments.access import concerning
from apps.assessments.entities import AssessmentType, PlanStatus
from apps.assessments.ids import assessment_id
from apps.assessments.services.managed import PLANNERS
from apps.policy_runs.repository import Executions
from apps.policy_runs.routing import websocket_urlpatterns
from apps.teams.access import MAY_HAVE_TEAMS
from project.console import console
from tests.policy_runs.web import browser, launch_body, member, openapi
from tests.seasons import active_ladder, manager, plan_of, reported, team_member, team_of
from tests.test_architecture import ROOT

P = Permission


@dataclass(frozen=True)
class Opened:
    """Who may open it, how it is asked, and what it answers to those who may not, where that is not 403 or 404."""

    to: Permission | str | frozenset[Role]
    method: str = "get"
    sends: Any = None
    told: int | None = None


PUBLIC = "everybody"
OWN = "everybody who has signed in, of their own account"

PAGES = {
    "": [Opened(OWN)],
    "home/organisation/": [Opened(P.ORGANISATION_SEE)],
    "home/runs/": [Opened(P.RUN_SEE)],
    "account/": [Opened(OWN), Opened(OWN, "post")],
    "account/sessions/": [Opened(OWN)],
    "account/sessions/end/": [Opened(OWN, "post")],
    "account/sign-in/": [Opened(PUBLIC)],
    "account/sign-in/code/": [Opened(PUBLIC, told=302), Opened(PUBLIC, "post", told=302)],
    "account/second-factor/": [Opened(OWN), Opened(OWN, "post")],
    "account/second-factor/confirm/": [Opened(OWN), Opened(OWN, "post")],
    "account/second-factor/recovery-codes/": [Opened(OWN), Opened(OWN, "post")],
    "account/second-factor/switch-off/": [Opened(OWN), Opened(OWN, "post")],
    "account/forgot-password/": [Opened(PUBLIC), Opened(PUBLIC, "post", told=422)],
    "account/link/<str:token>/": [Opened(PUBLIC, told=410)],
    "account/choose-password/": [Opened(PUBLIC, told=410), Opened(PUBLIC, "post", told=410)],  # no link was opened
    "account/sign-out/": [Opened(PUBLIC, "post", told=302)],
    # Behind a setting: tests/accounts/test_single_sign_on.py.
    "account/single-sign-on/": [Opened(PUBLIC, told=404)],
    "account/single-sign-on/start/": [Opened(PUBLIC, told=404)],
    "account/single-sign-on/callback/": [Opened(PUBLIC, told=404)],
    "account/password/": [Opened(OWN), Opened(OWN, "post")],
    "account/tokens/": [Opened(OWN), Opened(OWN, "post")],
    "account/tokens/revoke/": [Opened(OWN, "post")],
    "account/sign-out-everywhere/": [Opened(OWN, "post")],
    "people/": [Opened(P.USERS_SEE)],
    "people/import/": [Opened(P.USERS_CHANGE), Opened(P.USERS_CHANGE, "post")],
    "people/<str:user_id>/": [Opened(P.USERS_SEE)],  # and one's own: tests/accounts/test_directory.py
    "teams/": [Opened(MAY_HAVE_TEAMS)],
    "teams/new/": [Opened(P.TEAM_CREATE), Opened(P.TEAM_CREATE, "post")],
    "teams/import/": [Opened(P.TEAM_CREATE), Opened(P.TEAM_CREATE, "post")],
    "teams/managers/": [Opened(P.TEAM_CREATE)],
    "teams/<str:team_id>/": [Opened(P.TEAM_SEE)],  # and whose team it is: tests/teams/test_team_pages.py
    "teams/<str:team_id>/edit/": [Opened(P.TEAM_EDIT), Opened(P.TEAM_EDIT, "post")],
    "teams/<str:team_id>/people/": [Opened(P.TEAM_EDIT)],
    "teams/<str:team_id>/add/": [Opened(P.TEAM_EDIT, "post")],
    "teams/<str:team_id>/remove/": [Opened(P.TEAM_EDIT, "post")],
    "teams/<str:team_id>/deactivate/": [Opened(P.TEAM_DELETE, "post")],
    "teams/<str:team_id>/reactivate/": [Opened(P.TEAM_DELETE, "post")],
    "plans/": [Opened(PLANNERS)],
    "plans/new/": [Opened(PLANNERS), Opened(PLANNERS, "post")],
    # Of a team that somebody else leads; their own manager's: tests/assessments/plans/test_plan_pages.py
    "plans/<str:plan_id>/": [Opened(P.PLAN_MANAGE)],
    "plans/<str:plan_id>/edit/": [Opened(P.PLAN_MANAGE), Opened(P.PLAN_MANAGE, "post")],
    "plans/<str:plan_id>/activate/": [Opened(P.PLAN_MANAGE, "post")],
    "plans/<str:plan_id>/remind/": [Opened(P.PLAN_MANAGE, "post")],
    "plans/<str:plan_id>/complete/": [Opened(P.PLAN_MANAGE, "post")],
    "plans/<str:plan_id>/archive/": [Opened(P.PLAN_MANAGE, "post")],
    "plans/<str:plan_id>/delete/": [Opened(P.PLAN_MANAGE, "post")],
    "ladder/": [Opened(P.LADDER_SEE)],
    "ladder/versions/": [Opened(P.LADDER_SEE)],
    "ladder/new/": [Opened(P.LADDER_CHANGE), Opened(P.LADDER_CHANGE, "post")],
    "ladder/check/": [Opened(P.LADDER_CHANGE, "post")],
    "ladder/<str:config_id>/": [Opened(P.LADDER_SEE)],
    "ladder/<str:config_id>/activate/": [Opened(P.LADDER_CHANGE, "post")],
    "ladder/<str:config_id>/ladder.md": [Opened(P.LADDER_SEE)],
    "reports/": [Opened(MAY_HAVE_TEAMS)],
    "reports/organisation/": [Opened(P.ORGANISATION_SEE)],
    "reports/organisation/season.csv": [Opened(P.ORGANISATION_SEE)],
    # And whose team it is, or whom it is about: tests/reports/test_pages.py.
    "reports/member/<str:user_id>/": [Opened(P.REPORT_SEE)],
    "reports/plan/<str:plan_id>/": [Opened(P.REPORT_SEE)],
    "reports/plan/<str:plan_id>/reports.csv": [Opened(P.REPORT_SEE)],
    "reports/<str:report_id>/": [Opened(P.REPORT_SEE)],
    "reports/<str:report_id>/notes/": [Opened(P.REPORT_DISCUSS, "post", {"revision": 0})],
    "reports/<str:report_id>/report.pdf": [Opened(P.REPORT_EXPORT)],
    "reports/<str:report_id>/report.csv": [Opened(P.REPORT_EXPORT)],
    "reports/<str:report_id>/report.json": [Opened(P.REPORT_EXPORT)],
    "policy-runs/": [Opened(P.RUN_SEE)],
    "policy-runs/new/": [Opened(P.RUN_LAUNCH), Opened(P.RUN_LAUNCH, "post")],
    "policy-runs/check/": [Opened(P.RUN_LAUNCH, "post")],
    "policy-runs/<str:execution_id>/": [Opened(P.RUN_SEE)],
    "policy-runs/<str:execution_id>/state/": [Opened(P.RUN_SEE)],
    "policy-runs/<str:execution_id>/results/": [Opened(P.RUN_SEE)],
    # Who sees the run is led back to it, and told.
    "policy-runs/<str:execution_id>/control/": [Opened(P.RUN_CONTROL, "post", {"action": "pause"}, told=302)],
    "policy-runs/<str:execution_id>/results.csv": [Opened(P.RUN_SEE)],
    "policy-runs/<str:execution_id>/<str:policy_number>/": [Opened(P.RUN_SCREENS)],
    "assessments/": [Opened(OWN)],
    # Whose it is: tests/assessments/test_assessment_pages.py
    "assessments/<str:assessment_id>/": [
        Opened(P.SELF_ASSESSMENT_SEE),
        Opened(P.SELF_ASSESSMENT_FILL_IN, "post", {"category": "Craft"}),
    ],
    "assessments/<str:assessment_id>/review/": [
        Opened(P.SELF_ASSESSMENT_SEE),
        Opened(P.SELF_ASSESSMENT_FILL_IN, "post"),
    ],
    "assessments/<str:assessment_id>/reopen/": [Opened(P.ASSESSMENT_REOPEN, "post", {"reason": ""})],
    "audit/": [Opened(P.AUDIT_SEE)],
    "audit/export.csv": [Opened(P.AUDIT_SEE)],
    "metrics": [Opened(PUBLIC, told=404)],  # behind a token of its own: tests/test_metrics.py
    "api/openapi.json": [Opened(OWN)],
    "healthz": [Opened(PUBLIC)],
    "readyz": [Opened(PUBLIC)],
}
NEW_PLAN = {
    "teamId": "{team_id}",
    "planName": "Spring",
    "season": "2026-Q1",
    "startDate": "2026-01-01",
    "endDate": "2026-03-31",
}
OPERATIONS = {
    "/healthz": [Opened(PUBLIC)],
    "/readyz": [Opened(PUBLIC)],
    "/api/plans": [Opened(PLANNERS), Opened(P.PLAN_MANAGE, "post", NEW_PLAN)],
    "/api/plans/{plan_id}": [
        Opened(P.PLAN_MANAGE),
        Opened(P.PLAN_MANAGE, "patch", {"version": 1, "planName": "Other"}),
        Opened(P.PLAN_MANAGE, "delete"),
    ],
    "/api/plans/{plan_id}/activate": [Opened(P.PLAN_MANAGE, "post")],
    "/api/plans/{plan_id}/complete": [Opened(P.PLAN_MANAGE, "post")],
    "/api/plans/{plan_id}/archive": [Opened(P.PLAN_MANAGE, "post")],
    "/api/plans/{plan_id}/remind": [Opened(P.PLAN_MANAGE, "post")],
    "/api/users": [Opened(P.USERS_SEE)],
    "/api/users/me": [Opened(OWN)],
    "/api/users/{user_id}": [Opened(P.USERS_SEE)],  # and oneself: tests/accounts/test_users_api.py
    "/api/teams": [
        Opened(MAY_HAVE_TEAMS),
        Opened(P.TEAM_CREATE, "post", {"teamName": "Yard", "managerId": "nobody"}),
    ],
    # Whose team it is: tests/teams/test_teams_api.py
    "/api/teams/{team_id}": [
        Opened(P.TEAM_SEE),
        Opened(P.TEAM_EDIT, "patch", {"version": 1}),
        Opened(P.TEAM_DELETE, "delete"),
    ],
    "/api/teams/{team_id}/members": [
        Opened(P.TEAM_SEE),
        Opened(P.TEAM_EDIT, "post", {"userIds": ["nobody"]}),
    ],
    "/api/teams/{team_id}/members/{user_id}": [Opened(P.TEAM_EDIT, "delete")],
    "/api/ladders": [
        Opened(P.LADDER_SEE),
        Opened(P.LADDER_CHANGE, "post", {"content": "no ladder", "ladderVersion": "1.2.0"}),
    ],
    "/api/ladders/active": [Opened(P.LADDER_SEE)],
    "/api/ladders/{config_id}": [Opened(P.LADDER_SEE)],
    "/api/ladders/{config_id}/comparison": [Opened(P.LADDER_SEE)],
    "/api/ladders/{config_id}/activate": [Opened(P.LADDER_CHANGE, "post", {})],
    "/api/reports/generate": [Opened(P.REPORT_SEE, "post", {"planId": "{plan_id}", "memberId": "{user_id}"})],
    "/api/reports/organisation": [Opened(P.ORGANISATION_SEE)],
    "/api/reports/by-plan/{plan_id}": [Opened(P.REPORT_SEE)],
    "/api/reports/by-member/{user_id}": [Opened(P.REPORT_SEE)],
    "/api/reports/{report_id}": [Opened(P.REPORT_SEE)],
    "/api/reports/{report_id}/export": [Opened(P.REPORT_EXPORT)],
    "/api/reports/{report_id}/notes": [Opened(P.REPORT_DISCUSS, "put", {"revision": 0})],
    # Whose it is: tests/assessments/test_assessments_api.py
    "/api/assessments": [Opened(OWN)],
    "/api/assessments/{assessment_id}": [
        Opened(P.SELF_ASSESSMENT_SEE),
        Opened(P.SELF_ASSESSMENT_FILL_IN, "patch", {"answers": []}),
    ],
    "/api/assessments/{assessment_id}/start": [Opened(P.SELF_ASSESSMENT_FILL_IN, "post")],
    "/api/assessments/{assessment_id}/submit": [Opened(P.SELF_ASSESSMENT_FILL_IN, "post")],
    "/api/assessments/{assessment_id}/reopen": [Opened(P.ASSESSMENT_REOPEN, "post", {"reason": ""})],
    "/api/policy-runs": [Opened(P.RUN_SEE), Opened(P.RUN_LAUNCH, "post", launch_body(hostName="no such host"))],
    "/api/policy-runs/{execution_id}": [Opened(P.RUN_SEE)],
    "/api/policy-runs/{execution_id}/results": [Opened(P.RUN_SEE)],
    "/api/policy-runs/{execution_id}/results/{policy_number}": [Opened(P.RUN_SCREENS)],
    "/api/policy-runs/{execution_id}/control": [Opened(P.RUN_CONTROL, "post", {"action": "pause"})],
}
SOCKETS = {"ws/policy-runs/<str:execution_id>/": P.RUN_SEE}  # who is let in: tests/policy_runs/test_sockets.py
SEEN_BY_THEMSELVES = {P.RUN_SCREENS, P.PLAN_MANAGE, P.ASSESSMENT_REOPEN}
SCREENS = ("changelist", "add", "suggestions", "history", "delete", "change", "rows")


def routes(resolver: Any = None, before: str = "") -> Any:
    for pattern in (resolver or get_resolver()).url_patterns:
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern, before + str(pattern.pattern))
        else:
            yield before + str(pattern.pattern), pattern


def is_the_admins(route: str) -> bool:
    return route.startswith("admin/")


def test_every_page_is_in_the_table() -> None:
    found = {route for route, _ in routes() if not is_the_admins(route)}
    operations = {re.sub(r"\{(\w+)\}", r"<\1>", path[1:]) for path in OPERATIONS}
    assert found == set(PAGES) | operations


def test_every_operation_of_the_api_is_in_the_table() -> None:
    found = {(path, method) for path, methods in openapi()["paths"].items() for method in methods}
    assert found == {(path, one.method) for path, opened in OPERATIONS.items() for one in opened}


def test_every_socket_is_in_the_table() -> None:
    assert {str(pattern.pattern) for pattern in websocket_urlpatterns} == set(SOCKETS)


def test_every_screen_of_the_back_office_belongs_to_an_admin_that_says_who_may_see_it() -> None:
    names = {f"{model._meta.app_label}_{model._meta.model_name}" for model in console._registry}
    known = {f"{name}_{screen}" for name in names for screen in SCREENS} | {"index", "app_list", "resume", None}
    known |= {f"accounts_user_{deed}" for deed in UserAdmin.deeds}
    assert set(UserAdmin.deeds.values()) <= set(RULES)
    assert {pattern.name for route, pattern in routes() if is_the_admins(route)} <= known
    for admin in console._registry.values():
        actions = {getattr(type(admin), name).row_action.permission for name in admin.row_actions}  # type: ignore[attr-defined]
        declared = {admin.sees, admin.changes, admin.sees_history, admin.exports, *actions} - {None}  # type: ignore[attr-defined]
        assert admin.sees in RULES, admin  # type: ignore[attr-defined]
        assert declared <= set(RULES), admin


ASKED = [
    pytest.param(re.sub(r"<(\w+:)?(\w+)>|\{(\w+)\}", r"{\2\3}", path), one, id=f"{one.method} {path or 'home'}")
    for path, opened in {**{f"/{path}": opened for path, opened in PAGES.items()}, **OPERATIONS}.items()
    for one in opened
]


def asked(client: Any, path: str, opened: Opened, ids: Any) -> Any:
    if opened.method == "get":
        return client.get(path)
    given = (opened.sends or {}).items()
    sends = {name: value.format(**ids) if isinstance(value, str) else value for name, value in given}
    if path.startswith("/api/"):
        content = b"" if opened.sends is None else orjson.dumps(sends)
        return getattr(client, opened.method)(path, content, content_type="application/json")
    return client.post(path, sends)


@pytest.mark.parametrize(("path", "opened"), ASKED)
def test_an_address_opens_to_whom_it_is_for_and_to_nobody_else(store, run, path, opened) -> None:
    somebody = team_member(store)
    team = team_of(store, manager(store), somebody)
    ladder = active_ladder(store)
    plan = plan_of(store, team, ladder)
    own = assessment_id(plan.plan_id, somebody.user_id, AssessmentType.SELF)
    past = plan_of(store, team, ladder, season="2025-Q4", status=PlanStatus.COMPLETED)
    report = reported(store, past, somebody.user_id, team=team, ladder=ladder, own=(6, 4, 2), by_manager=(3, 4, 3))
    about = concerning(team, report)
    things = {"team": team, "plan": team, "self_assessment": about, "assessment": about, "report": about}
    ids = {
        "execution_id": run.execution_id,
        "policy_number": "ABC123DEF",
        "token": "no-token-of-ours",
        "user_id": somebody.user_id,
        "team_id": team.team_id,
        "plan_id": plan.plan_id,
        "config_id": ladder.config_id,
        "assessment_id": own,
        "report_id": report.report_id,
    }
    address = path.format(**ids)
    kind = "" if isinstance(opened.to, frozenset) else opened.to.partition(".")[0]
    thing = things.get(kind, run)
    for role in (None, *Role):
        user = member(store, role) if role else None
        before = Executions(store).get(run.execution_id, consistent=True)
        answer = asked(browser(user), address, opened, ids)
        leads_to_sign_in = answer.status_code == 302 and answer.url.startswith("/account/sign-in/?next")
        if opened.to == PUBLIC:
            assert answer.status_code == (opened.told or 200) or (user and answer.url == "/")
        elif user is None:
            signs_in = answer.status_code == 302 and answer.url.startswith("/account/sign-in/")
            is_operation = path.startswith("/api/") and path != "/api/openapi.json"
            assert answer.status_code == 401 if is_operation else signs_in or leads_to_sign_in
        elif isinstance(opened.to, frozenset):
            assert answer.status_code == (200 if role in opened.to else 404), role
        elif opened.to == OWN or allowed(user, opened.to, thing):
            assert answer.status_code in {200, 201, 202, 204, 302, 409, 422}, role
            assert not leads_to_sign_in
        elif answer.status_code == opened.told:
            assert allowed(user, P.RUN_SEE, run), role
            assert Executions(store).get(run.execution_id, consistent=True) == before
        else:
            seen = f"{kind}.see"
            hidden = opened.to in {seen, P.RUN_SCREENS, P.PLAN_MANAGE, P.ASSESSMENT_REOPEN} or not allowed(
                user, seen, thing
            )
            assert answer.status_code == (404 if hidden else 403), role


@pytest.mark.parametrize("route", [route for route, _ in routes() if is_the_admins(route)])
def test_the_back_office_does_not_exist_for_who_has_no_part_in_it(store, route) -> None:
    address = "/" + re.sub(r"<[^>]+>", "x", route).replace("(?P<url>.*)$", "x").replace("^", "")
    address = re.sub(r"\(\?P.*\)/\$", "accounts/", address)
    nobody = browser(None).get(address)
    if route.endswith(("suggestions/", "resume/")):  # for scripts, which cannot sign in; for a form kept over it
        assert nobody.status_code == 404
    else:
        assert (nobody.status_code, nobody.url.partition("?")[0]) == (302, "/account/sign-in/")
    for role in set(Role) - {Role.ADMIN, Role.SUPPORT, Role.VIEWER}:
        for method in ("get", "post"):
            assert getattr(browser(member(store, role)), method)(address).status_code == 404, role


def test_the_page_of_the_documentation_is_the_table() -> None:
    assert (ROOT / "docs" / "permissions.md").read_text() == page() + "\n"
