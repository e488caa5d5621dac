"""What all operations of the API have in common: camelCase, the shape of errors, and what any of them may answer."""

from typing import Annotated, Any, Final

from ninja import Schema
from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

LONGEST_STRING: Final = 1024 * 1024  # as long as a whole request may be


class Camel(Schema):
    """Names in camelCase, as in the socket's messages; unknown ones are refused."""

    # With a longest text pydantic reads every one, and refuses what JSON can hold and no store can: half a character.
    model_config = ConfigDict(
        alias_generator=to_camel, populate_by_name=True, extra="forbid", str_max_length=LONGEST_STRING
    )


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


CursorText = Annotated[str | None, Field(max_length=2000)]

# What any operation may answer besides its own success.
READING: Final[dict[Any, Any]] = dict.fromkeys((401, 404, 422, 429, 503), ErrorBody)
CHANGING: Final[dict[Any, Any]] = dict.fromkeys((400, 401, 403, 404, 409, 413, 422, 429, 503), ErrorBody)
