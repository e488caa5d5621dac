"""Addresses below `/account/`, and those of `people` below `/people/`."""

from django.urls import path

from apps.accounts.views import (
    account,
    arriving,
    directory,
    importing,
    links,
    second_factor,
    sign_in,
    single_sign_on,
    tokens,
)

app_name = "accounts"

urlpatterns = [
    path("", account.account, name="account"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", arriving.code, name="code"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("single-sign-on/", single_sign_on.connection, name="single_sign_on"),
    path("single-sign-on/start/", single_sign_on.start, name="single_sign_on_start"),
    path("single-sign-on/callback/", single_sign_on.callback, name="single_sign_on_callback"),
    path("password/", account.change_password, name="change_password"),
    path("forgot-password/", links.forgot, name="forgot_password"),
    path("link/<str:token>/", links.open_link, name="open_link"),
    path("choose-password/", links.choose, name="choose_password"),
    path("second-factor/", second_factor.second_factor, name="second_factor"),
    path("second-factor/confirm/", second_factor.confirm, name="confirm_second_factor"),
    path("second-factor/recovery-codes/", second_factor.recovery_codes, name="recovery_codes"),
    path("second-factor/switch-off/", second_factor.switch_off, name="switch_off_second_factor"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/revoke/", tokens.revoke, name="revoke_token"),
    path("sessions/", account.sessions, name="sessions"),
    path("sessions/end/", account.end_session, name="end_session"),
    path("sign-out-everywhere/", account.sign_out_everywhere, name="sign_out_everywhere"),
]

people = (
    [
        path("", directory.directory, name="list"),
        path("import/", importing.import_people, name="import"),
        path("<str:user_id>/", directory.profile, name="profile"),
    ],
    "people",
)
