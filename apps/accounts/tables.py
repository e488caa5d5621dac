"""Where users, their API tokens and their identities elsewhere are stored."""

from apps.storage.table import Index, Key, Recovery, Table

USERS = Table(
    name="Users",
    partition_key=Key("userId"),
    indexes=(
        Index(name="email-index", partition_key=Key("email"), question="Which user has this e-mail address?"),
        Index(
            name="directory-index",
            partition_key=Key("directory"),
            sort_key=Key("name_key"),
            include=("name", "email", "roles", "isActive"),
            question="Who is there, by name?",
        ),
    ),
    recovery=Recovery.EVERYWHERE,
    description="People who may sign in.",
)

API_TOKENS = Table(
    name="ApiTokens",
    partition_key=Key("token_hash"),
    indexes=(
        Index(
            name="user_id-index",
            partition_key=Key("user_id"),
            include=("name", "hint", "created_at", "last_used_at", "expires_at"),
            question="Which API tokens does this person have?",
        ),
    ),
    ttl="expires_at",
    description="API tokens, by the hash of their text.",
)

IDENTITIES = Table(
    name="Identities",
    partition_key=Key("identity"),
    indexes=(
        Index(
            name="user_id-index",
            partition_key=Key("user_id"),
            include=("issuer", "subject", "email", "created_at"),
            question="By which providers of single sign-on does this person come in?",
        ),
    ),
    recovery=Recovery.EVERYWHERE,
    description="Who people are at providers of single sign-on.",
)

TABLES = (USERS, API_TOKENS, IDENTITIES)
