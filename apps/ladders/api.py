"""The API of the career ladder."""

from ninja import Router

router = Router(tags=["ladder"], by_alias=True)
