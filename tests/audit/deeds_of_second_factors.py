"""What is done with second factors, and how people sign in."""

from datetime import timedelta
from typing import Any

import pyotp

from apps.accounts.code_throttle import CodeThrottle
from apps.accounts.entities import Role
from apps.accounts.repository import SecondFactors, SignIns
from apps.accounts.services.second_factor import (
    begin_second_factor,
    confirm_second_factor,
    renew_recovery_codes,
    reset_second_factor,
    switch_off_second_factor,
)
from apps.accounts.services.signing_in import note_signed_in, pass_second_factor
from tests.audit.deeds import ADDRESS, NOW, SECRETS, Deed, World, of_ada
from tests.policy_runs.conftest import person

PASSWORD = SECRETS[0]


def factors(w: World) -> SecondFactors:
    return SecondFactors(w.stores.store)


def proof(w: World) -> dict[str, Any]:
    """What she shows to change something, with the code that her app has now."""
    shown = {"password": PASSWORD, "code": w.app.now, "throttle": w.throttle, "passwords": w.passwords}
    return {**shown, "user": w.ada, "address": ADDRESS, "code_throttle": CodeThrottle(w.throttle.buckets)}


class App:
    """Her authenticator."""

    def __init__(self, key: str) -> None:
        codes = pyotp.TOTP(key)
        self.before, self.now = codes.at(NOW - timedelta(seconds=30)), codes.at(NOW)


def set_up(w: World) -> tuple[str, ...]:
    w.ada = w.users.save(w.ada.evolve(password_hash=w.passwords.hashed(PASSWORD)))
    known = {"user": w.ada, "now": NOW, "passwords": w.passwords, "throttle": w.throttle}
    begun = begin_second_factor(factors(w), password=PASSWORD, address=ADDRESS, **known)
    w.app = App(begun.key.reveal())
    shown = {"setup": begun.setup, "code": w.app.before}
    _, codes = confirm_second_factor(w.users, factors(w), user=w.ada, sessions=w.sessions, **shown, **w.recorded)
    w.ada = w.users.get(w.ada.user_id, consistent=True)
    return codes


def renewed(w: World) -> tuple[str, ...]:
    set_up(w)
    return renew_recovery_codes(factors(w), **proof(w), **w.recorded)


def switched_off(w: World) -> None:
    set_up(w)
    switch_off_second_factor(w.users, factors(w), **proof(w), **w.recorded)


def reset(w: World) -> None:
    set_up(w)
    other = w.users.add(person(Role.ADMIN))
    reset_second_factor(w.users, factors(w), user=w.ada, by=other, sessions=w.sessions, **w.recorded)


def signed_in(w: World) -> None:
    note_signed_in(SignIns(w.stores.store), user=w.ada, by="password", device="Firefox", **w.recorded)


def passed(w: World, code: str = "") -> None:
    codes = set_up(w)
    pass_second_factor(
        factors(w),
        SignIns(w.stores.store),
        user=w.ada,
        code=codes[0] if code == "recovery" else w.app.now,
        address=ADDRESS,
        device="Firefox",
        throttle=CodeThrottle(w.throttle.buckets),
        **w.recorded,
    )


DEEDS = [
    Deed(confirm_second_factor, set_up, of_ada, "user.second_factor_set_up", {}, {}),
    Deed(renew_recovery_codes, renewed, of_ada, "user.recovery_codes_renewed", {}, {}),
    Deed(switch_off_second_factor, switched_off, of_ada, "user.second_factor_switched_off", {}, {}),
    Deed(reset_second_factor, reset, of_ada, "user.second_factor_reset", {}, {}),
    Deed(note_signed_in, signed_in, of_ada, "user.signed_in", {}, {"by": "password", "device": "Firefox"}),
    Deed(pass_second_factor, passed, of_ada, "user.signed_in", {}, {"by": "password and code"}),
    Deed(pass_second_factor, lambda w: passed(w, "recovery"), of_ada, "user.recovery_code_used", {}, {"left": 9}),
]
