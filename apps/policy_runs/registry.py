"""The ASTs that the code offers: kept up to date by setup, switched on and off by administrators."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson

from apps.accounts.entities import User
from apps.accounts.permissions import Permission, require
from apps.audit.entities import Actor, command
from apps.audit.repository import AuditLog
from apps.policy_runs.asts.base import Ast
from apps.policy_runs.entities import AstRegistration
from apps.policy_runs.repository import AstRegistrations
from apps.policy_runs.stores import Stores
from apps.storage.errors import AlreadyExists


def switch_ast(
    asts: AstRegistrations,
    *,
    ast: AstRegistration,
    enabled: bool,
    user: User,
    actor: Actor,
    now: datetime,
    audit: AuditLog,
) -> AstRegistration:
    """Let runs of this AST be launched, or no more; runs under way go on. Setup never turns it back.

    Raises `StaleVersion`, `Forbidden`, `NotFound`.
    """
    require(user, Permission.HOSTS_CHANGE)
    if ast.enabled == enabled:
        return ast
    entry = audit.recording(
        _object(ast.ast_name),
        action="ast.switched_on" if enabled else "ast.switched_off",
        actor=actor,
        at=now,
        before={"enabled": ast.enabled},
        after={"enabled": enabled},
    )
    return asts.save(ast.evolve(enabled=enabled, updated_at=now), entry)


def synchronise_registry(stores: Stores, *, asts: Mapping[str, type[Ast]], now: datetime) -> Sequence[str]:
    """Bring the AST registry up to date with the code; what an administrator switched off stays off."""
    changed = []
    for name, ast in asts.items():
        wanted: dict[str, Any] = {
            "description": ast.description,
            "ast_version": ast.version,
            "parameter_schema": orjson.dumps(ast.parameters.model_json_schema()).decode(),
        }
        found = stores.asts.find(name, consistent=True)
        recorded: dict[str, Any] = {"actor": command("setup_tables"), "at": now}
        if found is None:
            after = {"ast_version": ast.version}
            entry = stores.audit.recording(_object(name), action="ast.added", after=after, **recorded)
            try:
                stores.asts.add(AstRegistration(ast_name=name, updated_at=now, **wanted), entry)
            except AlreadyExists:
                continue
            changed.append(name)
        elif after := {field: value for field, value in wanted.items() if getattr(found, field) != value}:
            before = {field: getattr(found, field) for field in after}
            entry = stores.audit.recording(_object(name), action="ast.changed", before=before, after=after, **recorded)
            stores.asts.save(found.evolve(updated_at=now, **wanted), entry)
            changed.append(name)
    return changed


def _object(name: str) -> str:
    return f"AstRegistry#{name}"
