"""The API of plans."""

from ninja import Router

router = Router(tags=["plans"], by_alias=True)
