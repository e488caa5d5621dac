"""The pages of assessments: what waits, fill in, review, read."""

from datetime import UTC, datetime
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from apps.accounts.decorators import sign_in_required
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.assessments.entities import PlanStatus
from apps.assessments.errors import AssessmentLocked, Incomplete, InvalidAnswer
from apps.assessments.forms.answers import answers_in, as_typed, conclusion_in, number_in, with_conflicts
from apps.assessments.services.answering import GivenConclusion, Saved, save_answers
from apps.assessments.services.opening import Opened, opened
from apps.assessments.services.own_list import assessments_of
from apps.assessments.services.submitting import missing, reopen, submit
from apps.assessments.showing.assessments import (
    ShownCompetency,
    beside,
    categories_of,
    category_to_show,
    competencies_of,
    frame_of,
    neighbours,
    today,
)
from apps.assessments.wiring import default_stores
from apps.errors import Conflict, Invalid, NotFound
from apps.ladders.ladder import Category


@never_cache
@sign_in_required
@require_GET
def assessment_list(request: HttpRequest) -> HttpResponse:
    """What this person assesses: what waits for them, then what they have submitted."""
    user, now = signed_in_user(request), datetime.now(UTC)
    found = assessments_of(default_stores(), by=user, now=now)
    day = today(now)
    shown = [{"mine": mine, "is_overdue": mine.is_overdue(day)} for mine in found]
    context = {
        "waiting": [one for one, mine in zip(shown, found, strict=True) if not mine.assessment.is_submitted],
        "finished": [one for one, mine in zip(shown, found, strict=True) if mine.assessment.is_submitted],
        "user_id": user.user_id,
    }
    return render(request, "assessments/list.html", context)


@never_cache
@sign_in_required
@require_http_methods(["GET", "POST"])
def assessment_page(request: HttpRequest, assessment_id: str) -> HttpResponse:
    """One category to fill in; the whole of it, to be read, for whom it is not to fill in, or once it is locked."""
    found = opened(default_stores(), assessment_id=assessment_id, by=signed_in_user(request))
    if request.method == "POST":
        return _saved_page(request, found)
    if not _may_fill_in(request, found):
        return _reading_page(request, found)
    category = category_to_show(found.assessment, found.ladder, request.GET.get("category", ""))
    return _filling_page(request, found, category, competencies_of(category, found, by=signed_in_user(request)))


def _saved_page(request: HttpRequest, found: Opened) -> HttpResponse:
    user = signed_in_user(request)
    found.require_filling_in(user)
    category = found.ladder.category(request.POST.get("category", ""))
    if category is None:
        raise NotFound("There is no such category in this assessment.")
    given = answers_in(request.POST, category)
    shown = competencies_of(category, found, by=user)
    try:
        saved = save_answers(
            default_stores(),
            assessment_id=found.assessment.assessment_id,
            by=user,
            now=datetime.now(UTC),
            answers=given,
            resume_at=category.title,
        )
    except InvalidAnswer as refused:
        if not any("competency" in finding for finding in refused.details()):
            messages.error(request, refused.public_message)
        return _filling_page(request, found, category, as_typed(shown, given, refused), status=422)
    except AssessmentLocked as locked:
        messages.error(request, locked.public_message)
        return _filling_page(request, found, category, as_typed(shown, given), status=409)
    if not saved.is_all_saved:
        return _filling_page(request, found, category, with_conflicts(shown, given, saved), status=409)
    return _next_page(request, found, category)


def _next_page(request: HttpRequest, found: Opened, category: Category) -> HttpResponse:
    previous, following = neighbours(category, found.ladder)
    go = request.POST.get("go", "")
    target = {"previous": previous, "next": following}.get(go)
    if go == "review" or (go == "next" and following is None):
        return redirect("assessments:review", found.assessment.assessment_id)
    if target is None:
        messages.success(request, "Your answers are saved.")
    address = reverse("assessments:assessment", args=[found.assessment.assessment_id])
    return redirect(f"{address}?{urlencode({'category': (target or category).title})}")


def _filling_page(
    request: HttpRequest, found: Opened, category: Category, shown: list[ShownCompetency], *, status: int = 200
) -> HttpResponse:
    user = signed_in_user(request)
    previous, following = neighbours(category, found.ladder)
    context = {
        **frame_of(found, by=user, now=datetime.now(UTC)),
        "user_id": user.user_id,
        "category": category,
        "categories": categories_of(found.assessment, found.ladder, category),
        "competencies": shown,
        "has_beside": beside(found, by=user) is not None,
        "previous": previous,
        "following": following,
    }
    return render(request, "assessments/fill_in.html", context, status=status)


def _reading_page(
    request: HttpRequest, found: Opened, *, reason: str = "", error: str = "", status: int = 200
) -> HttpResponse:
    user = signed_in_user(request)
    is_reopenable = found.assessment.is_submitted and found.plan.status is PlanStatus.ACTIVE
    context = {
        **frame_of(found, by=user, now=datetime.now(UTC)),
        "user_id": user.user_id,
        "is_assessor": found.may_be_filled_in_by(user),
        "may_reopen": is_reopenable and allowed(user, Permission.ASSESSMENT_REOPEN, found.thing),
        "reason": reason,
        "reason_error": error,
        "may_read": found.may_be_read_by(user),
        "parts": _parts(request, found) if found.may_be_read_by(user) else [],
    }
    return render(request, "assessments/read.html", context, status=status)


