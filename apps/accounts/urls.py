"""Addresses below `/account/`."""

from django.urls import path

from apps.accounts import token_views, views

app_name = "accounts"

urlpatterns = [
    path("", views.account, name="account"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("password/", views.change_password, name="change_password"),
    path("tokens/", token_views.tokens, name="tokens"),
    path("tokens/revoke/", token_views.revoke, name="revoke_token"),
    path("sign-out-everywhere/", views.sign_out_everywhere, name="sign_out_everywhere"),
]
