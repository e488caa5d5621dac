"""Users in the back office."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse

from apps.accounts import services, wiring
from apps.accounts.entities import User, folded
from apps.accounts.permissions import Permission
from apps.accounts.repository import Users
from apps.accounts.user_form import InvitationForm, UserForm, WayIn
from apps.accounts.user_pages import UserPages, done_by
from apps.console.entity_admin import Listing
from apps.errors import Forbidden

ADDED, CHOSEN = "_added_user", "_way_in"


class UserAdmin(UserPages):
    """Who may sign in, by name; the password's hash is no part of it.

    Support invites and unlocks; administrators change people. Nobody is deleted.
    """

    repository = Users
    sees = Permission.USERS_SEE
    changes = Permission.USERS_CHANGE
    sees_history = Permission.AUDIT_SEE
    listing = Listing(index="directory-index", partition="users", folded=folded)
    list_display = ("name", "email", "roles", "is_active")
    labels: ClassVar[Mapping[str, str]] = {"email": "e-mail", "is_active": "active", "user_id": "id"}
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {"user_id": lambda: str(uuid.uuid4())}
    search_fields = ("name",)
    search_help_text = "Beginning of the name"
    fields = ("name", "email", "roles", "is_active", "created_at", "updated_at", "user_id")
    form = UserForm
    change_form_template = "accounts/user.html"
    add_form_template = "console/form.html"

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whether the user's roles let them invite."""
        return self._is_allowed(request, Permission.USERS_INVITE)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Nobody: the audit log goes on naming them."""
        del request, obj
        return False

    def get_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Of a new user, what the one who adds them may give."""
        if obj is not None:
            return super().get_fields(request, obj)
        return ["name", "email", *(["roles", *UserForm.own] if self.has_change_permission(request) else [])]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """None in the form of a new user."""
        return [] if obj is None else super().get_readonly_fields(request, obj)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:  # noqa: FBT001, FBT002  (Django's signature)
        """The form; who may only invite has no choice of ways."""
        if obj is None and not self.has_change_permission(request):
            kwargs["form"] = InvitationForm
        return super().get_form(request, obj, change, **kwargs)

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: Any) -> None:
        """Keep the way in at hand for `create`."""
        vars(request)[CHOSEN] = form.cleaned_data
        super().save_model(request, obj, form, change)

    def create(self, request: HttpRequest, entity: User) -> User:
        """Add somebody; with a password only where one is set in the form."""
        added = services.add_user(
            wiring.users(),
            email=entity.email,
            name=entity.name,
            roles=entity.roles,
            password=vars(request)[CHOSEN].get("password") or None,
            passwords=wiring.passwords(),
            **done_by(request),
        )
        vars(request)[ADDED] = added
        return added

    def change(self, request: HttpRequest, *, before: User, after: User) -> User:
        """Change name, e-mail address, roles, or whether they may sign in."""
        sessions = wiring.web_sessions()
        return services.change_user(wiring.users(), before=before, after=after, sessions=sessions, **done_by(request))

    def remove(self, request: HttpRequest, entity: User) -> None:
        """Raise `Forbidden`: people are deactivated."""
        del request, entity
        raise Forbidden("People are not deleted. Deactivate them: then they cannot sign in any more.")

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Let them in as was chosen."""
        del obj
        added, way_in = vars(request)[ADDED], vars(request)[CHOSEN].get("way_in", WayIn.SENT)
        if way_in == WayIn.SHOWN:
            return self.show_link(request, added)
        row = self.row(added)
        if way_in == WayIn.SET:
            return super().response_add(request, row, post_url_continue)
        told = f"“{added}” is added, and an invitation sent to {added.email}."
        if self.send_to(request, added, told=told, also=f"“{added}” is added. "):
            return self.onward(request, row)
        return self.back_to(added)
