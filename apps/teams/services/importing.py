"""Teams out of a spreadsheet: first what would be done, then exactly that.

A plan is made from what is stored at that moment, shown, and carried out later, team by team through the services that
the pages call. What is done stays done: a plan that broke off can be carried out again, and does the rest.
"""

import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby

from pydantic import BaseModel, ConfigDict, Field

from apps.accounts.entities import User, folded
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor
from apps.errors import Conflict, Invalid
from apps.spreadsheets import Finding
from apps.storage.errors import AlreadyExists, StaleVersion
from apps.teams.entities import MOST_MEMBERS, Team
from apps.teams.services._rules import changed, why_no_manager, why_no_member
from apps.teams.services.members import add_members
from apps.teams.services.teams import change_team, create_team
from apps.teams.stores import Stores
from apps.teams.team_sheet import MembershipRow


class PlannedTeam(BaseModel):
    """A team to make, or one that is there (`is_new` says which), and who is added to it.

    `description` is None where it stays as it is. `manager_name` and `member_names` are for the eye, and not sent back.
    """

    model_config = ConfigDict(frozen=True)

    team_id: str
    team_name: str
    is_new: bool
    manager_id: str
    description: str | None = None
    before_description: str = ""
    member_ids: tuple[str, ...] = ()
    manager_name: str = Field(default="", exclude=True)
    member_names: tuple[str, ...] = Field(default=(), exclude=True)


class TeamsPlan(BaseModel):
    """Teams with something to do, how many others are left as they are, and how many memberships are there already."""

    model_config = ConfigDict(frozen=True)

    teams: tuple[PlannedTeam, ...] = ()
    left: int = 0
    members_left: int = 0

    @property
    def new_teams(self) -> int:
        """How many teams are made."""
        return sum(team.is_new for team in self.teams)

    @property
    def new_members(self) -> int:
        """How many memberships are made."""
        return sum(len(team.member_ids) for team in self.teams)

    @property
    def descriptions(self) -> int:
        """How many teams that are there get another description."""
        return sum(team.description is not None and not team.is_new for team in self.teams)


@dataclass(frozen=True, slots=True, kw_only=True)
class TeamsImported:
    """How many teams and memberships were made and descriptions changed now; what was left out and why."""

    teams: int = 0
    members: int = 0
    descriptions: int = 0
    left_out: Sequence[str] = field(default_factory=tuple)


def plan_teams(stores: Stores, rows: Sequence[MembershipRow]) -> tuple[TeamsPlan, list[Finding]]:
    """What these rows would do to the teams that are there now, and which of them cannot be done at all.

    A team is known by its manager and its name. Nobody is ever taken out of a team, and no team is given away.
    """
    people = stores.users.by_emails({email for row in rows for email in (row.manager_email, row.member_email) if email})
    ordered = sorted(rows, key=lambda row: (*_team_key(row), row.line))
    groups = [list(group) for _, group in groupby(ordered, key=_team_key)]
    managers = {row.manager_email: people.get(row.manager_email) for row in rows}
    known = stores.teams.named(
        (manager.user_id, group[0].team_name)
        for group in groups
        if (manager := managers[group[0].manager_email]) is not None
    )
    findings: list[Finding] = []
    planned: list[PlannedTeam] = []
    left = members_left = 0
    for group in groups:
        manager = managers[group[0].manager_email]
        if manager is None or (why := why_no_manager(manager)):
            told = _as_said(why) if manager is not None else "nobody here has this e-mail address"
            findings += [Finding(row.line, row.manager_email, told) for row in group]
            continue
        team = known.get((manager.user_id, folded(group[0].team_name)))
        one, there = _planned(group, team=team, manager=manager, people=people, findings=findings)
        members_left += there
        if one.is_new or one.member_ids or one.description is not None:
            planned.append(one)
        else:
            left += 1
    planned.sort(key=lambda one: (folded(one.team_name), one.manager_name))
    findings.sort(key=lambda finding: finding.line)
    return TeamsPlan(teams=tuple(planned), left=left, members_left=members_left), findings


