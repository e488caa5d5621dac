"""Host credentials between a person's form and the terminal: encrypted wherever they rest."""

from datetime import datetime

from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import SECRET_LIFE, RunSecret
from apps.storage.secrets import Secret


def kept(execution_id: str, credentials: Credentials, *, now: datetime) -> RunSecret:
    """The credentials as they are stored for this run: gone after a day unless renewed."""
    return RunSecret(
        execution_id=execution_id,
        user_id=Secret(credentials.user_id),
        password=Secret(credentials.password),
        expires_at=now + SECRET_LIFE,
    )


def revealed(secret: RunSecret) -> Credentials:
    """The credentials of a run. Raises `SecretUnreadable` where no key opens them."""
    return Credentials(user_id=secret.user_id.reveal(), password=secret.password.reveal())
