"""Users in the back office."""

import uuid
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponse

from apps.accounts import services, wiring
from apps.accounts.entities import User, email_address, folded
from apps.accounts.errors import MailNotSent
from apps.accounts.permissions import Permission
from apps.accounts.repository import Users
from apps.accounts.user_form import InvitationForm, UserForm, WayIn
from apps.accounts.user_pages import UserPages, done_by, send
from apps.console.lists.actions import row_action
from apps.console.lists.filters import Choices, YesNo
from apps.console.lists.listings import Listing
from apps.errors import Forbidden, Invalid

ADDED, CHOSEN, GIVEN_UP = "_added_user", "_way_in", "_no_more_mails"


class UserAdmin(UserPages):
    """Who may sign in, by name; the password's hash is no part of it.

    Support invites and unlocks; administrators change people. Nobody is deleted.
    """

    repository = Users
    sees = Permission.USERS_SEE
    changes = Permission.USERS_CHANGE
    sees_history = Permission.AUDIT_SEE
    exports = Permission.USERS_CHANGE
    listings = (Listing(index="directory-index", partition="users", folded=folded),)
    filters = (Choices("roles", label="Role"), YesNo("is_active"))
    finds: ClassVar[Mapping[str, Callable[[str], str]]] = {"email": email_address}
    list_display = ("name", "email", "roles", "is_active")
    labels: ClassVar[Mapping[str, str]] = {"email": "e-mail", "is_active": "active", "user_id": "id"}
    filled: ClassVar[Mapping[str, Callable[[], Any]]] = {"user_id": lambda: str(uuid.uuid4())}
    search_fields = ("name",)
    search_help_text = "Beginning of the name, or whole e-mail"
    fields = ("name", "email", "roles", "is_active", "created_at", "updated_at", "user_id")
    row_actions = ("invite", "unlock_chosen", "deactivate")
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

    @row_action(
        "Deactivate …",
        permission=Permission.USERS_CHANGE,
        done="deactivated",
        confirm="They are signed out at once, and cannot sign in until they are made active again.",
        is_destructive=True,
    )
    def deactivate(self, request: HttpRequest, entity: User, data: Mapping[str, Any]) -> None:
        """Let this user sign in no more."""
        del data
        if not entity.is_active:
            raise Invalid("Is not active anyway.")
        services.deactivate(wiring.users(), user=entity, sessions=wiring.web_sessions(), **done_by(request))

    @row_action("Send invitation", permission=Permission.USERS_INVITE, done="sent an invitation")
    def invite(self, request: HttpRequest, entity: User, data: Mapping[str, Any]) -> None:
        """Mail a link to who has no password yet; after one that the mail server did not take, no other is tried."""
        del data
        if entity.password_hash:
            raise Invalid("Has a password already. A link for a new one can be sent from their page.")
        if vars(request).get(GIVEN_UP):
            raise MailNotSent("Not tried: the mail server did not take the one before.")
        try:
            send(request, entity)
        except MailNotSent:
            vars(request)[GIVEN_UP] = True
            raise

    @row_action("Unlock", permission=Permission.USERS_UNLOCK, done="unlocked")
    def unlock_chosen(self, request: HttpRequest, entity: User, data: Mapping[str, Any]) -> None:
        """Let this user try to sign in again at once."""
        del data
        services.unlock(wiring.throttle(), user=entity, **done_by(request))

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
