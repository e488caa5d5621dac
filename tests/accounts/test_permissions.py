"""The two tables of the design, cell by cell, against the one in the code."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest

from apps.accounts.entities import ANONYMOUS, Role, User
from apps.accounts.permissions import RULES, Permission, allowed, require
from apps.errors import Forbidden, NotFound


@dataclass(frozen=True)
class InTeam:
    """What is asked about in assessments: a team, a plan, an assessment, a report."""

    manager_id: str = "the manager"
    member_ids: frozenset[str] = frozenset({"the member", "another member"})
    team_member_id: str = "the member"
    assessor_id: str = "the manager"


@dataclass(frozen=True)
class Owned:
    """A run, a tree of requirements."""

    user_id: str
    shared_with: frozenset[str] = frozenset()


def person(*roles: Role, user_id: str = "u", is_active: bool = True) -> User:
    return User(user_id=user_id, email="u@example.org", name="U", roles=frozenset(roles), is_active=is_active)


# --- assessments: admin, manager of the team, the member, anyone else ------------------------------------------------

ASSESSMENTS = """
team.see                    yes yes yes no
team.edit                   yes yes no  no
team.delete                 yes no  no  no
plan.manage                 yes yes no  no
self_assessment.fill_in     no  no  yes no
self_assessment.see         yes yes yes no
manager_assessment.fill_in  no  yes no  no
manager_assessment.see      yes yes no  no
assessment.reopen           yes no  no  no
report.see                  yes yes yes no
report.export               yes yes no  no
ladder.change               yes no  no  no
users.roles                 yes no  no  no
"""
# What the agreed table leaves open, as we chose it: the least that lets everybody do their part.
ASSESSMENTS += """\
team.create                 yes no  no  no
report.discuss              no  yes no  no
organisation.see            yes no  no  no
ladder.see                  yes yes yes yes
"""
CELLS = [
    (permission, who, cell)
    for permission, *row in map(str.split, ASSESSMENTS.strip().splitlines())
    for who, cell in zip(("admin", "manager of the team", "the member", "anyone else"), row, strict=True)
]
COLUMNS = {
    "admin": [person(Role.ADMIN, user_id="ada")],
    "manager of the team": [person(Role.MANAGER, user_id="the manager")],
    "the member": [person(Role.TEAM_MEMBER, user_id="the member")],
    "anyone else": [
        person(Role.MANAGER, user_id="a manager of others"),
        person(Role.TEAM_MEMBER, user_id="a member elsewhere"),
        *(
            person(role, user_id=user_id)  # who is named in the team, but has not the role for it any more
            for role in (Role.OPERATOR, Role.SHOP_OPERATOR, Role.ANALYST, Role.SUPPORT, Role.VIEWER)
            for user_id in ("the manager", "the member", "somebody")
        ),
        person(user_id="the member"),
        person(user_id="the manager"),
    ],
}


@pytest.mark.parametrize(("permission", "who", "cell"), CELLS)
def test_assessments_are_as_agreed(permission: str, who: str, cell: str) -> None:
    for user in COLUMNS[who]:
        assert allowed(user, permission, InTeam()) is (cell == "yes"), user


def test_another_member_of_the_team_sees_the_team_and_nobodys_assessment() -> None:
    colleague = person(Role.TEAM_MEMBER, user_id="another member")
    found = {one for one in RULES if one.split(".")[0] in KINDS_IN_TEAMS and allowed(colleague, one, InTeam())}
    assert found == {Permission.TEAM_SEE}


KINDS_IN_TEAMS = {"team", "plan", "self_assessment", "manager_assessment", "assessment", "report", "organisation"}


def test_an_administrator_fills_in_what_is_about_themselves_and_nobody_elses() -> None:
    ada = person(Role.ADMIN, Role.TEAM_MEMBER, user_id="ada")
    assert not allowed(ada, Permission.SELF_ASSESSMENT_FILL_IN, InTeam())
    assert not allowed(ada, Permission.MANAGER_ASSESSMENT_FILL_IN, InTeam())
    assert allowed(ada, Permission.SELF_ASSESSMENT_FILL_IN, InTeam(team_member_id="ada"))


# --- the rest: on one's own, on what is shared with one, on anybody's ------------------------------------------------

THE_REST = """
                      admin  operator  shop_operator  analyst  support  viewer
