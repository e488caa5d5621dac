"""What can go wrong with the store, as domain errors; no botocore error leaves this package."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    HTTPClientError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from apps.errors import Conflict, DomainError, Invalid, NotFound, Unavailable


class ItemNotFound(NotFound):
    """No item has this key."""


class AlreadyExists(Conflict):
    """An item with this key is there already."""

    code = "already_exists"


class ConditionFailed(Conflict):
    """The stored item is not as the write demanded; `stored` is the entity found there, or None."""

    code = "condition_failed"
    stored: Any = None


class Contention(Conflict):
    """Another write to the same item, or a transaction with it, is under way; nothing was written."""

    code = "contention"

    def __init__(self, message: str = "Others are changing the same things right now. Try again in a moment.") -> None:
        """The sentence is always the same."""
        super().__init__(message)


class StaleVersion(ConditionFailed):
    """Somebody else saved this item after it was read; `stored` is what they saved."""

    code = "stale_version"


class Duplicate(Conflict):
    """A value that must be unique is taken."""

    code = "duplicate"


class ItemTooLarge(Invalid):
    """The item exceeds DynamoDB's 400 KB and was not stored."""

    code = "too_large"


class BadCursor(Invalid):
    """The cursor was not issued for this question, or not by us."""

    code = "bad_cursor"


class StoreUnavailable(Unavailable):
    """The store cannot be used now; `remedies` are things a developer or operator can do about it."""

    code = "store_unavailable"
    remedies: tuple[str, ...] = ()

    @property
    def public_message(self) -> str:
        """Without table, operation and key, which are nobody's business on a page."""
        return "The store does not answer as it should. Try again in a moment."


class Throttled(StoreUnavailable):
    """The store asks for patience; the call was repeated with back-off before this was raised."""

    code = "throttled"


class TableMissing(StoreUnavailable):
    """A table or index that the code uses does not exist."""

    code = "table_missing"


class AccessDenied(StoreUnavailable):
    """The credentials are missing, wrong or may not do this."""

    code = "access_denied"


class SecretUnreadable(StoreUnavailable):
    """A stored secret cannot be opened: its key is gone, or it is not where it belongs."""

    code = "secret_unreadable"


class Unsupported(DomainError):
    """This engine lacks the capability; not a failure of the table."""

    code = "unsupported"


_THROTTLING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


def error_code(error: ClientError) -> str:
    """DynamoDB's own name of the error, such as `ConditionalCheckFailedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def translate(
    error: ClientError | BotoCoreError, *, operation: str, table: str, key: Mapping[str, Any] | None = None
) -> DomainError:
    """The domain error for what botocore raised.

    Conditional failures are not told apart here: the repository knows what its condition meant. Errors that only a bug
    can cause are raised: a malformed expression unchanged, a malformed request as a `TypeError` without its values.
    """
    where = f"{operation} on {table}" + (f" for key {_plain(key)}" if key else "")
    if isinstance(error, ClientError):
        if error_code(error) == "TransactionConflictException":
            return Contention()
        return _from_client_error(error, where=where, table=table)
    if isinstance(error, ParamValidationError):
        raise TypeError(f"{where} was given a value of a type that DynamoDB does not take") from None
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return _with(
            AccessDenied(f"No usable AWS credentials were found ({where})."),
            "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them.",
            "For a local engine set AWS_ENDPOINT_URL_DYNAMODB to its address.",
        )
    if isinstance(error, ProfileNotFound):
        return _with(
            AccessDenied(f"{error} ({where})."),
            "Correct AWS_PROFILE, or add the profile with: aws configure --profile NAME",
        )
    if isinstance(error, BotoConnectionError | HTTPClientError):
        return _with(
            StoreUnavailable(f"The store does not answer ({where}). Try again in a moment.", retry_after_seconds=5),
            "Check that the address in AWS_ENDPOINT_URL_DYNAMODB is right and that something listens there.",
            "Check the region and the network.",
        )
    return _with(
        StoreUnavailable(f"The store cannot be used as it is set up ({where}): {error}"),
        "Check the region's name (AWS_REGION or --region) and AWS_ENDPOINT_URL_DYNAMODB.",
    )


def _from_client_error(error: ClientError, *, where: str, table: str) -> DomainError:
    code, said = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    if code in _THROTTLING:
        return Throttled(f"The store is busy ({where}). Try again in a moment.", retry_after_seconds=2)
    if code in _CREDENTIALS:
        return _with(
            AccessDenied(f"AWS does not accept these credentials ({where}): {said}"),
            "Check AWS_PROFILE or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
            "Renew a session that ended, for example with: aws sso login",
            "Check that this machine's clock is right.",
        )
    if code == "AccessDeniedException":
        return _with(
            AccessDenied(f"These credentials may not do this ({where}): {said}"),
            "Give the user or role the permission that the message names, for this table and its indexes.",
        )
    if code == "ResourceNotFoundException" or "does not have the specified index" in said:
        return _with(
            TableMissing(f"Table {table} or an index of it does not exist ({where})."),
            "Create what is missing with: manage.py setup_tables",
        )
    if code == "UnknownOperationException":
        return Unsupported(f"This engine does not offer {where}.")
    if code == "LimitExceededException":
        return _with(
            StoreUnavailable(f"AWS refuses for now because a limit is reached ({where}): {said}"),
            "Wait for other table changes to finish and run the command again.",
            "Ask AWS for a higher quota of tables or of table changes at once.",
        )
    if code == "ValidationException" and "Item size" in said:
        return ItemTooLarge(f"The item is larger than DynamoDB's 400 KB ({where}).")
    if error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0) >= 500:  # noqa: PLR2004  (HTTP)
        return StoreUnavailable(f"The store failed ({where}): {code}. Try again in a moment.", retry_after_seconds=5)
    if code.isdigit():  # botocore found no DynamoDB error in the answer and gives the HTTP status instead
        return _with(
            StoreUnavailable(f"What answers at the store's address is no DynamoDB ({where}): HTTP {code}."),
            "Check the address in AWS_ENDPOINT_URL_DYNAMODB and any proxy on the way.",
        )
    raise error


def _with(error: StoreUnavailable, *remedies: str) -> StoreUnavailable:
    error.remedies = remedies
    return error


def _plain(key: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={next(iter(value.values()))}" for name, value in key.items())
