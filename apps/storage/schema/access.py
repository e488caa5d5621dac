"""May we talk to the endpoint at all? Asked once, so that one sentence comes instead of one a table."""

from apps.storage.connection import Store
from apps.storage.errors import AccessDenied, StoreUnavailable


def check_access(store: Store) -> str:
    """Where the tables are and who asks, as words for people.

    AWS is asked for the caller's identity; an endpoint of our own only has to answer. Raises `StoreUnavailable` or
    `AccessDenied`, with `remedies`.
    """
    if store.is_local:
        store.call("list_tables", table="any table", Limit=1)
        return str(store.endpoint)
    try:
        identity = store.caller_identity()
    except AccessDenied:
        raise
    except StoreUnavailable as error:
        silent = StoreUnavailable(f"AWS cannot be reached in region {store.region}.")
        silent.remedies = (
            "Check the region's name: --region, AWS_REGION, or the profile's.",
            "Check the network, a proxy and this machine's clock.",
            "For a local engine set AWS_ENDPOINT_URL_DYNAMODB to its address.",
        )
        raise silent from error
    return f"account {identity['Account']} as {identity['Arn']}"
