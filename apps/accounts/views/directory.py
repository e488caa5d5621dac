"""Who there is: the directory by name, and a page for each person."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET

from apps.accounts import wiring
from apps.accounts.decorators import permission_required, sign_in_required
from apps.accounts.entities import LONGEST_NAME
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, allowed
from apps.accounts.views._page import role_words
from apps.errors import NotFound


@never_cache
@permission_required(Permission.USERS_SEE)
@require_GET
def directory(request: HttpRequest) -> HttpResponse:
    """People by name, those whose name begins as was typed; one query, however many there are."""
    prefix = request.GET.get("q", "").strip()[:LONGEST_NAME]
    found = wiring.users().listed(prefix, cursor=request.GET.get("cursor") or None)
    people = [{"person": user, "roles": role_words(user.roles)} for user in found.items]
    context = {
        "people": people,
        "prefix": prefix,
        "next_cursor": found.next,
        "previous_cursor": found.previous,
        "may_import": allowed(signed_in_user(request), Permission.USERS_CHANGE),
    }
    return render(request, "accounts/directory.html", context)


@never_cache
@sign_in_required
@require_GET
def profile(request: HttpRequest, user_id: str) -> HttpResponse:
    """One person: everybody's own page, and for who may see people that of any. Raises `NotFound`."""
    reader = signed_in_user(request)
    sees_people = allowed(reader, Permission.USERS_SEE)
    missing = NotFound("There is no such page, or you may not see it.")
    if user_id == reader.user_id:
        person = reader
    elif not sees_people:
        raise missing
    else:
        found = wiring.users().find(user_id)
        if found is None:
            raise missing
        person = found
    context = {
        "person": person,
        "roles": role_words(person.roles),
        "is_own": person.user_id == reader.user_id,
        "sees_people": sees_people,
        "sees_trail": allowed(reader, Permission.AUDIT_SEE),
    }
    return render(request, "accounts/person.html", context)
