"""What can be done with accounts; each change is written together with its audit entry, or not at all."""

from apps.accounts.services.access import (
    Access,
    access_of,
    end_session_of,
    revoke_token_of,
    sign_out_user,
    unlock,
)
from apps.accounts.services.importing import PeopleImported, PeoplePlan, import_people, plan_people
from apps.accounts.services.invitations import (
    NewLink,
    choose_password,
    send_link,
    send_reset,
    show_link,
    whose_link,
)
from apps.accounts.services.own_account import change_profile, end_session
from apps.accounts.services.people import add_user, change_user, create_user, deactivate, reactivate, set_password
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
    confirm_password,
    note_signed_in,
    pass_second_factor,
    sign_out_everywhere,
)
from apps.accounts.services.single_sign_on import connect, disconnect, sign_in_with_identity
from apps.accounts.services.tokens import MOST_TOKENS, NewToken, create_token, revoke_token, user_of_token

__all__ = [
    "MOST_TOKENS",
    "Access",
    "NewLink",
    "NewToken",
    "PeopleImported",
    "PeoplePlan",
    "access_of",
    "add_user",
    "authenticate",
    "begin_second_factor",
    "change_password",
    "change_profile",
    "change_user",
    "choose_password",
    "confirm_password",
    "confirm_second_factor",
    "connect",
    "create_token",
    "create_user",
    "deactivate",
    "disconnect",
    "end_session",
    "end_session_of",
    "import_people",
    "note_signed_in",
    "pass_second_factor",
    "plan_people",
    "reactivate",
    "renew_recovery_codes",
    "reset_second_factor",
    "revoke_token",
    "revoke_token_of",
    "second_factor_to_confirm",
    "send_link",
    "send_reset",
    "set_password",
    "show_link",
    "sign_in_with_identity",
    "sign_out_everywhere",
    "sign_out_user",
    "switch_off_second_factor",
    "unlock",
    "user_of_token",
    "whose_link",
]
