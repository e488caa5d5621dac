"""What can go wrong with the store, as domain errors; no botocore error leaves this package."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Self, TypeVar

from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    CredentialRetrievalError,
    EndpointConnectionError,
    HTTPClientError,
    LoginRefreshRequired,
    MetadataRetrievalError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProfileNotFound,
    ProxyConnectionError,
    SSOTokenLoadError,
    TokenRetrievalError,
    UnauthorizedSSOTokenError,
)
from botocore.exceptions import (
    ConnectionError as BotoConnectionError,
)

from apps.errors import Conflict, DomainError, Invalid, NotFound, Unavailable


class StoreError(DomainError):
    """An error that knows where it happened.

    `table` is the declared name (several joined by `+`), `operation` boto3's method name, and `key` the key's values as
    text by attribute; each is empty where there is none. `message` names them, for logs and commands; `public_message`
    does not.
    """

    table: str = ""
    operation: str = ""
    key: Mapping[str, str] = MappingProxyType({})
    _sentence: str | None = None

    def at(self, *, table: str, operation: str, key: Mapping[str, Any] | None = None) -> Self:
        """The same error, which now names where it happened; one that names it already stays as it is.

        `key` is in DynamoDB's JSON.
        """
        if not self.operation:
            self._told_at(_where(operation, table, key))
            _place(self, table=table, operation=operation, key=key)
        return self

    def _told_at(self, where: str) -> None:
        self._sentence = self.message
        self.message = f"{self.message.removesuffix('.')} ({where})."

    def __str__(self) -> str:
        return self.message

    @property
    def public_message(self) -> str:
        """The sentence without table, operation and key, which are nobody's business on a page."""
        return self.message if self._sentence is None else self._sentence


E = TypeVar("E", bound=StoreError)


class ItemNotFound(StoreError, NotFound):
    """No item has this key."""


class AlreadyExists(StoreError, Conflict):
    """An item with this key is there already."""

    code = "already_exists"


class ConditionFailed(StoreError, Conflict):
    """The stored item is not as the write demanded; `stored` is the entity found there, or None.

    `is_certain` is False where an earlier try of the same write, whose answer was lost, may have made it so.
    """

    code = "condition_failed"
    stored: Any = None
    is_certain: bool = True


class Contention(StoreError, Conflict):
    """Another write to the same item, or a transaction with it, is under way; nothing was written."""

    code = "contention"
    retryable = True

    def __init__(self, message: str = "Others are changing the same things right now. Try again in a moment.") -> None:
        """The sentence is always the same."""
        super().__init__(message)


class TokenUsed(StoreError, Conflict):
    """A transaction with this token was committed already, with other content: nothing was written now."""

    code = "token_used"


class StaleVersion(ConditionFailed):
    """Somebody else saved this item after it was read; `stored` is what they saved."""

    code = "stale_version"


class Duplicate(StoreError, Conflict):
    """A value that must be unique is taken."""

    code = "duplicate"


class KeyRefused(StoreError, Invalid):
    """The store refuses a key that is empty or too long; nothing was written."""

    code = "unfit_key"


class ItemTooLarge(StoreError, Invalid):
    """The item exceeds DynamoDB's 400 KB and was not stored."""

    code = "too_large"


class BadCursor(StoreError, Invalid):
    """The cursor was not issued for this question, or not by us."""

    code = "bad_cursor"


class StoreUnavailable(StoreError, Unavailable):
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


class OutcomeUnknown(StoreUnavailable):
    """A change was sent and no answer came back: it may be stored, or not, and sending it again could do it twice."""

    code = "outcome_unknown"
    retryable = False

    @property
    def public_message(self) -> str:
        """What to do, without table, operation and key."""
        return "It is not known whether this was written. Look at it, and repeat your change if it is not there."


class TableMissing(StoreUnavailable):
    """A table or index that the code uses does not exist."""

    code = "table_missing"
    retryable = False


class AccessDenied(StoreUnavailable):
    """The credentials are missing, wrong or may not do this."""

    code = "access_denied"
    retryable = False


class UnreadableItem(StoreUnavailable):
    """A stored item is not as its entity takes it: another release or another program wrote it; the cause says more."""

    code = "unreadable_item"
    retryable = False


class SecretUnreadable(StoreUnavailable):
    """A stored secret cannot be opened: its key is gone, or it is not where it belongs."""

    code = "secret_unreadable"
    retryable = False


class Unsupported(StoreError):
    """This engine lacks the capability; not a failure of the table."""

    code = "unsupported"


_SERVER_FAULT = 500
_THROTTLING = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "Throttling",
        "TooManyRequestsException",
        "ThrottlingException",
        "TransactionInProgressException",
    }
)
_CREDENTIALS = frozenset(
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)


