"""What the back office does with one user beside changing fields: let in, sign out, unlock."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from http import HTTPStatus
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin.utils import quote, unquote
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.urls import path, reverse

from apps.accounts import services, wiring
from apps.accounts.entities import User
from apps.accounts.errors import MailNotSent
from apps.accounts.middleware import actor_of, signed_in_user
from apps.accounts.permissions import Permission, allowed, require
from apps.accounts.user_form import SetPasswordForm
from apps.accounts.views.links import mailer_of
from apps.console.entity_admin import EntityAdmin
from apps.errors import Conflict, DomainError, Invalid, NotFound, Unavailable
from apps.storage.sessions import session_hash


def done_by(request: HttpRequest) -> dict[str, Any]:
    """Who does it, from where and when, and where that is noted."""
    who = {"by": signed_in_user(request), "actor": actor_of(request)}
    return {**who, "now": datetime.now(UTC), "audit": wiring.audit_log()}


def send(request: HttpRequest, user: User) -> None:
    """Mail somebody a link to choose a password. Raises `MailNotSent`, and what `services.send_link` raises."""
    services.send_link(wiring.invitations(), user=user, mailer=mailer_of(request), **done_by(request))


class UserPages(EntityAdmin[User]):
    """The pages and deeds below the address of a user's page; each checks by itself who may."""

    deeds: ClassVar[Mapping[str, str]] = {
        "send_link": Permission.USERS_INVITE,
        "show_link": Permission.USERS_CHANGE,
        "set_password": Permission.USERS_CHANGE,
        "unlock": Permission.USERS_UNLOCK,
        "sign_out": Permission.USERS_CHANGE,
        "end_session": Permission.USERS_CHANGE,
        "reset_second_factor": Permission.USERS_CHANGE,
    }
    """Methods with the permission that each needs."""

    def links(self, request: HttpRequest, entity: User) -> list[tuple[str, str]]:
        """What the audit log has on what they did, and where they are signed in."""
        user, found = signed_in_user(request), []
        if allowed(user, Permission.AUDIT_SEE):
            found.append(("What they did", f"{reverse('trail:entries')}?{urlencode({'actor': entity.user_id})}"))
        if allowed(user, Permission.USERS_CHANGE):
            query = urlencode({"user_id": entity.user_id})
            found.append(("Browsers", f"{reverse('admin:storage_websession_changelist')}?{query}"))
            found.append(("API tokens", f"{reverse('admin:accounts_apitoken_changelist')}?{query}"))
        return found

    def get_urls(self) -> list[Any]:
        """These addresses, before Django's own, which would take them for keys."""
        urls = [
            path(
                f"<path:object_id>/{deed.replace('_', '-')}/",
                self.admin_site.admin_view(partial(self._dealt_with, deed=deed, permission=permission)),
                name=f"{self.opts.app_label}_{self.opts.model_name}_{deed}",
            )
            for deed, permission in self.deeds.items()
        ]
        return [*urls, *super().get_urls()]

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The page of a user has beside the form how they get in."""
        row = context.get("original")
        if row is not None:
            by = signed_in_user(request)
            access = services.access_of(
                wiring.sign_ins(), wiring.throttle(), wiring.web_sessions(), user=row.entity, by=by
            )
            context |= {
                "access": access,
                "person": row.entity,
                "is_oneself": row.entity.user_id == by.user_id,
                "here": session_hash(request.session.session_key or ""),
                "may_invite": allowed(by, Permission.USERS_INVITE),
                "may_unlock": allowed(by, Permission.USERS_UNLOCK),
            }
        return super().render_change_form(request, context, *args, **kwargs)

    def back_to(self, user: User) -> HttpResponse:
        """The way to the user's page."""
        name = f"admin:{self.opts.app_label}_{self.opts.model_name}_change"
        return HttpResponseRedirect(reverse(name, args=[quote(user.user_id)]))

    def send_to(self, request: HttpRequest, user: User, *, told: str, also: str = "") -> bool:
        """Mail a link and say `told`, or `also` and that it could not be sent; whether it was."""
        try:
            send(request, user)
        except MailNotSent:
            other = ", or show the link" if allowed(signed_in_user(request), Permission.USERS_CHANGE) else ""
            messages.warning(request, f"{also}The mail could not be sent. Send it again in a while{other}.")
            return False
        messages.success(request, told)
        return True

    def show_link(self, request: HttpRequest, user: User) -> HttpResponse:
        """Show a link by which this user chooses a password: this once, since only a hash of it is kept."""
        link = services.show_link(wiring.invitations(), user=user, **done_by(request))
        context = {"person": user, "link": link.invitation, "address": mailer_of(request).address(link)}
        return self._page(request, "accounts/link_shown.html", context)

    def _dealt_with(self, request: HttpRequest, object_id: str, *, deed: str, permission: str) -> HttpResponse:
        """Do it to the user of this address. What is refused is told on the user's page."""
        require(signed_in_user(request), permission)
        if request.method != "POST" and deed != "set_password":
            return HttpResponseNotAllowed(["POST"])
        user = wiring.users().find(unquote(object_id), consistent=True)
        if user is None:
            raise NotFound("There is no such user.")
        try:
            answer: HttpResponse = getattr(self, deed)(request, user)
        except (Invalid, Conflict) as error:
            messages.error(request, error.public_message)
            return self.back_to(user)
        return answer

    def send_link(self, request: HttpRequest, user: User) -> HttpResponse:
        """Mail them a link by which they choose a password."""
        self.send_to(request, user, told=f"A link to choose a password is sent to {user.email}.")
        return self.back_to(user)

    def unlock(self, request: HttpRequest, user: User) -> HttpResponse:
        """Let them try to sign in again at once."""
        services.unlock(wiring.throttle(), user=user, **done_by(request))
        messages.success(request, f"{user} can try to sign in again at once.")
        return self.back_to(user)

    def sign_out(self, request: HttpRequest, user: User) -> HttpResponse:
        """End all their sessions."""
        services.sign_out_user(wiring.users(), user=user, sessions=wiring.web_sessions(), **done_by(request))
        messages.success(request, f"{user} is signed out everywhere.")
        return self.back_to(user)

    def end_session(self, request: HttpRequest, user: User) -> HttpResponse:
        """End one of their sessions."""
        hashed = request.POST.get("session", "")
        try:
            ended = services.end_session_of(wiring.web_sessions(), user=user, session_hash=hashed, **done_by(request))
        except NotFound as error:
            messages.warning(request, error.public_message)
        else:
            messages.success(request, f"{user} is signed out of {ended.device or 'that browser'}.")
        return self.back_to(user)

    def reset_second_factor(self, request: HttpRequest, user: User) -> HttpResponse:
        """Take their second factor away."""
        services.reset_second_factor(
            wiring.users(), wiring.second_factors(), user=user, sessions=wiring.web_sessions(), **done_by(request)
        )
        messages.success(request, f"{user} signs in without a second factor now, and is signed out everywhere.")
        return self.back_to(user)

    def set_password(self, request: HttpRequest, user: User) -> HttpResponse:
        """Ask for a password, and set it."""
        form, status = SetPasswordForm(request.POST if request.method == "POST" else None), HTTPStatus.OK
        if request.method == "POST" and form.is_valid():
            try:
                services.set_password(
                    wiring.users(),
                    user=user,
                    password=form.cleaned_data["password"],
                    passwords=wiring.passwords(),
                    throttle=wiring.throttle(),
                    sessions=wiring.web_sessions(),
                    **done_by(request),
                )
            except (Invalid, Conflict, Unavailable) as error:
                form.add_error(error.field, error.public_message)
                status = _status(error)
            else:
                messages.success(request, f"The password is set, and {user} is signed out everywhere. Tell it to them.")
                return self.back_to(user)
        elif request.method == "POST":
            status = HTTPStatus.UNPROCESSABLE_ENTITY
        return self._page(request, "accounts/set_password.html", {"person": user, "form": form}, status=status)


def _status(error: DomainError) -> HTTPStatus:
    return HTTPStatus.SERVICE_UNAVAILABLE if isinstance(error, Unavailable) else HTTPStatus.UNPROCESSABLE_ENTITY
