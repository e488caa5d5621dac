"""Users in the store."""

from datetime import datetime

from apps.accounts.entities import User, folded
from apps.accounts.tables import USERS
from apps.storage.conditions import Query, Update, begins_with
from apps.storage.errors import Duplicate
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.transaction import Transaction
from apps.storage.unique import Guards
from apps.storage.writes import Write

EMAIL_SCOPE = "Users.email"
# Reading for an address that nobody has must cost what reading for a known one costs.
NOBODY = "00000000-0000-0000-0000-000000000000"


class Users(Repository[User]):
    """The users; their e-mail addresses are unique by guard, and each change is written with `also` (audit entries)."""

    entity = User
    table = USERS
    noun = "user"

    def create(self, user: User, *also: Write) -> User:
        """Store a new user. Raises `Duplicate` (field `email`) where the address is taken, and then stores nothing."""
        Transaction(self.store, self.adding(user), self._claiming(user.email, user), *also).commit()
        return user.model_copy(update={"version": 1})

    def change(self, user: User, *also: Write) -> User:
        """Store the next state of a user as read, all but the address. Raises `StaleVersion`, `ItemNotFound`."""
        Transaction(self.store, self.saving(user), *also).commit()
        return user.model_copy(update={"version": user.version + 1})

    def change_email(self, user: User, email: str, *also: Write) -> User:
        """Give the user another address and its guard with it.

        Raises `Duplicate` where it is taken, `StaleVersion`, and pydantic's `ValidationError` for what is no address.
        """
        moved = user.evolve(email=email)
        if moved.email == user.email:
            return user
        guards = Guards(self.store)
        release = guards.releasing(EMAIL_SCOPE, user.email, owner=user.user_id)
        return self.change(moved, self._claiming(moved.email, moved), release, *also)

    def end_sessions(self, user_id: str, *also: Write, now: datetime) -> None:
        """Raise the user's `auth_epoch`, whatever else changes about them meanwhile. Raises `ItemNotFound`."""
        raised = self.updating(user_id, Update(add={"auth_epoch": 1}, set={"updated_at": now}))
        Transaction(self.store, raised, *also).commit()

    def by_email(self, email: str) -> User | None:
        """Who has this address: the guard's owner, read consistently by key, never through the index, which lags."""
        address = folded(email)
        owner = Guards(self.store).owner(EMAIL_SCOPE, address)
        found = self.find(owner or NOBODY, consistent=True)
        return found if found is not None and found.email == address else None

    def listed(self, prefix: str = "", *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        """Users by name, those whose name begins so. Raises `BadCursor`."""
        start = folded(prefix)
        query = Query(partition="users", index="directory-index", sort=begins_with(start) if start else None)
        return self.page(query, limit=limit, cursor=cursor)

    def _claiming(self, email: str, user: User) -> Write:
        taken = Duplicate("Somebody uses this e-mail address already.", field="email")
        return Guards(self.store).claiming(EMAIL_SCOPE, email, owner=user.user_id, otherwise=taken)
