"""Where the versions of the ladder are stored."""

from apps.storage.table import Index, Key, Table, number

CONFIG_VERSIONS = Table(
    name="ConfigVersions",
    partition_key=Key("configId"),
    indexes=(
        Index(
            name="isActive-index",
            partition_key=number("isActive"),
            sort_key=number("createdAt"),
            question="Which versions of the ladder are, or are not, active?",
        ),
        Index(
            name="directory-index",
            partition_key=Key("directory"),
            sort_key=number("createdAt"),
            include=("version", "note", "isActive", "createdBy"),
            question="Which versions of the ladder are there, newest first?",
        ),
    ),
    description="Versions of the career ladder.",
)

TABLES = (CONFIG_VERSIONS,)