def _parts(request: HttpRequest, found: Opened) -> list[dict[str, object]]:
    user = signed_in_user(request)
    return [
        {"progress": progress, "competencies": competencies_of(progress.category, found, by=user)}
        for progress in categories_of(found.assessment, found.ladder)
    ]


@never_cache
@sign_in_required
@require_http_methods(["GET", "POST"])
def review_page(request: HttpRequest, assessment_id: str) -> HttpResponse:
    """All answers, what is missing, the overall level and the way forward, and the submission."""
    found = opened(default_stores(), assessment_id=assessment_id, by=signed_in_user(request))
    if request.method == "POST":
        return _reviewed_page(request, found)
    if not _may_fill_in(request, found):
        return redirect("assessments:assessment", assessment_id)
    return _review_page(request, found)


def _reviewed_page(request: HttpRequest, found: Opened) -> HttpResponse:
    user, stores, key = signed_in_user(request), default_stores(), found.assessment.assessment_id
    found.require_filling_in(user)
    given, saved = conclusion_in(request.POST), None
    try:
        saved = save_answers(stores, assessment_id=key, by=user, now=datetime.now(UTC), conclusion=given)
        if not saved.is_all_saved:
            return _review_page(request, found, given=given, saved=saved, status=409)
        if request.POST.get("go") != "submit":
            messages.success(request, "Overall level and way forward are saved.")
            return redirect("assessments:review", key)
        if number_in(request.POST.get("answers_revision", "")) != saved.assessment.answers_revision:
            raise Conflict("Answers were changed since this page was opened. Look at them again, then submit.")  # noqa: TRY301
        submit(
            stores,
            assessment_id=key,
            by=user,
            actor=actor_of(request),
            now=datetime.now(UTC),
            version=saved.assessment.version,
        )
    except (InvalidAnswer, Incomplete) as refused:
        fresh = opened(stores, assessment_id=key, by=user)
        return _review_page(request, fresh, given=given, refused=refused, status=422)
    except AssessmentLocked as locked:
        messages.error(request, locked.public_message)
        return _review_page(request, found, given=given, status=409)
    except Conflict as refused:
        messages.error(request, refused.public_message)
        fresh = opened(stores, assessment_id=key, by=user)
        if (fresh.assessment.current_level, fresh.assessment.way_forward) != (given.current_level, given.way_forward):
            return _review_page(request, fresh, given=given, saved=saved, status=409)  # it stands nowhere else
        return redirect("assessments:review", key)
    messages.success(request, "Submitted. The assessment is locked now.")
    return redirect("assessments:assessment", key)


def _review_page(
    request: HttpRequest,
    found: Opened,
    *,
    given: GivenConclusion | None = None,
    saved: Saved | None = None,
    refused: Invalid | None = None,
    status: int = 200,
) -> HttpResponse:
    user, assessment = signed_in_user(request), found.assessment
    outcome = saved.conclusion if saved else None
    stored = None if outcome is None or outcome.is_saved else outcome
    revision = outcome.revision if outcome else given.revision if given else assessment.texts_revision
    if refused is not None and isinstance(refused, Incomplete):
        revision = assessment.texts_revision
    context = {
        **frame_of(found, by=user, now=datetime.now(UTC)),
        "user_id": user.user_id,
        "parts": _parts(request, found),
        "steps": categories_of(assessment, found.ladder),
        "missing": missing(assessment, found.ladder),
        "levels": range(1, found.ladder.highest + 1),
        "current_level": given.current_level if given else assessment.current_level,
        "way_forward": given.way_forward if given else assessment.way_forward,
        "texts_revision": revision,
        "stored": stored,
        "errors": refused.details() if refused else (),
        "field_errors": {str(one.get("field")): one["message"] for one in refused.details()} if refused else {},
        "own_conclusion": beside(found, by=user),
    }
    return render(request, "assessments/review.html", context, status=status)


@never_cache
@sign_in_required
@require_POST
def reopen_page(request: HttpRequest, assessment_id: str) -> HttpResponse:
    """Take a submission back, with a reason, and go to what is open again."""
    reason = request.POST.get("reason", "")
    try:
        reopen(
            default_stores(),
            assessment_id=assessment_id,
            reason=reason,
            by=signed_in_user(request),
            actor=actor_of(request),
            now=datetime.now(UTC),
        )
    except Invalid as refused:
        found = opened(default_stores(), assessment_id=assessment_id, by=signed_in_user(request))
        return _reading_page(request, found, reason=reason, error=refused.public_message, status=422)
    except Conflict as refused:
        messages.error(request, refused.public_message)
    else:
        messages.success(request, "Reopened. The assessor can change it and submit it again.")
    return redirect("assessments:assessment", assessment_id)


def _may_fill_in(request: HttpRequest, found: Opened) -> bool:
    return found.is_open and found.may_be_filled_in_by(signed_in_user(request))
