"""Users, and what lets them in, in the store."""

import contextlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from apps.accounts.entities import (
    ApiToken,
    Identity,
    Invitation,
    Role,
    SecondFactor,
    SignIn,
    User,
    folded,
    identity_key,
)
from apps.accounts.tables import API_TOKENS, IDENTITIES, INVITATIONS, SECOND_FACTORS, SIGN_INS, USERS
from apps.storage.conditions import Query, Update, attribute, begins_with
from apps.storage.errors import ConditionFailed, ItemNotFound
from apps.storage.page import Page
from apps.storage.repository import Repository
from apps.storage.transaction import Transaction
from apps.storage.unique import Guards, place
from apps.storage.writes import Write

# Reading for an address that nobody has must cost what reading for a known one costs.
NOBODY = "00000000-0000-0000-0000-000000000000"
USED_EVERY = timedelta(minutes=5)


class Users(Repository[User]):
    """The users; their e-mail addresses are unique, and each change is written with an audit entry."""

    entity = User
    table = USERS
    noun = "user"

    def end_sessions(self, user_id: str, *also: Write, now: datetime) -> None:
        """Raise the user's `auth_epoch`, whatever else changes about them meanwhile. Raises `ItemNotFound`."""
        raised = self.updating(user_id, Update(add={"auth_epoch": 1}, set={"updated_at": now}))
        Transaction(self.store, raised, *also).commit()

    def demanding_administrator(self, user_id: str) -> Write:
        """The check, for a transaction, that this user is an active administrator at that very moment."""
        return self.demanding(user_id, Role.ADMIN)

    def demanding(self, user_id: str, role: Role) -> Write:
        """The check, for a transaction, that this user is active and has this role at that very moment."""
        is_active = attribute("is_active").equals(value=True)
        return self.checking(user_id, is_active & attribute("roles").contains(role))

    def replace_hash(self, user: User, password_hash: str) -> None:
        """Store another hash of the same password, unless it was changed meanwhile or the user is gone."""
        unchanged = attribute("password_hash").equals(user.password_hash)
        with contextlib.suppress(ConditionFailed, ItemNotFound):
            self.update(user.user_id, Update(set={"password_hash": password_hash}), condition=unchanged)

    def by_email(self, email: str) -> User | None:
        """Who has this address, read consistently by key, never through the index, which lags."""
        found = self.find_unique("email", folded(email))
        return found if found is not None else self.find(NOBODY, consistent=True)

    def by_emails(self, emails: Iterable[str]) -> dict[str, User]:
        """Who has these addresses, by address as it is stored: two batches of keys for each hundred, consistently."""
        (unique,) = self.entity.unique
        taken = [place(self.table, unique, {unique.field: folded(email)}) for email in emails]
        guards = Guards(self.store).get_many(["#".join(one) for one in taken if one is not None], consistent=True)
        found = self.get_many([guard.owner for guard in guards], consistent=True)
        return {user.email: user for user in found}

    def listed(self, prefix: str = "", *, limit: int = 50, cursor: str | None = None) -> Page[User]:
        """Users by name, those whose name begins so. Raises `BadCursor`."""
        start = folded(prefix)
        query = Query(partition="users", index="directory-index", sort=begins_with(start) if start else None)
        return self.page(query, limit=limit, cursor=cursor)

    def with_role(self, role: Role, prefix: str, *, limit: int, budget: int = 400) -> Page[User]:
        """Active people with this role whose name begins so, by name, looking at `budget` people at most."""
        start = folded(prefix)
        fitting = attribute("roles").contains(role) & attribute("is_active").equals(value=True)
        sort = begins_with(start) if start else None
        query = Query(partition="users", index="directory-index", sort=sort, filter=fitting)
        return self.page(query, limit=limit, budget=budget)


class ApiTokens(Repository[ApiToken]):
    """The API tokens, by the hash of their text; an expired one is gone at once, although the store deletes it late."""

    entity = ApiToken
    table = API_TOKENS
    noun = "API token"

    def of(self, user_id: str) -> list[ApiToken]:
        """This user's tokens, the newest first."""
        found = self.stream(Query(partition=user_id, index="user_id-index"))
        return sorted(found, key=lambda token: token.created_at, reverse=True)

    def note_used(self, token: ApiToken, *, now: datetime) -> None:
        """Say that a token was used: at most one small write in five minutes, which changes nothing else."""
        seen = attribute("last_used_at")
        if token.last_used_at is not None and now - token.last_used_at < USED_EVERY:
            return
        unchanged = seen.missing() if token.last_used_at is None else seen.equals(token.last_used_at)
        with contextlib.suppress(ConditionFailed, ItemNotFound):  # another request said it, or the token was revoked
            self.update(token.token_hash, Update(set={"last_used_at": now}), condition=unchanged)


class Identities(Repository[Identity]):
    """Who people are at providers of single sign-on: an identity has one user, a user one identity at each provider."""

    entity = Identity
    table = IDENTITIES
    noun = "identity"

    def named(self, *, issuer: str, subject: str) -> Identity | None:
        """This identity, read consistently by key."""
        return self.find(identity_key(issuer, subject), consistent=True)

    def held_by(self, user_id: str, *, issuer: str) -> Identity | None:
        """Who this user is at this provider, read consistently through the guard that keeps it to one."""
        return self.find_unique("user_id", user_id, within=issuer)

    def of(self, user_id: str) -> list[Identity]:
        """Who this user is at any provider, former ones too, the first connected first; the index lags."""
        found = self.stream(Query(partition=user_id, index="user_id-index"))
        return sorted(found, key=lambda identity: identity.created_at)


class Invitations(Repository[Invitation]):
    """Invitations and password resets; an expired one is gone at once, although the store deletes it late."""

    entity = Invitation
    table = INVITATIONS
    noun = "link"


class SignIns(Repository[SignIn]):
    """The last sign-in of each user."""

    entity = SignIn
    table = SIGN_INS
    noun = "sign-in"

    def noting(self, user_id: str, *, at: datetime, address: str, device: str) -> Write:
        """The write that says that somebody signed in, over what was said before."""
        change = Update(set={"at": at, "address": address, "device": device})
        return self.updating(user_id, change, or_create=True)


class SecondFactors(Repository[SecondFactor]):
    """The second factors, one a user at most: in use, or being set up."""

    entity = SecondFactor
    table = SECOND_FACTORS
    noun = "second factor"

    def in_use_by(self, user_id: str) -> SecondFactor | None:
        """This user's confirmed second factor, read consistently."""
        found = self.find(user_id, consistent=True)
        return found if found is not None and found.confirmed_at is not None else None
