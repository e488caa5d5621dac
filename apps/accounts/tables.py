"""Where users are stored, and what lets them in."""

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

INVITATIONS = Table(
    name="Invitations",
    partition_key=Key("token_hash"),
    ttl="expires_at",
    recovery=Recovery.NEVER,
    description="Invitations and password resets, by the hash of the link's token.",
)

SIGN_INS = Table(
    name="SignIns",
    partition_key=Key("user_id"),
    recovery=Recovery.NEVER,
    description="When each user last signed in.",
)

SECOND_FACTORS = Table(
    name="SecondFactors",
    partition_key=Key("user_id"),
    ttl="expires_at",
    recovery=Recovery.EVERYWHERE,
    description="Keys of authenticator apps, encrypted, and hashes of recovery codes.",
)

TABLES = (USERS, API_TOKENS, IDENTITIES, INVITATIONS, SIGN_INS, SECOND_FACTORS)