def import_teams(
    stores: Stores,
    *,
    plan: TeamsPlan,
    by: User,
    actor: Actor,
    now: datetime,
    followed: Callable[[str], None],
) -> TeamsImported:
    """Carry out a plan; `followed` is told each team whose members changed.

    Raises `NotFound` and `Forbidden`; a team that cannot be made or filled as it was shown is left out and named.
    """
    require(by, Permission.TEAM_CREATE)
    teams = members = descriptions = 0
    left_out: list[str] = []
    for planned in plan.teams:
        try:
            team, is_made = _team_of(stores, planned, by=by, actor=actor, now=now)
            teams += is_made
            before = team
            if planned.description is not None and team.description != planned.description:
                if not is_made and team.description != planned.before_description:
                    raise _changed_meanwhile()
                after = changed(team, description=planned.description)
                team = change_team(stores, before=team, after=after, by=by, actor=actor, now=now)
                descriptions += 1
            if planned.member_ids:
                team = add_members(
                    stores, team_id=team.team_id, user_ids=planned.member_ids, by=by, actor=actor, now=now
                )
                members += len(team.member_ids.intersection(planned.member_ids) - before.member_ids)
                followed(team.team_id)
        except (Conflict, Invalid) as error:
            left_out.append(f"{planned.team_name}: {error.public_message}")
    return TeamsImported(teams=teams, members=members, descriptions=descriptions, left_out=left_out)


def _planned(
    group: Sequence[MembershipRow],
    *,
    team: Team | None,
    manager: User,
    people: Mapping[str, User],
    findings: list[Finding],
) -> tuple[PlannedTeam, int]:
    """What is to be done to one team, and how many of its rows name members that it has already."""
    first = group[0]
    if team is not None and not team.is_active:
        told = "this team is deactivated; reactivate it first, or take its lines out"
        findings.append(Finding(first.line, first.team_name, told))
    new: dict[str, User] = {}
    there = set()
    for row in group:
        if not row.member_email:
            continue
        user = people.get(row.member_email)
        if user is None:
            findings.append(Finding(row.line, row.member_email, "nobody here has this e-mail address"))
        elif team is not None and user.user_id in team.member_ids:
            there.add(user.user_id)
        elif why := why_no_member(user, manager_id=manager.user_id):
            findings.append(Finding(row.line, row.member_email, _as_said(why)))
        else:
            new[user.user_id] = user
    if len(new) + (len(team.member_ids) if team is not None else 0) > MOST_MEMBERS:
        findings.append(Finding(first.line, first.team_name, f"a team has at most {MOST_MEMBERS} members"))
    planned = PlannedTeam(
        team_id=team.team_id if team is not None else str(uuid.uuid4()),
        team_name=team.team_name if team is not None else first.team_name,
        is_new=team is None,
        manager_id=manager.user_id,
        description=_description(group, team, findings),
        before_description=team.description if team is not None else "",
        member_ids=tuple(new),
        manager_name=manager.name,
        member_names=tuple(sorted(user.name for user in new.values())),
    )
    return planned, len(there)


def _description(group: Sequence[MembershipRow], team: Team | None, findings: list[Finding]) -> str | None:
    """The description that the file gives the team; None where it says none, or the one that is there."""
    given = [row for row in group if row.description]
    findings += [
        Finding(row.line, row.team_name, f"line {given[0].line} describes this team otherwise")
        for row in given
        if row.description != given[0].description
    ]
    if not given or (team is not None and team.description == given[0].description):
        return None
    return given[0].description


def _team_of(stores: Stores, planned: PlannedTeam, *, by: User, actor: Actor, now: datetime) -> tuple[Team, bool]:
    """The team as it is now, and whether it was made just now. Raises `Conflict` and `Invalid`."""
    team = stores.teams.find(planned.team_id, consistent=True)
    if team is None and planned.is_new:
        try:
            made = create_team(
                stores,
                team_id=planned.team_id,
                team_name=planned.team_name,
                description=planned.description or "",
                manager_id=planned.manager_id,
                by=by,
                actor=actor,
                now=now,
            )
        except AlreadyExists:  # the same plan is carried out twice at once
            team = stores.teams.get(planned.team_id, consistent=True)
        else:
            return made, True
    if team is None or team.manager_id != planned.manager_id:
        raise _changed_meanwhile()
    return team, False


def _changed_meanwhile() -> StaleVersion:
    return StaleVersion("This team was changed by somebody else meanwhile. Import the file again.")


def _team_key(row: MembershipRow) -> tuple[str, str]:
    return row.manager_email, folded(row.team_name)


def _as_said(sentence: str) -> str:
    return sentence.rstrip(".")
