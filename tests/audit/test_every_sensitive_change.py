"""Every service that acts for somebody, driven once: its entry says who did what, when and from where, without secrets.

What records is found by its signature: it is given an actor, or the audit log. A new one fails here until it is driven.
"""

import inspect
import pkgutil
from importlib import import_module
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

import apps
from apps.accounts.entities import Role
from apps.audit.entities import BLANK, blanked
from apps.audit.repository import AuditLog
from apps.policy_runs.asts import ASTS
from apps.policy_runs.registry import synchronise_registry
from apps.storage.secrets import Secret
from tests.audit import (
    deeds_of_assessments,
    deeds_of_ladders,
    deeds_of_people,
    deeds_of_plans,
    deeds_of_reports,
    deeds_of_second_factors,
    deeds_of_single_sign_on,
    deeds_of_teams,
    deeds_of_work,
)
from tests.audit.deeds import ADDRESS, NOW, SECRETS, Deed, World
from tests.policy_runs.web import member

DEEDS = [
    *deeds_of_assessments.DEEDS,
    *deeds_of_ladders.DEEDS,
    *deeds_of_people.DEEDS,
    *deeds_of_second_factors.DEEDS,
    *deeds_of_single_sign_on.DEEDS,
    *deeds_of_plans.DEEDS,
    *deeds_of_reports.DEEDS,
    *deeds_of_teams.DEEDS,
    *deeds_of_work.DEEDS,
]
BY_A_COMMAND = {"ast.added"}
BY_SETUP = {"apps.policy_runs.registry.synchronise_registry"}
# Who acts is given, or the log, for another reason.
RECORD_NOTHING = {
    "apps.policy_runs.access.visible_run": "looking at a run's state is no look at its screens",
    "apps.policy_runs.access.controllable_run": "the service that controls it records",
    "apps.accounts.demo.seed_demo_users": "by create_user",
    "apps.ladders.services.add_version": "driven by upload_ladder",
    "apps.ladders.services.put_into_force": "driven by activate_ladder",
}


def recording_services() -> set[str]:
    """The public functions of the apps that are given an actor or the audit log by keyword."""
    found = set()
    for info in pkgutil.walk_packages(apps.__path__, "apps."):
        if ".management" in info.name or ".migrations" in info.name:
            continue
        for name, function in inspect.getmembers(import_module(info.name), inspect.isfunction):
            if function.__module__ == info.name and not name.startswith("_"):
                given = set(inspect.signature(function).parameters)
                if (given & {"actor", "audit"} and "now" in given) or {"actor", "stores"} <= given:
                    found.add(f"{info.name}.{name}")
    return found


@pytest.fixture
def world(store: Any, stores: Any, run: Any, owner: Any) -> World:
    return World(stores, run, member(store, Role.ADMIN, name="Ada Admin"), owner)


def test_every_service_that_records_is_driven_here() -> None:
    driven = {f"{deed.service.__module__}.{deed.service.__name__}" for deed in DEEDS}
    assert recording_services() - set(RECORD_NOTHING) == driven - BY_SETUP


@pytest.mark.parametrize("deed", DEEDS, ids=[deed.action for deed in DEEDS])
def test_it_is_recorded_by_object_and_by_actor(world: World, deed: Deed) -> None:
    deed.done(world)
    newest = {entry.action: entry for entry in reversed(world.audit.of(deed.object(world)).items)}
    entry = newest[deed.action]
    if deed.action in BY_A_COMMAND:
        assert entry.actor_id == "command:setup_tables"
    else:
        assert (entry.actor_name, entry.address, entry.at) == (deed.by, ADDRESS, NOW)
        assert deed.action in {one.action for one in world.audit.by(entry.actor_id).items}
    for told, found in ((deed.before, entry.before), (deed.after, entry.after)):
        if told == {}:
            assert found == {}
        assert (told or {}).items() <= found.items()


def test_no_entry_holds_a_secret(world: World) -> None:
    codes = deeds_of_second_factors.renewed(world)
    deeds_of_people.changed_password(world)
    deeds_of_people.gave_password(world)
    deeds_of_people.made(world)
    world.token()
    link = world.link()
    deeds_of_work.resumed(world)
    deeds_of_work.launched(world)
    stored = str(world.stores.store.client.scan(TableName=world.stores.store.physical(AuditLog.table))["Items"])
    assert "user.created" in stored
    assert not [secret for secret in (*SECRETS, *codes, link.token, "rungs_", "argon2", "DEMOPASS") if secret in stored]


class Door(BaseModel):
    model_config = ConfigDict(frozen=True)
    password: str
    opened_by: Secret


@pytest.mark.parametrize(
    "held", [{"password": "hunter2"}, Door(password="hunter2", opened_by=Secret("hunter2"))], ids=["map", "model"]
)
@pytest.mark.parametrize("within", [lambda one: one, lambda one: {"a": [{"b": (one,)}]}], ids=["bare", "deep"])
def test_what_is_called_like_a_secret_is_blanked_wherever_it_is(world: World, held: Any, within: Any) -> None:
    ada = world.ada.acting()
    written = world.audit.recording("Things#1", action="thing.changed", actor=ada, at=NOW, after={"it": within(held)})
    assert BLANK in str(written.request)
    assert "hunter" not in str(written.request)


def test_a_model_in_a_set_and_a_secret_alone_are_blanked_too() -> None:
    door = Door(password="hunter2", opened_by=Secret("hunter2"))
    found = str(blanked({"doors": frozenset({door}), "opens": Secret("hunter2")}))
    assert BLANK in found
    assert "hunter" not in found


def test_a_changed_ast_is_recorded_with_all_that_changed(world: World) -> None:
    login = world.stores.asts.get("login")
    world.stores.asts.save(login.evolve(description="Former.", parameter_schema="{}"))
    synchronise_registry(world.stores, asts=ASTS, now=NOW)
    entry = next(one for one in world.audit.of("AstRegistry#login").items if one.action == "ast.changed")
    assert entry.before == {"description": "Former.", "parameter_schema": "{}"}
    assert entry.after == {"description": login.description, "parameter_schema": login.parameter_schema}
