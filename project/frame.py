"""What every page's frame shows: the sections this person may use, and the theme."""

from typing import Any

from django.http import HttpRequest
from django.urls import reverse

from apps.accounts.permissions import allowed

THEMES = ("auto", "light", "dark")

# name, URL name, icon, permissions of which one is needed (none: for everybody who is signed in)
SECTIONS = (
    ("Home", "home", "home", ()),
    ("Policy runs", "policy_runs:list", "runs", ("run.see_own", "run.see_any")),
    ("Audit log", "trail:entries", "audit", ("audit.see",)),
)
BACK_OFFICE = ("Back office", "admin:index", "section", ())


def frame(request: HttpRequest) -> dict[str, Any]:
    """Context for `templates/rungs/base.html`: `sections` and `theme`."""
    user = getattr(request, "user", None)
    sections = []
    if user is not None and user.is_authenticated:
        for name, url_name, icon, permissions in (*SECTIONS, *([BACK_OFFICE] if user.is_staff else [])):
            if not permissions or any(allowed(user, permission) for permission in permissions):
                url = reverse(url_name)
                current = request.path == url if url == "/" else request.path.startswith(url)
                sections.append({"name": name, "url": url, "icon": icon, "current": current})
    return {"sections": sections, "theme": theme_of(request)}


def theme_of(request: HttpRequest) -> str:
    """The theme that this browser's cookie asks for."""
    theme = request.COOKIES.get("theme", "auto")
    return theme if theme in THEMES else "auto"