_DENIED = frozenset({"AccessDenied", "AccessDeniedException"})
_OTHERS_WRITE = frozenset({"ReplicatedWriteConflictException", "TransactionConflictException"})
_SIGN_IN = "Renew a session that ended, for example with: aws sso login"
_TOO_MANY_REQUESTS = 429
_TOO_LARGE = 413
_SIGN_IN_NEEDED = (LoginRefreshRequired, SSOTokenLoadError, TokenRetrievalError, UnauthorizedSSOTokenError)


class DamagedAnswer(BotoCoreError):
    """What came back is not what a store says: cut short, altered on the way, or no DynamoDB answer at all."""

    fmt = "The answer is damaged: {reason}"


def error_code(error: ClientError) -> str:
    """DynamoDB's own name of the error, such as `ConditionalCheckFailedException`."""
    return str(error.response.get("Error", {}).get("Code", ""))


def may_have_been_written(error: ClientError | BotoCoreError) -> bool:
    """Whether a write that ended so may have reached the store all the same."""
    if isinstance(error, ClientError):
        return _http_status(error) >= _SERVER_FAULT and error_code(error) not in _THROTTLING
    if isinstance(error, ConnectTimeoutError | EndpointConnectionError | ProxyConnectionError):
        return False
    return isinstance(error, BotoConnectionError | HTTPClientError | DamagedAnswer)


def may_be_written(error: BaseException | None) -> bool:
    """Whether any try of the request that ended in this error may have been carried out; the data plane marks it."""
    return bool(getattr(error, "may_be_written", False))


def translate(
    error: ClientError | BotoCoreError,
    *,
    operation: str,
    table: str,
    key: Mapping[str, Any] | None = None,
    repeatable: bool = True,
) -> DomainError:
    """The domain error for what botocore raised; `key` is in DynamoDB's JSON.

    Conditional failures are not told apart here: the repository knows what its condition meant. A write that is not
    `repeatable` and may have been written is `OutcomeUnknown`. Errors that only a bug can cause are raised: a malformed
    expression unchanged, a malformed request as a `TypeError` without its values.
    """
    where = _where(operation, table, key)
    if not repeatable and may_have_been_written(error):
        found: StoreError = outcome_unknown(table=table, operation=operation, key=key)
    elif isinstance(error, ClientError) and error_code(error) in _OTHERS_WRITE:
        return Contention().at(table=table, operation=operation, key=key)
    elif isinstance(error, ClientError):
        found = _from_client_error(error, where=where, table=table)
    else:
        found = _from_botocore_error(error, where=where)
    return _place(found, table=table, operation=operation, key=key)


def outcome_unknown(*, table: str, operation: str, key: Mapping[str, Any] | None = None) -> OutcomeUnknown:
    """The error of a write whose answer was lost and that must not be sent again blindly."""
    where = _where(operation, table, key)
    error = OutcomeUnknown(f"It is not known whether this was written ({where}). Look, and repeat it if it is not.")
    error.remedies = ("Read the item before the change is repeated: to repeat it blindly could do it twice.",)
    return _place(error, table=table, operation=operation, key=key)


