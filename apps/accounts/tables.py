"""Where users are stored."""

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

TABLES = (USERS,)
