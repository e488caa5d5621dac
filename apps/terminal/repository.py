"""Hosts, sessions and slots in the store."""

from datetime import datetime, timedelta

from apps.storage.conditions import Query, Update, attribute
from apps.storage.errors import AlreadyExists, ConditionFailed, ItemNotFound
from apps.storage.repository import Repository
from apps.terminal.entities import Host, HostSlot, Session, SessionStatus
from apps.terminal.tables import HOST_SLOTS, HOSTS, SESSIONS

SLOT_LEASE = timedelta(seconds=30)


class Hosts(Repository[Host]):
    """The hosts that runs may go to: few, and all of one kind."""

    entity = Host
    table = HOSTS
    noun = "host"

    def enabled(self) -> list[Host]:
        """The hosts that may be used, by name; hosts are few, so this leafs through them all."""
        return sorted((host for host in self.leaf(limit=100) if host.enabled), key=lambda host: host.host_name)


class Sessions(Repository[Session]):
    """People's connections to hosts."""

    entity = Session
    table = SESSIONS
    noun = "host session"

    def of(self, user_id: str) -> list[Session]:
        """Every session of a person."""
        return list(self.stream(Query(partition=user_id, index="user_id-index")))

    def touch(self, session_id: str, *, status: SessionStatus, now: datetime) -> None:
        """Note that the session was used, or closed; one that is gone stays gone."""
        try:
            self.update(session_id, Update(set={"status": status, "last_activity": now}))
        except ItemNotFound:
            return


class HostSlots(Repository[HostSlot]):
    """Leases on what a host grants to one user id."""

    entity = HostSlot
    table = HOST_SLOTS
    noun = "host slot"

    def take(self, slot: str, *, owner: str, now: datetime) -> bool:
        """Take the slot, or keep it where `owner` has it already; False while somebody else holds it."""
        expires_at = now + SLOT_LEASE
        free = attribute("owner").equals(owner) | attribute("expires_at").below(now)
        try:
            self.update(slot, Update(set={"owner": owner, "expires_at": expires_at}), condition=free, mine=("owner",))
        except ItemNotFound:
            try:
                self.add(HostSlot(slot=slot, owner=owner, expires_at=expires_at))
            except AlreadyExists:
                return False
        except ConditionFailed:
            return False
        return True

    def give_back(self, slot: str, *, owner: str) -> None:
        """Free the slot if `owner` still has it."""
        try:
            self.delete(slot, condition=attribute("owner").equals(owner))
        except (ConditionFailed, ItemNotFound):
            return
