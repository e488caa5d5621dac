"""What can be done with accounts; each change is written together with its audit entry, or not at all."""

from apps.accounts.services.people import create_user, deactivate
from apps.accounts.services.signing_in import authenticate, change_password, confirm_password, sign_out_everywhere
from apps.accounts.services.single_sign_on import connect, disconnect, sign_in_with_identity
from apps.accounts.services.tokens import MOST_TOKENS, NewToken, create_token, revoke_token, user_of_token

__all__ = [
    "MOST_TOKENS",
    "NewToken",
    "authenticate",
    "change_password",
    "confirm_password",
    "connect",
    "create_token",
    "create_user",
    "deactivate",
    "disconnect",
    "revoke_token",
    "sign_in_with_identity",
    "sign_out_everywhere",
    "user_of_token",
]
