"""The API of people: oneself, and for who may see people everybody."""

from typing import Annotated

from django.http import HttpRequest
from ninja import Router
from pydantic import Field

from apps.accounts import wiring
from apps.accounts.entities import LONGEST_NAME, Role, User
from apps.accounts.middleware import signed_in_user
from apps.accounts.permissions import Permission, allowed, require
from apps.api_shapes import READING, Camel, CursorText
from apps.errors import NotFound

router = Router(tags=["users"], by_alias=True)


class UserOut(Camel):
    """A person."""

    user_id: str
    name: str
    email: str
    roles: list[Role]
    is_active: bool


class UserPageOut(Camel):
    """People by name, and cursors to the pages around them."""

    items: list[UserOut]
    next: str | None
    previous: str | None


@router.get("", response={200: UserPageOut, **READING}, summary="List people by name")
def list_users(
    request: HttpRequest, prefix: Annotated[str, Field(max_length=LONGEST_NAME)] = "", cursor: CursorText = None
) -> UserPageOut:
    """Those whose name begins with `prefix`; for administrators and support."""
    require(signed_in_user(request), Permission.USERS_SEE)
    page = wiring.users().listed(prefix, cursor=cursor)
    return UserPageOut(items=[user_out(user) for user in page.items], next=page.next, previous=page.previous)


@router.get("/me", response={200: UserOut, **READING}, summary="Get oneself")
def get_me(request: HttpRequest) -> UserOut:
    """Whoever asks: whose session, or whose API token."""
    return user_out(signed_in_user(request))


@router.get("/{user_id}", response={200: UserOut, **READING}, summary="Get a person")
def get_user(request: HttpRequest, user_id: str) -> UserOut:
    """Oneself, or for administrators and support anybody."""
    reader = signed_in_user(request)
    if user_id == reader.user_id:
        return user_out(reader)
    found = wiring.users().find(user_id) if allowed(reader, Permission.USERS_SEE) else None
    if found is None:
        raise NotFound("There is no such person, or you may not see them.")
    return user_out(found)


def user_out(user: User) -> UserOut:
    """The person as the API tells it."""
    return UserOut(
        user_id=user.user_id, name=user.name, email=user.email, roles=sorted(user.roles), is_active=user.is_active
    )
