"""The API of assessments."""

from ninja import Router

router = Router(tags=["assessments"], by_alias=True)
