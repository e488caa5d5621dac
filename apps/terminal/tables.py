"""Where hosts, terminal sessions and the slots of host user ids are stored."""

from apps.storage.table import Index, Key, Recovery, Table

HOSTS = Table(
    name="Hosts",
    partition_key=Key("host_name"),
    description="The mainframes a run may go to, set up by an administrator.",
)
SESSIONS = Table(
    name="Sessions",
    partition_key=Key("session_id"),
    indexes=(Index(name="user_id-index", partition_key=Key("user_id"), question="Which host sessions has this user?"),),
    description="A user's connections to a host terminal.",
)
HOST_SLOTS = Table(
    name="HostSlots",
    partition_key=Key("slot"),
    ttl="expires_at",
    recovery=Recovery.NEVER,
    description="Leases on the sessions that a host grants to one user id.",
)

TABLES = (HOSTS, SESSIONS, HOST_SLOTS)
