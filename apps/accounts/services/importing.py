"""People out of a spreadsheet: first what would be done, then exactly that.

A plan is made from what is stored at that moment, shown, and carried out later. Every part of it is a transaction that
is conditional on what was shown, so that a plan that broke off can be carried out again: what is done stays done, and
nothing is done twice.
"""

import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, TypeVar

from pydantic import BaseModel, ConfigDict

from apps.accounts.entities import Role, User
from apps.accounts.people_sheet import PersonRow
from apps.accounts.permissions import Permission, require
from apps.accounts.repository import Users
from apps.accounts.services._recording import object_of
from apps.accounts.services.people import change_user
from apps.audit.entities import Actor
from apps.audit.repository import AuditLog
from apps.spreadsheets import Finding
from apps.storage.errors import AlreadyExists, Duplicate, ItemNotFound, StaleVersion
from apps.storage.sessions import WebSessions
from apps.storage.transaction import Transaction

PersonT = TypeVar("PersonT")

STEP: Final = 30
"""People in a step: a user, the guard of the address and an audit entry for each, below 100 items."""


class PersonToAdd(BaseModel):
    """Somebody new, under an id that is chosen already: a second time they are found there."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    email: str
    name: str
    roles: frozenset[Role]


class PersonToChange(BaseModel):
    """Somebody who is there in this version, and what they are to be like."""

    model_config = ConfigDict(frozen=True)

    user_id: str
    version: int
    email: str
    before_name: str
    name: str
    before_roles: frozenset[Role]
    roles: frozenset[Role]

    @property
    def new_roles(self) -> frozenset[Role]:
        """The roles that they get; none is ever taken away by a file."""
        return self.roles - self.before_roles


class PeoplePlan(BaseModel):
    """Who is added, who is changed, and how many are left as they are."""

    model_config = ConfigDict(frozen=True)

    add: tuple[PersonToAdd, ...] = ()
    change: tuple[PersonToChange, ...] = ()
    left: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PeopleImported:
    """How many were added and changed now, how many were so already, and who was left out and why."""

    added: int = 0
    changed: int = 0
    done_before: int = 0
    left_out: Sequence[str] = field(default_factory=tuple)


def plan_people(users: Users, people: Sequence[PersonRow]) -> tuple[PeoplePlan, list[Finding]]:
    """What these rows would do to who is there now, and which of them cannot be done at all."""
    known = users.by_emails(person.email for person in people)
    add: list[PersonToAdd] = []
    change: list[PersonToChange] = []
    findings: list[Finding] = []
    for person in people:
        user = known.get(person.email)
        if user is None:
            new = PersonToAdd(user_id=str(uuid.uuid4()), email=person.email, name=person.name, roles=person.roles)
            add.append(new)
        elif not user.is_active:
            told = "this account is deactivated; reactivate it first, or take the line out"
            findings.append(Finding(person.line, person.email, told))
        elif user.name != person.name or not person.roles <= user.roles:
            change.append(_to_change(user, person))
    left = len(people) - len(add) - len(change) - len(findings)
    return PeoplePlan(add=tuple(add), change=tuple(change), left=left), findings


def import_people(
    users: Users,
    *,
    plan: PeoplePlan,
    by: User,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
    sessions: WebSessions,
) -> PeopleImported:
    """Carry out a plan. Nobody gets a password: they come by an invitation, a reset or single sign-on.

    Raises `NotFound` and `Forbidden`; whoever was changed or took an address since the plan was made is left out.
    """
    require(by, Permission.USERS_CHANGE)
    require(by, Permission.USERS_ROLES)
    added = changed = before = 0
    left_out: list[str] = []
    for people in _steps(plan.add):
        there = {user.user_id for user in users.get_many([one.user_id for one in people], consistent=True)}
        new = [_user(one, actor=actor, now=now) for one in people if one.user_id not in there]
        taken = _added(users, new, actor=actor, now=now, audit=audit)
        before += len(there)
        added += len(new) - len(taken)
        left_out += [f"{user.email}: somebody has this address by now" for user in taken]
    for step in _steps(plan.change):
        known = {user.user_id: user for user in users.get_many([one.user_id for one in step], consistent=True)}
        for wanted in step:
            user = known.get(wanted.user_id)
            if user is not None and user.name == wanted.name and wanted.roles <= user.roles:
                before += 1
            elif (
                user is not None
                and user.version == wanted.version
                and _is_changed(users, user, wanted, by=by, actor=actor, now=now, audit=audit, sessions=sessions)
            ):
                changed += 1
            else:
                left_out.append(f"{wanted.email}: changed by somebody else meanwhile; import the file again")
    return PeopleImported(added=added, changed=changed, done_before=before, left_out=left_out)


def _to_change(user: User, person: PersonRow) -> PersonToChange:
    return PersonToChange(
        user_id=user.user_id,
        version=user.version,
        email=user.email,
        before_name=user.name,
        name=person.name,
        before_roles=user.roles,
        roles=user.roles | person.roles,
    )


def _user(one: PersonToAdd, *, actor: Actor, now: datetime) -> User:
    return User(
        user_id=one.user_id,
        email=one.email,
        name=one.name,
        roles=one.roles,
        created_at=now,
        updated_at=now,
        created_by=actor.actor_id,
    )


def _added(users: Users, new: Sequence[User], *, actor: Actor, now: datetime, audit: AuditLog) -> list[User]:
    """Store these people in one transaction, or else one by one; those whose address is taken are returned."""
    writes = [
        (
            users.adding(user),
            audit.recording(
                object_of(user),
                action="user.created",
                actor=actor,
                at=now,
                after={"email": user.email, "name": user.name, "roles": user.roles},
            ),
        )
        for user in new
    ]
    try:
        Transaction(users.store, *(write for pair in writes for write in pair)).commit()
    except (Duplicate, AlreadyExists):
        if len(new) > 1:
            return [one for user in new for one in _added(users, [user], actor=actor, now=now, audit=audit)]
        return [user for user in new if users.find(user.user_id, consistent=True) is None]
    return []


def _is_changed(
    users: Users,
    user: User,
    wanted: PersonToChange,
    *,
    by: User,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
    sessions: WebSessions,
) -> bool:
    """Change somebody who is still as they were shown; whether that was so."""
    after = user.evolve(name=wanted.name, roles=wanted.roles)
    try:
        change_user(users, before=user, after=after, by=by, actor=actor, now=now, audit=audit, sessions=sessions)
    except (StaleVersion, ItemNotFound):
        return False
    return True


def _steps(people: Sequence[PersonT]) -> Iterator[Sequence[PersonT]]:
    return (people[start : start + STEP] for start in range(0, len(people), STEP))
