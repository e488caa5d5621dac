"""What all operations of the API have in common: camelCase, the shape of errors, and what any of them may answer."""

from typing import Annotated, Any, Final

from ninja import Schema
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel


class Camel(Schema):
    """Names in camelCase, as in the socket's messages; unknown ones are refused."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid")


class ErrorDetail(Schema):
    """One finding of an error: a line or field, and what is wrong."""

    model_config = ConfigDict(extra="allow")

    message: str


class ErrorContent(Schema):
    """What went wrong, for machines (`code`) and for people (`message`)."""

    code: str
    message: str
    field: str | None = None
    details: list[ErrorDetail] = Field(default_factory=list)
    reference: str


class ErrorBody(Schema):
    """The one shape of every error."""

    error: ErrorContent


# In a body a number is a number: no text or `true` that could be taken for one.
Number = Annotated[int, Field(strict=True)]
Count = Annotated[int, Field(strict=True, ge=0, le=2**53)]

CursorText = Annotated[str | None, Field(max_length=2000)]

# What any operation may answer besides its own success.
READING: Final[dict[Any, Any]] = dict.fromkeys((401, 404, 422, 429, 503), ErrorBody)
CHANGING: Final[dict[Any, Any]] = dict.fromkeys((400, 401, 403, 404, 409, 413, 422, 429, 503), ErrorBody)
