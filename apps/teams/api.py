"""The API of teams and their members."""

from ninja import Router

router = Router(tags=["teams"], by_alias=True)
