"""What templates may ask about accounts on every page."""

from typing import Any

from django.http import HttpRequest

from apps.accounts import wiring


def single_sign_on(_request: HttpRequest) -> dict[str, Any]:
    """`single_sign_on`: the provider that people may sign in with, or None."""
    return {"single_sign_on": wiring.single_sign_on()}
