"""Host credentials between a person's form and the terminal: encrypted wherever they rest."""

from datetime import datetime

from apps.policy_runs.asts.base import Credentials
from apps.policy_runs.entities import SECRET_LIFE, RunSecret
from apps.policy_runs.tables import RUN_SECRETS
from apps.storage.secrets import Keyring


def seal(keyring: Keyring, execution_id: str, credentials: Credentials, *, now: datetime) -> RunSecret:
    """The credentials as they are stored: bound to this run, gone after a day unless renewed."""
    return RunSecret(
        execution_id=execution_id,
        user_id=keyring.seal(credentials.user_id, _place(execution_id, "user_id")),
        password=keyring.seal(credentials.password, _place(execution_id, "password")),
        expires_at=now + SECRET_LIFE,
    )


def unseal(keyring: Keyring, secret: RunSecret) -> Credentials:
    """The credentials in a stored secret. Raises `StoreUnavailable` where no key opens them."""
    return Credentials(
        user_id=keyring.open(secret.user_id, _place(secret.execution_id, "user_id")),
        password=keyring.open(secret.password, _place(secret.execution_id, "password")),
    )


def _place(execution_id: str, attribute: str) -> tuple[str, str, str]:
    return (RUN_SECRETS.name, execution_id, attribute)
