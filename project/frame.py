"""What every page's frame shows: the sections this person may use, and the theme."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.entities import Role, User
from apps.accounts.permissions import Permission, allowed
from apps.assessments.access import MAY_HAVE_ASSESSMENTS
from apps.assessments.services.managed import PLANNERS
from apps.teams.access import MAY_HAVE_TEAMS
from project.console import ADMINS

THEMES = ("auto", "light", "dark")

# name, URL name, icon, whom it is shown to: who has this permission, or one of these roles where the permission depends
# on the thing (None: everybody who is signed in)
SECTIONS: tuple[tuple[str, str, str, Permission | frozenset[Role] | None], ...] = (
    ("Home", "home", "home", None),
    ("Assessments", "assessments:list", "assessments", MAY_HAVE_ASSESSMENTS),
    ("Teams", "teams:list", "teams", MAY_HAVE_TEAMS),
    ("Plans", "plans:list", "plans", PLANNERS),
    ("Reports", "reports:list", "reports", MAY_HAVE_TEAMS),
    ("Career ladder", "ladders:list", "ladder", Permission.LADDER_SEE),
    ("Policy runs", "policy_runs:list", "runs", Permission.RUN_SEE),
    ("People", "people:list", "people", Permission.USERS_SEE),
    ("Audit log", "trail:entries", "audit", Permission.AUDIT_SEE),
)
BACK_OFFICE: tuple[str, str, str, None] = ("Back office", "admin:index", "section", None)


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context for `templates/rungs/base.html`: `sections`, `theme`, and `time_zone` where the person chose one."""
    user = getattr(request, "user", None)
    sections = []
    if user is not None and user.is_authenticated:
        has_office = user.is_staff and any(allowed(user, admin.sees) for admin in ADMINS)
        for name, url_name, icon, shown_to in (*SECTIONS, *([BACK_OFFICE] if has_office else [])):
            if is_shown(user, shown_to):
                url = reverse(url_name)
                current = request.path == url if url == "/" else request.path.startswith(url)
                sections.append({"name": name, "url": url, "icon": icon, "current": current})
    return {"sections": sections, "theme": theme_of(request), "time_zone": getattr(user, "time_zone", "")}


def is_shown(user: User, shown_to: Permission | frozenset[Role] | None) -> bool:
    """Whether a section is for this user."""
    if shown_to is None:
        return True
    if isinstance(shown_to, Permission):
        return allowed(user, shown_to)
    return user.is_active and not user.roles.isdisjoint(shown_to)


def theme_of(request: HttpRequest) -> str:
    """The theme that this browser's cookie asks for."""
    theme = request.COOKIES.get("theme", "auto")
    return theme if theme in THEMES else "auto"
