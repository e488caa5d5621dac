"""The services with the parts that a test's store gives them, so that a test says who does what to whom."""

from datetime import UTC, datetime
from typing import Any

from apps.accounts import services, wiring
from apps.accounts.entities import User


def by(who: User) -> dict[str, Any]:
    """Who does it, and where that is noted."""
    return {"by": who, "actor": who.acting("192.0.2.9"), "now": datetime.now(UTC), "audit": wiring.audit_log()}


def change(user: User, who: User, **changes: Any) -> User:
    after = user.evolve(**changes)
    return services.change_user(wiring.users(), before=user, after=after, sessions=wiring.web_sessions(), **by(who))


def deactivate(user: User, who: User) -> User:
    return services.deactivate(wiring.users(), user=user, sessions=wiring.web_sessions(), **by(who))


def set_password(user: User, who: User, password: str, *, passwords: Any) -> User:
    return services.set_password(
        wiring.users(),
        user=user,
        password=password,
        passwords=passwords,
        throttle=wiring.throttle(),
        sessions=wiring.web_sessions(),
        **by(who),
    )


def entries(user: User) -> list[Any]:
    """What the audit log has on this user beside their own signing in, newest first."""
    found = wiring.audit_log().of(f"Users#{user.user_id}").items
    return [entry for entry in found if entry.action != "user.signed_in"]
