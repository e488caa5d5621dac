"""What is done to accounts, by their owners and by others."""

from apps.accounts import services as accounts
from apps.accounts.entities import Role
from apps.accounts.people_sheet import PersonRow
from apps.accounts.services.invitations import show_link
from apps.accounts.services.own_account import change_profile, end_session
from apps.accounts.services.signing_in import sign_out_everywhere
from apps.storage.sessions import session_hash
from tests.audit.deeds import ADDRESS, NOW, SECRETS, Deed, World, of_ada, of_nora
from tests.policy_runs.web import session_key

NORA = {"email": "n@example.org", "name": "Nora", "roles": {Role.VIEWER}, "password": SECRETS[0]}


def made(w: World) -> None:
    w.nora = accounts.create_user(w.users, passwords=w.passwords, **NORA, **w.recorded)


def added(w: World) -> None:
    w.nora = accounts.add_user(w.users, passwords=w.passwords, **NORA, **w.as_by)


def imported(w: World) -> None:
    row = PersonRow(line=2, email="i@example.org", name="Ida Imported", roles=frozenset({Role.VIEWER}))
    plan, _ = accounts.plan_people(w.users, [row])
    accounts.import_people(w.users, plan=plan, sessions=w.sessions, **w.as_by)
    w.nora = w.users.get(plan.add[0].user_id)


def changed(w: World, **changes: object) -> None:
    after = w.nora.evolve(**changes)
    w.nora = accounts.change_user(w.users, before=w.nora, after=after, sessions=w.sessions, **w.as_by)


def deactivated(w: World) -> None:
    w.nora = accounts.deactivate(w.users, user=w.nora, sessions=w.sessions, **w.as_by)


def reactivated(w: World) -> None:
    deactivated(w)
    accounts.reactivate(w.users, user=w.nora, sessions=w.sessions, **w.as_by)


def gave_password(w: World) -> None:
    accounts.set_password(
        w.users,
        user=w.nora,
        password=SECRETS[0],
        passwords=w.passwords,
        throttle=w.throttle,
        sessions=w.sessions,
        **w.as_by,
    )


def changed_password(w: World) -> None:
    known = w.users.save(w.ada.evolve(password_hash=w.passwords.hashed(SECRETS[0])))
    accounts.change_password(
        w.users,
        user=known,
        current=SECRETS[0],
        new=SECRETS[1],
        address=ADDRESS,
        throttle=w.throttle,
        passwords=w.passwords,
        sessions=w.sessions,
        **w.recorded,
    )


def asked_for_link(w: World) -> None:
    accounts.send_reset(
        w.users, w.invitations, email=w.nora.email, address=ADDRESS, mailer=w.mailer, now=NOW, audit=w.audit
    )


def chose_password(w: World) -> None:
    accounts.choose_password(
        w.users,
        w.invitations,
        hashed=w.link().invitation.token_hash,
        password=SECRETS[1],
        address=ADDRESS,
        now=NOW,
        passwords=w.passwords,
        throttle=w.throttle,
        audit=w.audit,
        end_sessions=w.sessions.end_all_of,
    )


def ended_session(w: World) -> None:
    key = session_key(w.nora)
    accounts.end_session_of(w.sessions, user=w.nora, session_hash=session_hash(key), **w.as_by)


def ended_own_session(w: World) -> None:
    end_session(w.sessions, user=w.ada, session_hash=session_hash(session_key(w.ada)), **w.recorded)


def changed_profile(w: World) -> None:
    change_profile(w.users, user=w.ada, name="Ada Admin-Byron", time_zone="Europe/London", **w.recorded)


def revoked(w: World) -> None:
    accounts.revoke_token(w.tokens, user=w.ada, token_hash=w.token().token.token_hash, **w.recorded)


def revoked_for_her(w: World) -> None:
    accounts.revoke_token_of(w.tokens, user=w.ada, token_hash=w.token().token.token_hash, **w.as_by)


DEEDS = [
    Deed(accounts.create_user, made, of_nora, "user.created", {}, {"roles": ["viewer"]}),
    Deed(accounts.add_user, added, of_nora, "user.created", {}, {"roles": ["viewer"]}),
    Deed(accounts.import_people, imported, of_nora, "user.created", {}, {"roles": ["viewer"]}),
    Deed(
        accounts.change_user,
        lambda w: changed(w, roles={Role.VIEWER}),
        of_nora,
        "user.changed",
        {"roles": []},
        {"roles": ["viewer"]},
    ),
    Deed(accounts.deactivate, deactivated, of_nora, "user.deactivated", {"is_active": True}, {"is_active": False}),
    Deed(accounts.reactivate, reactivated, of_nora, "user.reactivated", {"is_active": False}, {"is_active": True}),
    Deed(accounts.set_password, gave_password, of_nora, "user.password_set", {}, {}),
    Deed(accounts.change_password, changed_password, of_ada, "user.password_changed", {}, {}),
    Deed(show_link, lambda w: w.link(), of_nora, "user.link_shown"),
    Deed(
        accounts.send_link,
        lambda w: accounts.send_link(w.invitations, user=w.nora, mailer=w.mailer, **w.as_by),
        of_nora,
        "user.link_sent",
    ),
    Deed(accounts.send_reset, asked_for_link, of_nora, "user.link_asked_for", by="Forgot password"),
    Deed(accounts.choose_password, chose_password, of_nora, "user.invitation_used", by="Nora New"),
    Deed(
        accounts.unlock,
        lambda w: accounts.unlock(w.throttle, user=w.nora, **w.as_by),
        of_nora,
        "user.unlocked",
    ),
    Deed(
        sign_out_everywhere,
        lambda w: sign_out_everywhere(w.users, user=w.ada, sessions=w.sessions, **w.recorded),
        of_ada,
        "user.signed_out_everywhere",
    ),
    Deed(
        accounts.sign_out_user,
        lambda w: accounts.sign_out_user(w.users, user=w.nora, sessions=w.sessions, **w.as_by),
        of_nora,
        "user.signed_out_everywhere",
    ),
    Deed(accounts.end_session_of, ended_session, of_nora, "user.session_ended"),
    Deed(end_session, ended_own_session, of_ada, "user.session_ended"),
    Deed(
        change_profile,
        changed_profile,
        of_ada,
        "user.profile_changed",
        {"name": "Ada Admin"},
        {"name": "Ada Admin-Byron", "time_zone": "Europe/London"},
    ),
    Deed(accounts.create_token, lambda w: w.token(), of_ada, "user.token_created", {}, {"name": "ci"}),
    Deed(accounts.revoke_token_of, revoked_for_her, of_ada, "user.token_revoked", {"name": "ci"}, {}),
    Deed(accounts.revoke_token, revoked, of_ada, "user.token_revoked", {"name": "ci"}, {}),
]
