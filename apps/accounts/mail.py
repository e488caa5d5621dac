"""Mails with links by which people choose a password, and how they are sent off a request's path."""

import smtplib
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

import structlog
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from apps.accounts.entities import LinkKind, User
from apps.accounts.errors import MailNotSent
from apps.accounts.services import NewLink
from apps.errors import DomainError

SUBJECTS = {LinkKind.INVITATION: "Your account in Rungs", LinkKind.RESET: "Choose a new password for Rungs"}
AT_ONCE = 2
MOST_WAITING = 200

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMailer:
    """Sends links as plain text. `site` is what they begin with, such as `https://rungs.example.org`."""

    site: str

    def address(self, link: NewLink) -> str:
        """The whole address of the page where a password is chosen."""
        return self.site + reverse("accounts:open_link", args=[link.token])

    def send(self, user: User, link: NewLink) -> None:
        """Send it, within the seconds of the setting `EMAIL_TIMEOUT`. Raises `MailNotSent`."""
        kind = link.invitation.kind
        context = {"user": user, "address": self.address(link), "until": link.invitation.expires_at, "site": self.site}
        text = render_to_string(f"accounts/mail/{kind}.txt", context)
        try:
            EmailMessage(subject=SUBJECTS[kind], body=text, to=[user.email]).send()
        except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: no such address can be
            log.warning("a mail was not sent", user_id=user.user_id, kind=str(kind), reason=repr(error))
            raise MailNotSent("The mail server did not take the mail. Send it again later.") from error


class Later:
    """Does what nobody waits for: a few things at once, in the order they came; past `most_waiting` none is taken."""

    def __init__(self, *, at_once: int = AT_ONCE, most_waiting: int = MOST_WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="later")
        self._most_waiting = most_waiting
        self._lock = threading.Lock()
        self._waiting: set[Future[None]] = set()

    def do(self, work: Callable[[], None]) -> bool:
        """Do it soon; False where too much waits already. What it raises is logged."""
        with self._lock:
            if len(self._waiting) >= self._most_waiting:
                log.error("too many mails wait to be sent: one was dropped")
                return False
            future = self._threads.submit(work)
            self._waiting.add(future)
        future.add_done_callback(self._done)
        return True

    def settle(self, *, seconds: float) -> bool:
        """Wait until what was taken so far is done; whether it is."""
        with self._lock:
            waiting = set(self._waiting)
        return not wait(waiting, seconds).not_done

    def _done(self, future: "Future[None]") -> None:
        with self._lock:
            self._waiting.discard(future)
        error = future.exception()
        if isinstance(error, DomainError):
            log.warning("a link was not sent", reason=error.message)
        elif error is not None:
            log.error("sending a link failed", exc_info=error)