def _from_botocore_error(error: BotoCoreError, *, where: str) -> StoreUnavailable:
    if isinstance(error, ParamValidationError):
        raise TypeError(f"{where} was given a value of a type that DynamoDB does not take") from None
    if isinstance(error, NoCredentialsError | PartialCredentialsError):
        return _with(
            AccessDenied(f"No usable AWS credentials were found ({where})."),
            "Set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or run where a role gives them.",
            "For a local engine set AWS_ENDPOINT_URL_DYNAMODB to its address.",
        )
    if isinstance(error, _SIGN_IN_NEEDED):
        return _with(AccessDenied(f"The session with AWS ended or was never begun ({where})."), _SIGN_IN)
    if isinstance(error, CredentialRetrievalError | MetadataRetrievalError):
        return _with(
            StoreUnavailable(
                f"The AWS credentials could not be fetched ({where}). Try again in a moment.", retry_after_seconds=5
            ),
            "Check the service or program that gives this machine its credentials.",
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
    if isinstance(error, DamagedAnswer):
        return _with(
            StoreUnavailable(
                f"The store's answer makes no sense ({where}). Try again in a moment.", retry_after_seconds=5
            ),
            "Check the address in AWS_ENDPOINT_URL_DYNAMODB and any proxy on the way.",
        )
    return _lasting(
        StoreUnavailable(f"The store cannot be used as it is set up ({where}): {error}"),
        "Check the region's name (AWS_REGION or --region) and AWS_ENDPOINT_URL_DYNAMODB.",
    )


def _from_client_error(error: ClientError, *, where: str, table: str) -> StoreError:
    code, said = error_code(error), str(error.response.get("Error", {}).get("Message", ""))
    status = _http_status(error)
    found = (
        _of_access(code, said, where=where)
        or _of_the_request(code, said, status=status, where=where)
        or _of_the_store(code, said, table=table, where=where)
        or _of_the_address(code, status=status, where=where)
    )
    if found is None:
        raise error
    return found


def _of_access(code: str, said: str, *, where: str) -> StoreUnavailable | None:
    """The error for credentials and keys that are not accepted."""
    if code in _CREDENTIALS:
        return _with(
            AccessDenied(f"AWS does not accept these credentials ({where}): {said}"),
            "Check AWS_PROFILE or AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN.",
            _SIGN_IN,
            "Check that this machine's clock is right.",
        )
    if code in _DENIED:
        return _with(
            AccessDenied(f"These credentials may not do this ({where}): {said}"),
            "Give the user or role the permission that the message names, for this table and its indexes.",
        )
    if code == "InaccessibleEncryptionCredentialsException" or code.startswith("KMS"):
        return _lasting(
            StoreUnavailable(f"The key that encrypts the table cannot be used ({where}): {code}: {said}"),
            "Enable the table's key in AWS KMS, and let these credentials use it.",
        )
    return None


def _of_the_request(code: str, said: str, *, status: int, where: str) -> StoreError | None:
    """The error for a request that the store does not carry out as it is."""
    if code == "UnknownOperationException":
        return _told(Unsupported, "This engine does not offer that.", where)
    if code == "IdempotentParameterMismatchException":
        return _told(TokenUsed, "Something else was committed under this token less than ten minutes ago.", where)
    if code == "RequestEntityTooLargeException" or (status == _TOO_LARGE and not code.endswith("Exception")):
        return _told(ItemTooLarge, "The request is larger than DynamoDB takes.", where)
    if code != "ValidationException":
        return None
    if "4MB limit" in said:
        return _told(ItemTooLarge, "Together these items are larger than the 4 MB of one transaction.", where)
    if "Item size" in said:
        return _told(ItemTooLarge, "The item is larger than DynamoDB's 400 KB.", where)
    return _told(KeyRefused, "A part of a key is empty or too long.", where) if _speaks_of_unfit_key(said) else None


def _of_the_store(code: str, said: str, *, table: str, where: str) -> StoreError | None:
    """The error for tables that are missing and limits that are reached."""
    if code == "ResourceNotFoundException" or "does not have the specified index" in said:
        return _with(
            TableMissing(f"Table {table} or an index of it does not exist ({where})."),
            "Create what is missing with: manage.py setup_tables",
        )
    if code == "LimitExceededException":
        return _with(
            StoreUnavailable(f"AWS refuses for now because a limit is reached ({where}): {said}"),
            "Wait for other table changes to finish and run the command again.",
            "Ask AWS for a higher quota of tables or of table changes at once.",
        )
    return None


def _of_the_address(code: str, *, status: int, where: str) -> StoreUnavailable | None:
    """The error for a store that is busy or broken, and for what answers in its place."""
    if code in _THROTTLING or status == _TOO_MANY_REQUESTS:
        return Throttled(f"The store is busy ({where}). Try again in a moment.", retry_after_seconds=2)
    if status >= _SERVER_FAULT:
        return StoreUnavailable(f"The store failed ({where}): {code}. Try again in a moment.", retry_after_seconds=5)
    if code and not code.isdigit():
        return None
    # Botocore found no DynamoDB error in the answer, and gives the HTTP status instead, or nothing.
    return _lasting(
        StoreUnavailable(f"What answers at the store's address is no DynamoDB ({where}): HTTP {code or status}."),
        "Check the address in AWS_ENDPOINT_URL_DYNAMODB and any proxy on the way.",
    )


def _speaks_of_unfit_key(said: str) -> bool:
    """Whether DynamoDB refuses an empty or over-long key; nothing else that it finds malformed is the data's fault."""
    told = said.casefold()
    return "key" in told and ("empty string" in told or "empty binary" in told or "has exceeded" in told)


def _with(error: StoreUnavailable, *remedies: str) -> StoreUnavailable:
    error.remedies = remedies
    return error


def _told(kind: type[E], sentence: str, where: str) -> E:
    error = kind(sentence)
    error._told_at(where)  # noqa: SLF001  (its own module)
    return error


def _lasting(error: StoreUnavailable, *remedies: str) -> StoreUnavailable:
    error.retryable = False
    return _with(error, *remedies)


def _place(error: E, *, table: str, operation: str, key: Mapping[str, Any] | None) -> E:
    error.table, error.operation = table, operation
    error.key = {name: str(next(iter(value.values()))) for name, value in (key or {}).items()}
    return error


def _where(operation: str, table: str, key: Mapping[str, Any] | None) -> str:
    told = ", ".join(f"{name}={next(iter(value.values()))}" for name, value in (key or {}).items())
    return f"{operation} on {table}" + (f" for key {told}" if told else "")


def _http_status(error: ClientError) -> int:
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
