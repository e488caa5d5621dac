"""The pages of the career ladder."""

from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import permission_required
from apps.accounts.middleware import address_of, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.accounts.wiring import users
from apps.errors import Conflict, Invalid
from apps.ladders.access import beside_active, version_of
from apps.ladders.errors import InvalidLadder
from apps.ladders.forms import SHAPE, NewLadderForm, check_of, problems_of
from apps.ladders.ladder import Ladder
from apps.ladders.parsing import MOST_BYTES
from apps.ladders.services import activate_ladder, next_version, upload_ladder
from apps.ladders.showing import in_words, shown, with_uploaders
from apps.ladders.wiring import default_stores

UNPROCESSABLE = 422


@never_cache
@permission_required(Permission.LADDER_SEE)
@require_GET
def active_ladder(request: HttpRequest) -> HttpResponse:
    """The active ladder, for everybody."""
    version = default_stores().ladders.active()
    context: dict[str, Any] = {
        "version": version,
        "may_change": allowed(signed_in_user(request), Permission.LADDER_CHANGE),
    }
    if version is not None:
        context |= _shown(request, version.ladder)
    return render(request, "ladders/active.html", context)


@never_cache
@permission_required(Permission.LADDER_SEE)
@require_GET
def versions(request: HttpRequest) -> HttpResponse:
    """All versions, newest first."""
    page = default_stores().ladders.listed(cursor=request.GET.get("cursor") or None)
    context = {
        "versions": with_uploaders(page.items, users()),
        "next_cursor": page.next,
        "previous_cursor": page.previous,
        "may_change": allowed(signed_in_user(request), Permission.LADDER_CHANGE),
    }
    return render(request, "ladders/versions.html", context)


@never_cache
@permission_required(Permission.LADDER_SEE)
@require_GET
def version_page(request: HttpRequest, config_id: str) -> HttpResponse:
    """One version, and what activating it would change."""
    found = beside_active(default_stores(), config_id)
    difference = found.difference
    (uploaded,) = with_uploaders([found.version], users())
    context = {
        "version": found.version,
        "active": found.active,
        "is_active": found.is_active,
        "uploader": uploaded.uploader,
        "difference": difference,
        "changes_in_words": in_words(difference) if difference else "",
        "may_change": allowed(signed_in_user(request), Permission.LADDER_CHANGE),
        **_shown(request, found.version.ladder),
    }
    return render(request, "ladders/version.html", context)


@never_cache
@permission_required(Permission.LADDER_SEE)
@require_GET
def download(request: HttpRequest, config_id: str) -> HttpResponse:
    """The version as it was written."""
    del request
    version = version_of(default_stores(), config_id)
    return HttpResponse(
        version.config_content,
        content_type="text/markdown; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="ladder-{version.ladder_version}.md"'},
    )


@never_cache
@permission_required(Permission.LADDER_CHANGE)
@require_http_methods(["GET", "POST"])
def new_ladder(request: HttpRequest) -> HttpResponse:
    """The form of a new version, and its upload."""
    if request.method == "GET":
        return _blank_form(request)
    form = NewLadderForm(request.POST, request.FILES)
    check = None
    if form.is_valid():
        try:
            version = upload_ladder(
                default_stores(),
                content=form.cleaned_data["given"],
                ladder_version=form.cleaned_data["ladder_version"],
                note=form.cleaned_data["note"],
                actor=signed_in_user(request),
                now=datetime.now(UTC),
                address=address_of(request),
            )
        except (Invalid, Conflict) as error:
            check = problems_of(error) if isinstance(error, InvalidLadder) else None
            form.add_error(error.field if error.field in form.fields else None, error.public_message)
        else:
            told = f"Version {version} is stored. It is not active yet: look through it, then activate it."
            messages.success(request, told)
            return redirect("ladders:version", version.config_id)
    check = check or check_of(form.cleaned_data.get("given", ""), None)
    form.keep_file()
    return _form_page(request, form, check, status=UNPROCESSABLE)


def _blank_form(request: HttpRequest) -> HttpResponse:
    """An empty form, or one that begins with the active ladder (`?from=active`); it suggests a version not yet used."""
    ladders = default_stores().ladders
    active = ladders.active()
    newest = max((*ladders.listed().items, *([active] if active else [])), key=lambda one: one.order, default=None)
    begins = active.config_content if active is not None and request.GET.get("from") == "active" else ""
    form = NewLadderForm(initial={"ladder_version": next_version(newest), "content": begins})
    return _form_page(request, form, check_of(begins, None))


def _form_page(request: HttpRequest, form: NewLadderForm, check: Any, *, status: int = 200) -> HttpResponse:
    context = {"form": form, "check": check, "shape": SHAPE, "most_kilobytes": MOST_BYTES // 1024}
    return render(request, "ladders/new.html", context, status=status)


@never_cache
@permission_required(Permission.LADDER_CHANGE)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """The ladder as written so far: what is wrong in which line, or what it says."""
    found = check_of(request.POST.get("content", ""), request.FILES.get("ladder_file"))
    return render(request, "ladders/_check.html", {"check": found})


@never_cache
@permission_required(Permission.LADDER_CHANGE)
@require_POST
def activate(request: HttpRequest, config_id: str) -> HttpResponse:
    """Put a version into force, if the one that was shown as active still is; back to the version if not."""
    try:
        version = activate_ladder(
            default_stores(),
            config_id=config_id,
            replaces=request.POST.get("replaces", ""),
            actor=signed_in_user(request),
            now=datetime.now(UTC),
            address=address_of(request),
        )
    except Conflict as error:
        messages.error(request, error.public_message)
        return redirect("ladders:version", config_id)
    messages.success(
        request, f"Version {version} is active. Plans made from now on go by it; existing plans keep theirs."
    )
    return redirect("ladders:list")


def _shown(request: HttpRequest, ladder: Ladder) -> dict[str, Any]:
    levels = range(1, ladder.highest + 1)
    level = {str(number): number for number in levels}.get(request.GET.get("level", ""))
    return {"categories": shown(ladder, level=level), "level": level, "levels": levels}
