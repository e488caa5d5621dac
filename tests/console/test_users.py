"""People in the back office: added, changed, let in, unlocked and signed out."""

import re
import socket
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.test import Client

from apps.accounts import wiring
from apps.accounts.admin import UserAdmin
from apps.accounts.entities import Role
from apps.accounts.tokens import SECRET_TEXT, token_hash
from apps.audit.repository import AuditLog
from apps.storage.transaction import Transaction
from tests.console.pages import form_of
from tests.policy_runs.web import browser, member

USERS = "/admin/accounts/user/"
ADD = f"{USERS}add/"
NEW = {"name": "Nora New", "email": "Nora@Example.org"}
PASSWORD = "correct horse battery"
DEEDS = tuple(deed.replace("_", "-") for deed in UserAdmin.deeds)
SUPPORTS = {"send-link", "unlock"}


@pytest.fixture(autouse=True)
def quick_hashing(settings):
    settings.PASSWORD_HASHERS = ["tests.accounts.site.QuickArgon2"]


@pytest.fixture
def no_mail_server(settings):
    """Mails go to a port that nobody listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND, settings.EMAIL_USE_TLS = "django.core.mail.backends.smtp.EmailBackend", False
        settings.EMAIL_HOST, settings.EMAIL_PORT = unused.getsockname()
        yield


@pytest.fixture
def olga(store):
    return member(store, Role.OPERATOR, name="Olga Operator")


@pytest.fixture
def sams(store):
    """A browser in which somebody of support is signed in."""
    return browser(member(store, Role.SUPPORT, name="Sam Support"))


def page_of(user, screen="change"):
    return f"{USERS}{user.user_id}/{screen}/"


def stored(user):
    return wiring.users().get(user.user_id, consistent=True)


def actions(store, user):
    return [entry.action for entry in AuditLog(store).of(f"Users#{user.user_id}").items]


def told(client, address=USERS):
    """What the next page says."""
    return client.get(address).content.decode()


def nora():
    return wiring.users().by_email("nora@example.org")


def test_somebody_is_added_with_roles_and_an_invitation(store, adas, ada):
    form = form_of(adas.get(ADD))
    assert form["way_in"] == "sent"
    answer = adas.post(ADD, form | NEW | {"roles": ["operator", "viewer"]})
    made = nora()
    assert (answer.status_code, answer.url) == (302, USERS)
    assert (made.name, made.roles, made.created_by) == ("Nora New", {Role.OPERATOR, Role.VIEWER}, ada.user_id)
    assert made.password_hash == ""
    (message,) = mail.outbox
    assert message.to == ["nora@example.org"]
    assert "an invitation sent to nora@example.org" in told(adas, page_of(made))
    assert actions(store, made) == ["user.link_sent", "user.created"]


def test_a_mail_that_cannot_be_sent_is_told_and_the_user_stays(store, adas, settings, no_mail_server):
    answer = adas.post(ADD, form_of(adas.get(ADD)) | NEW)
    assert (answer.status_code, answer.url) == (302, page_of(nora()))
    page = told(adas, page_of(nora()))
    assert "“Nora New” is added. The mail could not be sent." in page
    assert "Send invitation" in page
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert adas.post(page_of(nora(), "send-link")).status_code == 302
    assert "is sent to nora@example.org" in told(adas, page_of(nora()))
    assert len(mail.outbox) == 1


def test_support_is_not_told_to_show_a_link_which_it_cannot(store, sams, olga, no_mail_server):
    sams.post(page_of(olga, "send-link"))
    page = told(sams, page_of(olga))
    assert "The mail could not be sent. Send it again in a while." in page
    assert "link." not in page.partition("could not be sent")[2][:80]


def test_a_link_is_shown_once_and_lets_them_choose_a_password(store, adas):
    answer = adas.post(ADD, form_of(adas.get(ADD)) | NEW | {"way_in": "shown"})
    assert answer.status_code == 200
    assert mail.outbox == []
    token = SECRET_TEXT.search(answer.content.decode())[0]
    assert wiring.invitations().find(token_hash(token), consistent=True) is not None
    assert token not in told(adas, page_of(nora()))
    client = Client()
    assert client.get(f"/account/link/{token}/").status_code == 302
    chosen = client.post("/account/choose-password/", {"new_password": PASSWORD, "repeated_password": PASSWORD})
    assert (chosen.status_code, chosen.url) == (302, "/")
    assert "Nora New" in client.get("/account/").content.decode()
    done = ["user.signed_in", "user.invitation_used", "user.link_shown", "user.created"]
    assert actions(store, nora()) == done


def test_a_password_is_set_by_who_adds_them(store, adas):
    form = form_of(adas.get(ADD)) | NEW | {"way_in": "set"}
    for password, sentence in (("", "Enter the password, or choose another way."), ("short", "at least 12")):
        refused = adas.post(ADD, form | {"password": password})
        assert refused.status_code == 422
        assert sentence in refused.content.decode()
        assert form_of(refused)["name"] == "Nora New"
    assert nora() is None
    assert adas.post(ADD, form | {"password": PASSWORD}).status_code == 302
    assert mail.outbox == []
    assert wiring.passwords().matches(PASSWORD, nora().password_hash)
    assert actions(store, nora()) == ["user.created"]


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"email": "nobody"}, "Enter an e-mail address such as name@example.org."),
        ({"name": ""}, "This field is required."),
        ({"roles": ["emperor"]}, "Choose"),
        ({"way_in": "magic"}, "magic is not one of the available choices"),
    ],
    ids=["address", "name", "role", "way"],
)
def test_what_cannot_be_is_told_beside_its_field(adas, changes, sentence):
    answer = adas.post(ADD, form_of(adas.get(ADD)) | NEW | changes)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    assert nora() is None


def test_an_address_that_somebody_has_is_refused(adas, olga):
    answer = adas.post(ADD, form_of(adas.get(ADD)) | NEW | {"email": olga.email.upper()})
    assert answer.status_code == 422
    assert "Somebody uses this e-mail address already." in answer.content.decode()
    changed = adas.post(page_of(olga), form_of(adas.get(page_of(olga))) | {"email": nora_taken(adas)})
    assert changed.status_code == 422
    assert stored(olga) == olga


def nora_taken(adas):
    adas.post(ADD, form_of(adas.get(ADD)) | NEW)
    return nora().email


def test_support_invites_people_without_roles(store, sams):
    form = form_of(sams.get(ADD))
    assert {"roles", "way_in", "password"}.isdisjoint(form)
    smuggled = {"roles": ["admin"], "way_in": "set", "password": PASSWORD}
    assert sams.post(ADD, form | NEW | smuggled).status_code == 302
    assert (nora().roles, nora().password_hash) == (frozenset(), "")
    assert len(mail.outbox) == 1


def test_roles_are_changed_with_what_was_before_and_after(store, adas, olga):
    form = form_of(adas.get(page_of(olga)))
    assert form["roles"] == "operator"
    answer = adas.post(page_of(olga), form | {"roles": ["operator", "support"], "name": "Olga O."})
    assert (answer.status_code, answer.url) == (302, USERS)
    assert (stored(olga).roles, stored(olga).name) == ({Role.OPERATOR, Role.SUPPORT}, "Olga O.")
    entry = AuditLog(store).of(f"Users#{olga.user_id}").items[0]
    assert (entry.before["roles"], entry.after["roles"]) == (["operator"], ["operator", "support"])


def test_who_is_deactivated_in_the_form_is_signed_out(adas, olga):
    olgas = browser(olga)
    assert olgas.get("/policy-runs/").status_code == 200
    form = form_of(adas.get(page_of(olga)))
    del form["is_active"]
    assert adas.post(page_of(olga), form).status_code == 302
    assert olgas.get("/policy-runs/").status_code == 302
    page = adas.get(page_of(olga)).content.decode()
    assert "Send link" not in page
    assert "is signed in nowhere" in page


def test_of_two_editors_the_second_sees_both_versions(adas, ada, olga):
    form = form_of(adas.get(page_of(olga)))
    wiring.users().save(olga.evolve(roles={Role.VIEWER}))
    lost = adas.post(page_of(olga), form | {"roles": ["operator", "support"]})
    assert lost.status_code == 409
    page = lost.content.decode()
    assert "What is stored now, and what you entered" in page
    assert re.search(r"Roles<.*?Operator.*?Viewer.*?Operator.*?Support", page, re.DOTALL)
    assert adas.post(page_of(olga), form_of(lost)).status_code == 302
    assert stored(olga).roles == {Role.OPERATOR, Role.SUPPORT}


def test_a_sign_in_meanwhile_is_no_conflict(store, adas, olga):
    form = form_of(adas.get(page_of(olga)))
    noting = wiring.sign_ins().noting(
        olga.user_id, at=datetime.now(UTC), address="192.0.2.1", device="Firefox on Linux"
    )
    Transaction(store, noting).commit()
    assert adas.post(page_of(olga), form | {"name": "Olga O."}).status_code == 302
    assert "Firefox on Linux" in told(adas, page_of(olga))


def test_nobody_takes_their_own_access_away(adas, ada):
    form = form_of(adas.get(page_of(ada)))
    without = {name: value for name, value in form.items() if name != "is_active"}
    for sent in (form | {"roles": ["viewer"]}, without):
        refused = adas.post(page_of(ada), sent)
        assert refused.status_code == 422
        assert refused.content.decode().count("You cannot shut yourself out") == 2
    assert stored(ada) == ada
    assert "set-password" not in told(adas, page_of(ada))


@pytest.mark.parametrize("role", Role)
def test_each_deed_is_for_the_roles_it_is_for_and_not_there_for_others(store, adas, olga, role):
    client = browser(member(store, role))
    for deed in DEEDS:
        address = page_of(olga, deed)
        may = role is Role.ADMIN or (role is Role.SUPPORT and deed in SUPPORTS)
        refused = 403 if role is Role.SUPPORT else 404
        found = client.post(address).status_code
        expected = {"show-link": 200, "set-password": 422}.get(deed, 302) if may else refused
        assert found == expected, (deed, role)
        shown = client.get(address).status_code
        assert shown == ((200 if deed == "set-password" else 405) if may else refused), (deed, role)
    changed = set(actions(store, olga))
    if role not in {Role.ADMIN, Role.SUPPORT}:
        assert changed == set()
        assert mail.outbox == []
    if role is Role.SUPPORT:
        assert changed == {"user.link_sent", "user.unlocked"}


def test_support_sees_a_user_and_only_what_it_may_do(sams, olga):
    browser(olga).get("/")
    page = told(sams, page_of(olga))
    assert "Unlock" in page
    assert "Send invitation" in page
    for word in ("Show link", "Set password", "Sign out everywhere", 'aria-label="Sign out', "Save</button>"):
        assert word not in page, word


def test_a_deed_on_nobody_is_not_there(adas):
    for deed in DEEDS:
        assert adas.post(f"{USERS}nobody/{deed}/").status_code == 404


def test_a_deed_needs_the_csrf_token(ada, olga):
    strict = browser(ada, enforce_csrf_checks=True)
    for deed in DEEDS:
        assert strict.post(page_of(olga, deed)).status_code == 403
    assert stored(olga) == olga


def test_one_session_is_ended_from_the_page(adas, olga):
    first, second = browser(olga), browser(olga)
    page = told(adas, page_of(olga))
    assert page.count('name="session"') == 2
    hashes = re.findall(r'name="session" value="([0-9a-f]+)"', page)
    assert adas.post(page_of(olga, "end-session"), {"session": hashes[0]}).status_code == 302
    assert sorted([first.get("/").status_code, second.get("/").status_code]) == [200, 302]
    assert "is signed out of" in told(adas, page_of(olga))
    adas.post(page_of(olga, "end-session"), {"session": hashes[0]})
    assert "signed out already" in told(adas, page_of(olga))


def test_everywhere_is_everywhere(adas, olga):
    browsers = [browser(olga), browser(olga)]
    assert adas.post(page_of(olga, "sign-out")).status_code == 302
    assert [one.get("/").status_code for one in browsers] == [302, 302]


def test_a_password_is_set_by_the_rules_and_never_shown(adas, olga):
    address = page_of(olga, "set-password")
    refused = adas.post(address, {"password": "password1234"})
    assert refused.status_code == 422
    assert "too common" in refused.content.decode()
    assert "password1234" not in refused.content.decode()
    answer = adas.post(address, {"password": PASSWORD})
    assert (answer.status_code, answer.url) == (302, page_of(olga))
    assert wiring.passwords().matches(PASSWORD, stored(olga).password_hash)


def test_what_a_service_refuses_is_told_on_the_users_page(adas, olga):
    wiring.users().save(olga.evolve(is_active=False))
    assert adas.post(page_of(olga, "send-link")).status_code == 302
    assert "Make the account active first" in told(adas, page_of(olga))


def test_failures_are_shown_until_they_are_unlocked(adas, olga):
    for number in range(3):
        wiring.throttle().admit(email=olga.email, address=f"192.0.2.{number}", now=datetime.now(UTC))
    assert '<span class="number">3</span>' in told(adas, page_of(olga))
    adas.post(page_of(olga, "unlock"))
    page = told(adas, page_of(olga))
    assert "can try to sign in again at once" in page
    assert '<span class="number">3</span>' not in page


def test_the_page_of_a_user_costs_three_requests_beside_who_asks(adas, olga, costs):
    for _ in range(3):
        browser(olga)
    with costs(requests=5, queries=1, wcu=0):
        assert adas.get(page_of(olga)).status_code == 200


def test_a_second_factor_is_reset_for_another_and_never_for_oneself(store, adas, ada, olga):
    assert re.search(r"Second factor</dt><dd><span class=.muted.>Off", told(adas, page_of(olga)))
    with_factor = wiring.users().save(olga.evolve(has_second_factor=True))
    olgas = browser(with_factor)
    page = told(adas, page_of(olga))
    assert re.search(r"Second factor</dt><dd><span.*?On</span>", page, re.DOTALL)
    assert "Reset second factor" in page
    assert adas.post(page_of(olga, "reset-second-factor")).status_code == 302
    assert not stored(olga).has_second_factor
    assert olgas.get("/").status_code == 302
    assert actions(store, olga) == ["user.second_factor_reset"]
    adas.post(page_of(ada, "reset-second-factor"))
    assert "Switch your own second factor off" in told(adas, page_of(ada))
    assert actions(store, ada) == []


@pytest.mark.parametrize(
    ("button", "leads_to"), [("_continue", "change"), ("_addanother", "add")], ids=["continue", "another"]
)
def test_the_buttons_of_the_form_lead_where_they_say(adas, button, leads_to):
    answer = adas.post(ADD, form_of(adas.get(ADD)) | NEW | {button: ""})
    assert answer.url == (page_of(nora()) if leads_to == "change" else ADD)


def test_several_are_invited_at_once_and_who_has_a_password_is_told_apart(store, sams, olga):
    others = [member(store, Role.VIEWER, name=f"New {number}") for number in range(2)]
    chosen = wiring.users().save(olga.evolve(password_hash="argon2$some"))
    answer = sams.post(USERS, {"action": "invite", "row": [user.user_id for user in (*others, chosen)]})
    assert answer.status_code == 200
    assert "Has a password already" in answer.content.decode()
    assert {message.to[0] for message in mail.outbox} == {user.email for user in others}


def test_no_further_mail_is_tried_once_the_mail_server_is_gone(store, sams, settings, no_mail_server):
    people = [member(store, Role.VIEWER, name=f"New {number}") for number in range(3)]
    answer = sams.post(USERS, {"action": "invite", "row": [user.user_id for user in people]})
    page = answer.content.decode()
    assert page.count("Not tried: the mail server did not take the one before.") == 2
    assert [actions(store, user) for user in people].count([]) == 2


def test_several_are_deactivated_after_a_question_and_oneself_is_left(store, adas, ada, olga):
    chosen = {"action": "deactivate", "row": [olga.user_id, ada.user_id]}
    asked = adas.post(USERS, chosen)
    assert "signed out at once" in asked.content.decode()
    assert stored(olga).is_active
    answer = adas.post(USERS, chosen | {"confirmed": "yes", "version": ["1", "1"]})
    assert "You cannot shut yourself out" in answer.content.decode()
    assert (stored(olga).is_active, stored(ada).is_active) == (False, True)
    assert actions(store, olga) == ["user.deactivated"]


def test_support_unlocks_several_and_deactivates_none(store, sams, olga):
    assert sams.post(USERS, {"action": "unlock_chosen", "row": olga.user_id}).status_code == 302
    assert actions(store, olga) == ["user.unlocked"]
    refused = sams.post(USERS, {"action": "deactivate", "row": olga.user_id, "confirmed": "yes", "version": "1"})
    assert refused.status_code == 403
    assert stored(olga) == olga


def test_the_history_is_called_as_the_user_and_their_page_leads_to_the_profile_and_to_what_they_did(adas, sams, olga):
    history = adas.get(page_of(olga, "history")).content.decode()
    assert f"History of {olga.name}" in history
    assert olga.user_id not in re.search(r"<h1>.*?</h1>", history).group()
    deeds = f"/audit/?actor={olga.user_id}"
    page = told(adas, page_of(olga))
    assert f"/people/{olga.user_id}/" in page
    assert deeds in page
    assert deeds not in told(sams, page_of(olga)), "the audit log is for administrators"


def test_what_nobody_edits_stands_below_what_they_do(adas, olga):
    page = told(adas, page_of(olga))
    assert page.index('name="is_active"') < page.index("Created at")


def test_a_password_that_would_not_be_used_is_refused_and_nobody_invited(adas):
    answer = adas.post(ADD, form_of(adas.get(ADD)) | NEW | {"password": "a fine battery staple"})
    assert answer.status_code == 422
    assert "This would not be used" in answer.content.decode()
    assert nora() is None
    assert mail.outbox == []


def test_who_may_only_invite_is_told_what_adding_does(sams):
    assert "An invitation to choose a password is sent here." in told(sams, ADD)


def test_a_page_is_called_as_what_is_stored_not_as_what_was_typed_and_refused(adas, olga):
    form = form_of(adas.get(page_of(olga)))
    refused = adas.post(page_of(olga), form | {"name": "Somebody Else", "email": "none"})
    assert refused.status_code == 422
    assert f"<h1>{olga.name}</h1>" in refused.content.decode()
