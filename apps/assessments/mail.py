"""Reminders by mail: one to a person, with all that waits for them and the way to it."""

import smtplib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import structlog
from django.core.mail import EmailMessage
from django.template.loader import render_to_string

from apps.accounts.entities import User
from apps.accounts.errors import MailNotSent
from apps.assessments.services.reminders import Waiting

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReminderMailer:
    """Sends reminders as plain text. `site` is what links begin with, such as `https://rungs.example.org`."""

    site: str

    def send(self, user: User, waiting: Sequence[Waiting], *, today: date) -> None:
        """Send it, within the seconds of the setting `EMAIL_TIMEOUT`. Raises `MailNotSent`."""
        count = sum(len(one.assessments) for one in waiting)
        plans = [
            {
                "plan": one.plan,
                "is_overdue": one.plan.is_overdue(today),
                "assessments": [
                    {"id": found.assessment_id, "of": one.names.get(found.team_member_id, "")}
                    for found in one.assessments
                ],
            }
            for one in waiting
        ]
        context = {"user": user, "plans": plans, "count": count, "site": self.site}
        subject = "1 assessment waits for you" if count == 1 else f"{count} assessments wait for you"
        text = render_to_string("plans/mail/reminder.txt", context)
        try:
            EmailMessage(subject=subject, body=text, to=[user.email]).send()
        except (smtplib.SMTPException, OSError, ValueError) as error:  # ValueError: no such address can be
            log.warning("a reminder was not sent", user_id=user.user_id, reason=repr(error))
            raise MailNotSent("The mail server did not take the reminder. It is sent again by itself.") from error