run.launch            yes    yes       no             no       no       no
run.see               yes    yes       no             no       yes      no
run.control           yes    own       no             no       no       no
run.screens           yes    own+shared no            no       no       no
hosts.see             yes    yes       no             no       yes      no
hosts.change          yes    no        no             no       no       no
shops.see             yes    no        yes            no       yes      yes
shops.change          yes    no        yes            no       no       no
requirements.see      yes    no        no             own+shared no     shared
requirements.change   yes    no        no             own+shared no     no
waitlist.see          yes    no        no             no       yes      yes
waitlist.change       yes    no        no             no       yes      no
users.see             yes    no        no             no       yes      no
users.change          yes    no        no             no       no       no
users.unlock          yes    no        no             no       yes      no
users.invite          yes    no        no             no       yes      no
tables.see            yes    no        no             no       yes      no
tables.change         yes    no        no             no       no       no
audit.see             yes    no        no             no       no       no
"""
ROLES_OF_THE_REST, *ROWS = map(str.split, THE_REST.strip().splitlines())
THINGS = {"own": Owned("u"), "shared": Owned("x", frozenset({"u"})), "anybody's": Owned("x", frozenset({"y"}))}
MEANS = {
    "yes": {*THINGS, "none in particular"},
    "own": {"own"},
    "shared": {"shared"},
    "own+shared": {"own", "shared"},
    "no": set(),
}


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("row", ROWS, ids=[row[0] for row in ROWS])
def test_the_rest_is_as_agreed(role: Role, row: list[str]) -> None:
    permission, cells, user = row[0], dict(zip(ROLES_OF_THE_REST, row[1:], strict=True)), person(role)
    found = {name for name, thing in THINGS.items() if allowed(user, permission, thing)}
    if allowed(user, permission):
        found.add("none in particular")
    assert found == MEANS[cells.get(role, "no")]


# --- beyond the cells ------------------------------------------------------------------------------------------------


def test_every_permission_is_in_the_table_and_in_one_of_these() -> None:
    transcribed = [permission for permission, who, _ in CELLS if who == "admin"] + [row[0] for row in ROWS]
    assert len(transcribed) == len(set(transcribed))
    assert set(transcribed) == set(Permission) == set(RULES)


def test_support_and_viewer_never_read_assessments_reports_or_screens() -> None:
    everything = SimpleNamespace(**vars(InTeam("u", frozenset("u"), "u", "u")), user_id="u", shared_with={"u"})
    for role in (Role.SUPPORT, Role.VIEWER):
        found = {one for one in RULES if allowed(person(role), one, everything)}
        assert not [one for one in found if one.split(".")[0] in KINDS_IN_TEAMS or one == Permission.RUN_SCREENS]


def test_roles_add_up() -> None:
    both = person(Role.ANALYST, Role.SHOP_OPERATOR)
    assert allowed(both, "shops.change")
    assert allowed(both, "requirements.change", Owned("u"))
    assert not allowed(both, "run.see")


def test_nobody_and_the_inactive_may_nothing() -> None:
    theirs = SimpleNamespace(**vars(InTeam("", frozenset({""}), "", "")), user_id="", shared_with={""})
    assert not any(allowed(ANONYMOUS, permission, theirs) for permission in Permission)
    inactive = person(*Role, is_active=False)
    mine = SimpleNamespace(**vars(InTeam("u", frozenset("u"), "u", "u")), user_id="u", shared_with={"u"})
    assert not any(allowed(inactive, permission, mine) for permission in Permission)


def test_a_relation_does_not_hold_to_nothing() -> None:
    assert not allowed(person(Role.OPERATOR), Permission.RUN_CONTROL)
    with pytest.raises(Forbidden):
        require(person(Role.OPERATOR), Permission.RUN_CONTROL)


def test_a_thing_without_what_the_rule_asks_of_it_is_a_bug() -> None:
    with pytest.raises(AttributeError):
        allowed(person(Role.OPERATOR), Permission.RUN_CONTROL, InTeam())
    with pytest.raises(AttributeError):
        allowed(person(Role.MANAGER), Permission.TEAM_SEE, Owned("u"))


def test_a_permission_that_does_not_exist_is_a_bug() -> None:
    for ask in (allowed, require):
        with pytest.raises(KeyError):
            ask(person(Role.ADMIN), "run.lunch")


@pytest.mark.parametrize(
    ("user", "permission", "thing"),
    [
        (person(Role.SUPPORT), "run.control", Owned("x")),
        (person(Role.OPERATOR), "run.control", Owned("x")),
        (person(Role.OPERATOR), "hosts.change", None),
        (person(Role.MANAGER, user_id="the manager"), "team.delete", InTeam()),
        (person(Role.MANAGER, user_id="the manager"), "self_assessment.fill_in", InTeam()),
        (person(Role.MANAGER, user_id="the manager"), "assessment.reopen", InTeam()),
        (person(Role.TEAM_MEMBER, user_id="the member"), "report.export", InTeam()),
        (person(Role.VIEWER), "requirements.change", Owned("x", frozenset({"u"}))),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_sees_it_is_told_that_they_may_not_do_it(user: User, permission: str, thing: Any) -> None:
    with pytest.raises(Forbidden):
        require(user, permission, thing)


@pytest.mark.parametrize(
    ("user", "permission", "thing"),
    [
        *((person(Role.VIEWER), one, Owned("u")) for one in ("run.launch", "run.control", "audit.see", "users.change")),
        *((ANONYMOUS, one, Owned("")) for one in ("run.launch", "run.control", "audit.see", "users.change")),
        (person(Role.ANALYST), "requirements.change", Owned("x")),
        *((person(role), "run.screens", Owned("x")) for role in (Role.SUPPORT, Role.OPERATOR)),
        (person(Role.TEAM_MEMBER, user_id="the member"), "manager_assessment.see", InTeam()),
        (person(Role.TEAM_MEMBER, user_id="the member"), "manager_assessment.fill_in", InTeam()),
        (person(Role.TEAM_MEMBER, user_id="the member"), "assessment.reopen", InTeam()),
        (person(Role.MANAGER), "team.edit", InTeam()),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_who_may_not_see_it_is_not_told_that_it_exists(user: Any, permission: str, thing: Any) -> None:
    with pytest.raises(NotFound):
        require(user, permission, thing)


def test_what_is_allowed_is_not_refused() -> None:
    require(person(Role.OPERATOR), "run.launch")
    require(person(Role.OPERATOR), "run.control", Owned("u"))


@pytest.mark.parametrize(
    ("role", "opens"), [(Role.ADMIN, True), (Role.SUPPORT, True), (Role.VIEWER, True), (Role.OPERATOR, False)]
)
def test_the_back_office_is_open_to_its_three_roles(role: Role, opens: Any) -> None:
    assert person(role).is_staff is opens
    assert not person(role, is_active=False).is_staff
