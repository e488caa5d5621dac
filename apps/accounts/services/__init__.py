"""What can be done with accounts; each change is written together with its audit entry, or not at all."""

from apps.accounts.services.own_account import change_profile, end_session
from apps.accounts.services.people import create_user, deactivate
from apps.accounts.services.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    reset_second_factor,
    second_factor_to_confirm,
    switch_off_second_factor,
)
from apps.accounts.services.signing_in import (
    authenticate,
    change_password,
    note_signed_in,
    pass_second_factor,
    sign_out_everywhere,
)
from apps.accounts.services.tokens import MOST_TOKENS, NewToken, create_token, revoke_token, user_of_token

__all__ = [
    "MOST_TOKENS",
    "NewToken",
    "authenticate",
    "begin_second_factor",
    "change_password",
    "change_profile",
    "confirm_second_factor",
    "create_token",
    "create_user",
    "deactivate",
    "end_session",
    "note_signed_in",
    "pass_second_factor",
    "renew_recovery_codes",
    "reset_second_factor",
    "revoke_token",
    "second_factor_to_confirm",
    "sign_out_everywhere",
    "switch_off_second_factor",
    "user_of_token",
]
