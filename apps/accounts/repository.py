"""Users in the store."""

from datetime import datetime

from apps.accounts.entities import User, folded
from apps.accounts.tables import USERS
from apps.storage.conditions import Query, Update, begins_with
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.transaction import Transaction
from apps.storage.writes import Write

# Reading for an address that nobody has must cost what reading for a known one costs.
NOBODY = "00000000-0000-0000-0000-000000000000"


class Users(Repository[User]):
    """The users; their e-mail addresses are unique, and each change is written with an audit entry."""

    entity = User
    table = USERS
    noun = "user"

    def end_sessions(self, user_id: str, *also: Write, now: datetime) -> None:
        """Raise the user's `auth_epoch`, whatever else changes about them meanwhile. Raises `ItemNotFound`."""
        raised = self.updating(user_id, Update(add={"auth_epoch": 1}, set={"updated_at": now}))
        Transaction(self.store, raised, *also).commit()

    def by_email(self, email: str) -> User | None:
        """Who has this address, read consistently by key, never through the index, which lags."""
        found = self.find_unique("email", folded(email))
        return found if found is not None else self.find(NOBODY, consistent=True)

    def listed(self, prefix: str = "", *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        """Users by name, those whose name begins so. Raises `BadCursor`."""
        start = folded(prefix)
        query = Query(partition="users", index="directory-index", sort=begins_with(start) if start else None)
        return self.page(query, limit=limit, cursor=cursor)
