"""Addresses below `/account/`."""

from django.urls import path

from apps.accounts.views import account, links, sign_in, single_sign_on, tokens

app_name = "accounts"

urlpatterns = [
    path("", account.account, name="account"),
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("single-sign-on/", single_sign_on.connection, name="single_sign_on"),
    path("single-sign-on/start/", single_sign_on.start, name="single_sign_on_start"),
    path("single-sign-on/callback/", single_sign_on.callback, name="single_sign_on_callback"),
    path("password/", account.change_password, name="change_password"),
    path("forgot-password/", links.forgot, name="forgot_password"),
    path("link/<str:token>/", links.open_link, name="open_link"),
    path("choose-password/", links.choose, name="choose_password"),
    path("tokens/", tokens.tokens, name="tokens"),
    path("tokens/revoke/", tokens.revoke, name="revoke_token"),
    path("sign-out-everywhere/", account.sign_out_everywhere, name="sign_out_everywhere"),
]
