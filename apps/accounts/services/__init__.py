"""What can be done with accounts; each change is written together with its audit entry, or not at all."""

from apps.accounts.services.access import Access, access_of, end_session_of, sign_out_user, unlock
from apps.accounts.services.invitations import (
    NewLink,
    choose_password,
    send_link,
    send_reset,
    show_link,
    whose_link,
)
from apps.accounts.services.people import add_user, change_user, create_user, deactivate, reactivate, set_password
from apps.accounts.services.signing_in import authenticate, change_password, sign_out_everywhere
from apps.accounts.services.tokens import MOST_TOKENS, NewToken, create_token, revoke_token, user_of_token

__all__ = [
    "MOST_TOKENS",
    "Access",
    "NewLink",
    "NewToken",
    "access_of",
    "add_user",
    "authenticate",
    "change_password",
    "change_user",
    "choose_password",
    "create_token",
    "create_user",
    "deactivate",
    "end_session_of",
    "reactivate",
    "revoke_token",
    "send_link",
    "send_reset",
    "set_password",
    "show_link",
    "sign_out_everywhere",
    "sign_out_user",
    "unlock",
    "user_of_token",
    "whose_link",
]
