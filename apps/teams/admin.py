"""Teams and who is in them, in the back office: for administrators, through the services that the pages call."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.admin import UserAdmin
from apps.accounts.entities import folded
from apps.accounts.middleware import done_by
from apps.accounts.permissions import Permission
from apps.console.entity_admin import EntityAdmin
from apps.console.forms.inlines import Inline
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Exactly, YesNo
from apps.console.lists.listings import Listing
from apps.errors import Forbidden
from apps.storage.conditions import Query
from apps.teams import services
from apps.teams.entities import Team, TeamMembership
from apps.teams.repository import Memberships, Teams
from apps.teams.wiring import after_change, default_stores


class TeamAdmin(EntityAdmin[Team]):
    """All teams, by name. None is deleted: what was assessed in it would lose its footing."""

    repository = Teams
    sees = Permission.ORGANISATION_SEE
    changes = Permission.TEAM_DELETE
    sees_history = Permission.AUDIT_SEE
    about = "Who works together, and who leads them."
    listings = (
        Listing(index="directory-index", partition="teams", folded=folded, sorts="team_name"),
        Listing(index="managerId-index", by=("manager_id",)),
    )
    filters = (Exactly("manager_id", label="Manager"), YesNo("is_active"))
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"manager_id": UserAdmin}
    labels: ClassVar[Mapping[str, str]] = {
        "team_id": "id",
        "team_name": "name",
        "manager_id": "manager",
        "member_count": "members",
        "is_active": "active",
    }
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {"team_id": lambda: str(uuid.uuid4())}
    search_fields = ("team_name",)
    search_help_text = "Beginning of the name"
    list_display = ("team_name", "manager_id", "member_count", "is_active")
    fields = (
        *("team_name", "manager_id", "description", "is_active"),
        *("member_count", "created_at", "created_by", "updated_at", "team_id"),
    )
    readonly_fields = ("member_count", "created_at", "created_by", "updated_at")
    row_actions = ("deactivate", "reactivate")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: teams are deactivated."""
        del request, obj
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Of a new team, which is active, what can be said of it."""
        return super().get_fields(request, obj) if obj is not None else ["team_name", "manager_id", "description"]

    def create(self, request: HttpRequest, entity: Team) -> Team:
        """Make a team."""
        return services.create_team(
            default_stores(),
            team_id=entity.team_id,
            team_name=entity.team_name,
            description=entity.description,
            manager_id=entity.manager_id,
            **done_by(request),
        )

    def change(self, request: HttpRequest, *, before: Team, after: Team) -> Team:
        """Change a team, and let those follow who must."""
        done = done_by(request)
        stored = services.change_team(default_stores(), before=before, after=after, **done)
        if stored.unsettled:
            after_change(stored.team_id, now=done["now"])
        return stored

    def remove(self, request: HttpRequest, entity: Team) -> None:
        """Raise `Forbidden`: teams are deactivated."""
        del request, entity
        raise Forbidden("Teams are not deleted. Deactivate them: then nobody is added and no plan begun any more.")

    @row_action(
        "Deactivate …",
        permission=Permission.TEAM_DELETE,
        done="deactivated",
        confirm="Nobody can be added to them any more, and no plan begun. Members and what was assessed stay.",
    )
    def deactivate(self, request: HttpRequest, entity: Team, data: Mapping[str, Any]) -> None:
        """Put the team away."""
        del data
        services.deactivate_team(default_stores(), team_id=entity.team_id, **done_by(request))

    @row_action("Reactivate", permission=Permission.TEAM_DELETE, done="reactivated")
    def reactivate(self, request: HttpRequest, entity: Team, data: Mapping[str, Any]) -> None:
        """Take the team out again."""
        del data
        done = done_by(request)
        services.reactivate_team(default_stores(), team_id=entity.team_id, **done)
        after_change(entity.team_id, now=done["now"])

    def site_page(self, request: HttpRequest, entity: Team) -> str:
        """The team's own page."""
        del request
        return reverse("teams:team", args=[entity.team_id])


class MembershipAdmin(EntityAdmin[TeamMembership]):
    """Who is in which team: by team or by person."""

    repository = Memberships
    sees = Permission.ORGANISATION_SEE
    changes = Permission.TEAM_DELETE
    about = "Who is in which team, by team or by person."
    asks_first = "Choose a team or a person: memberships are read by one of them."
    listings = (
        Listing(by=("team_id",)),
        Listing(index="userId-index", by=("user_id",)),
    )
    filters = (Exactly("team_id", label="Team"), Exactly("user_id", label="Person"))
    related: ClassVar[Mapping[str, type[EntityAdmin[Any]]]] = {"team_id": TeamAdmin, "user_id": UserAdmin}
    labels: ClassVar[Mapping[str, str]] = {
        "team_id": "team",
        "user_id": "person",
        "created_at": "since",
        "created_by": "added by",
    }
    list_display = ("user_id", "team_id", "created_at")
    fields = ("team_id", "user_id", "created_at", "created_by")
    readonly_fields = ("created_at", "created_by")

    def create(self, request: HttpRequest, entity: TeamMembership) -> TeamMembership:
        """Put somebody into a team."""
        done, stores = done_by(request), default_stores()
        services.add_members(stores, team_id=entity.team_id, user_ids=[entity.user_id], **done)
        after_change(entity.team_id, now=done["now"])
        return stores.memberships.get((entity.team_id, entity.user_id), consistent=True)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Of one that is there, nobody: a membership is added or removed."""
        return obj is None and super().has_change_permission(request)

    def change(self, request: HttpRequest, *, before: TeamMembership, after: TeamMembership) -> TeamMembership:
        """Raise `Forbidden`: there is nothing to change."""
        del request, before, after
        raise Forbidden("A membership is not changed. Remove it, and add another one.")

    def remove(self, request: HttpRequest, entity: TeamMembership) -> None:
        """Take somebody out of a team."""
        done = done_by(request)
        services.remove_members(default_stores(), team_id=entity.team_id, user_ids=[entity.user_id], **done)
        after_change(entity.team_id, now=done["now"])


class MembersOfTeam(Inline):
    """The first members of a team."""

    admin = MembershipAdmin
    title = "Members"
    columns = ("user_id", "created_at")

    def query(self, parent: Team) -> Query:
        """By the table's own key."""
        return Query(partition=parent.team_id)

    def given(self, parent: Team) -> Mapping[str, Any]:
        """The team."""
        return {"team_id": parent.team_id}

    def all_address(self, request: HttpRequest, parent: Team) -> str:
        """The list of them."""
        del request
        return f"{reverse('admin:teams_teammembership_changelist')}?{urlencode({'team_id': parent.team_id})}"


TeamAdmin.children = (MembersOfTeam,)  # which stands on the screens of memberships, and these on those of teams
