"""Where the app's default repositories are made, who follows teams, and how reminders go out."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache

from django.conf import settings

from apps.accounts.wiring import later
from apps.assessments.mail import ReminderMailer
from apps.assessments.services import activation
from apps.assessments.services.reminders import send_reminders
from apps.assessments.stores import Stores, stores_on
from apps.storage.connection import Store, default_store


@lru_cache(maxsize=1)
def _on(store: Store) -> Stores:
    return stores_on(store)


def default_stores() -> Stores:
    """The repositories on this process's store."""
    return _on(default_store())


def follow_team(team_id: str, *, now: datetime) -> None:
    """Let plans under way follow a team; called after each change of one. Raises domain errors."""
    activation.follow_team(default_stores(), team_id=team_id, now=now)


def reminder_mailer(site: str = "") -> ReminderMailer:
    """What sends reminders whose links begin with the configured address, else with `site`, else with this host's."""
    scheme = "https" if settings.SESSION_COOKIE_SECURE else "http"
    host = next((host for host in settings.ALLOWED_HOSTS if not host.startswith((".", "*"))), "localhost:8000")
    return ReminderMailer(site=settings.PUBLIC_URL or site or f"{scheme}://{host}")


def send_later(plan_ids: Sequence[str], *, now: datetime, stores: Stores, site: str = "") -> None:
    """Send the reminders noted for these plans off the caller's path; what is dropped the worker takes up again."""
    mailer = reminder_mailer(site)
    if plan_ids:
        later().do(lambda: _sent(stores, mailer, plan_ids, now))


def _sent(stores: Stores, mailer: ReminderMailer, plan_ids: Sequence[str], now: datetime) -> None:
    send_reminders(stores, mailer, plan_ids=plan_ids, now=now)
