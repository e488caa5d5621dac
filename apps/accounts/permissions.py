"""Who may do what: one table, asked by pages, API, sockets, services and the back office alike."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from apps.accounts.entities import Anonymous, User
from apps.accounts.who import (
    Who,
    about_them,
    admin,
    analyst,
    everybody,
    manager,
    of_their_team,
    operator,
    own,
    shared,
    shop_operator,
    support,
    team_member,
    they_belong_to,
    viewer,
)
from apps.errors import Forbidden, NotFound


class Permission(StrEnum):
    """Something that can be done to some kind of thing, as `kind.verb`; `kind.see` is knowing of it at all."""

    TEAM_SEE = "team.see"
    TEAM_CREATE = "team.create"
    TEAM_EDIT = "team.edit"
    TEAM_DELETE = "team.delete"
    PLAN_MANAGE = "plan.manage"
    SELF_ASSESSMENT_FILL_IN = "self_assessment.fill_in"
    SELF_ASSESSMENT_SEE = "self_assessment.see"
    MANAGER_ASSESSMENT_FILL_IN = "manager_assessment.fill_in"
    MANAGER_ASSESSMENT_SEE = "manager_assessment.see"
    ASSESSMENT_REOPEN = "assessment.reopen"
    REPORT_SEE = "report.see"
    REPORT_EXPORT = "report.export"
    REPORT_DISCUSS = "report.discuss"
    ORGANISATION_SEE = "organisation.see"
    LADDER_SEE = "ladder.see"
    LADDER_CHANGE = "ladder.change"
    USERS_ROLES = "users.roles"

    RUN_LAUNCH = "run.launch"
    RUN_SEE = "run.see"
    RUN_CONTROL = "run.control"
    RUN_SCREENS = "run.screens"
    HOSTS_SEE = "hosts.see"
    HOSTS_CHANGE = "hosts.change"
    SHOPS_SEE = "shops.see"
    SHOPS_CHANGE = "shops.change"
    REQUIREMENTS_SEE = "requirements.see"
    REQUIREMENTS_CHANGE = "requirements.change"
    WAITLIST_SEE = "waitlist.see"
    WAITLIST_CHANGE = "waitlist.change"
    USERS_SEE = "users.see"
    USERS_CHANGE = "users.change"
    USERS_UNLOCK = "users.unlock"
    USERS_INVITE = "users.invite"
    TABLES_SEE = "tables.see"
    TABLES_CHANGE = "tables.change"
    AUDIT_SEE = "audit.see"


_P = Permission
_team_manager: Final = manager & of_their_team
_the_member: Final = team_member & about_them

RULES: Final[Mapping[str, Who]] = {
    # Assessments. Of a plan, an assessment or a report the thing to ask about has the team's `manager_id` beside its
    # own `team_member_id`. That the member reads the manager's assessment in the report is the report's permission.
    _P.TEAM_SEE: admin | _team_manager | (team_member & they_belong_to),
    _P.TEAM_CREATE: admin,
    _P.TEAM_EDIT: admin | _team_manager,
    _P.TEAM_DELETE: admin,  # deactivate, and give to another manager
    _P.PLAN_MANAGE: admin | _team_manager,  # create, activate, complete
    _P.SELF_ASSESSMENT_FILL_IN: _the_member,
    _P.SELF_ASSESSMENT_SEE: admin | _team_manager | _the_member,
    _P.MANAGER_ASSESSMENT_FILL_IN: _team_manager,
    _P.MANAGER_ASSESSMENT_SEE: admin | _team_manager,
    _P.ASSESSMENT_REOPEN: admin,
    _P.REPORT_SEE: admin | _team_manager | _the_member,
    _P.REPORT_EXPORT: admin | _team_manager,
    _P.REPORT_DISCUSS: _team_manager,  # notes and next steps after the meeting
    _P.ORGANISATION_SEE: admin,  # all teams in one view
    _P.LADDER_SEE: everybody,
    _P.LADDER_CHANGE: admin,  # upload, activate
    _P.USERS_ROLES: admin,
    # The rest.
    _P.RUN_LAUNCH: admin | operator,
    _P.RUN_SEE: admin | operator | support,
    _P.RUN_CONTROL: admin | (operator & own),
    _P.RUN_SCREENS: admin | (operator & (own | shared)),  # and the data read off them; who looks is recorded
    _P.HOSTS_SEE: admin | operator | support,  # and the AST registry
    _P.HOSTS_CHANGE: admin,
    _P.SHOPS_SEE: admin | shop_operator | support | viewer,  # and jobs, imports
    _P.SHOPS_CHANGE: admin | shop_operator,
    _P.REQUIREMENTS_SEE: admin | (analyst & (own | shared)) | (viewer & shared),
    _P.REQUIREMENTS_CHANGE: admin | (analyst & (own | shared)),
    _P.WAITLIST_SEE: admin | support | viewer,
    _P.WAITLIST_CHANGE: admin | support,
    _P.USERS_SEE: admin | support,
    _P.USERS_CHANGE: admin,
    _P.USERS_UNLOCK: admin | support,
    _P.USERS_INVITE: admin | support,
    _P.TABLES_SEE: admin | support,  # and costs
    _P.TABLES_CHANGE: admin,
    _P.AUDIT_SEE: admin,
}

# Where seeing is not called after the kind. Screens are themselves something to see: to see the run is not enough.
_SEEN_BY: Final[Mapping[str, str]] = {
    _P.ASSESSMENT_REOPEN: _P.MANAGER_ASSESSMENT_SEE,
    _P.RUN_SCREENS: _P.RUN_SCREENS,
}


def allowed(user: User | Anonymous, permission: str, thing: Any = None) -> bool:
    """Whether this user may do it to this thing; without a thing only what they may do to any.

    Raises `KeyError` for a permission that is not in the table, and `AttributeError` where the thing has not what the
    rule asks of it: both are bugs.
    """
    who = RULES[permission]
    return user.is_active and who.among(
        user.roles, lambda relation: thing is not None and relation.holds(user.user_id, thing)
    )


def require(user: User | Anonymous, permission: str, thing: Any = None) -> None:
    """Raise `Forbidden` where the user may see such a thing but not do this, `NotFound` where not even that."""
    if allowed(user, permission, thing):
        return
    seeing = _SEEN_BY.get(permission, f"{permission.partition('.')[0]}.see")
    if seeing in RULES and allowed(user, seeing, thing):
        raise Forbidden("You may see this, but your role does not allow you to do this. Ask an administrator.")
    raise NotFound("There is no such page, or you may not see it.")
