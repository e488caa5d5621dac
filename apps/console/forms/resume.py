"""What becomes of a form that was sent after its session had ended: it is kept in the answer, and shown again."""

from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import render, resolve_url
from django.urls import Resolver404, ResolverMatch, resolve
from django.views.decorators.csrf import csrf_exempt

from apps.console.forms.secret_fields import NEW
from apps.errors import Conflict, NotFound

TO = "_resume_to"
REFUSED, FORM_ADDRESS = "console_refused", "console_form_address"
_LEFT_OUT = frozenset({"csrfmiddlewaretoken", TO})


def form_at(address: str, *, namespace: str) -> ResolverMatch | None:
    """The form of a row, of a new one, or of a row's children, that this path leads to; None for any other path."""
    try:
        match = resolve(address)
    except Resolver404:
        return None
    is_form = match.namespace == namespace and str(match.url_name).endswith(("_change", "_add", "_rows"))
    return match if is_form else None


def signed_out(request: HttpRequest, *, resume_address: str) -> HttpResponse:
    """The page that answers such a form: it holds what was typed, but for secrets, and the way to sign in."""
    typed = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in _LEFT_OUT and not name.endswith(NEW)
    ]
    context = {
        "typed": typed,
        "to": request.get_full_path(),
        "to_name": TO,
        "resume_address": resume_address,
        "sign_in_address": resolve_url(settings.LOGIN_URL),
    }
    return render(request, "console/signed_out.html", context, status=401)


def resumed(namespace: str) -> Callable[[HttpRequest], HttpResponse]:
    """The view that shows such a form again, with a token of the new session. It writes nothing, whatever it is sent.

    That is why it asks for no token of the old one. A browser sends no cookie with a form of another site, and says
    itself where a form comes from: one that was filled in elsewhere is not shown.
    """

    @csrf_exempt
    def view(request: HttpRequest) -> HttpResponse:
        to = request.POST.get(TO, "")
        match = form_at(unquote(to.partition("?")[0]), namespace=namespace)
        is_ours = request.headers.get("Sec-Fetch-Site", "same-origin") == "same-origin"
        if request.method != "POST" or not is_ours or match is None or not request.user.is_authenticated:
            raise NotFound("There is no such page, or you may not see it.")
        request.GET = QueryDict(to.partition("?")[2])
        known: dict[str, Any] = vars(request)
        known[REFUSED] = Conflict("You were signed out when you sent this. Look at it, then save it again.")
        known["csrf_processing_done"] = True  # pinned in the tests
        known[FORM_ADDRESS] = to
        answer: HttpResponse = match.func(request, *match.args, **match.kwargs)
        return answer

    return view
