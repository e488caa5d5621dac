"""The API of people, as far as one may see them."""

from ninja import Router

router = Router(tags=["users"], by_alias=True)
