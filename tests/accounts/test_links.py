"""Invitations and password resets, from the mail to the first page."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import pytest
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.http import HttpResponse
from django.test import Client

from apps.accounts import services, wiring
from apps.accounts.entities import Invitation, LinkKind, Role, User
from apps.accounts.errors import LinkVoid, MailNotSent
from apps.accounts.mail import LinkMailer
from apps.accounts.tokens import SECRET_TEXT, link_token, token_hash
from apps.errors import Forbidden, Invalid, NotFound
from apps.storage.conditions import Update
from apps.storage.connection import Store
from apps.storage.metering import metering
from tests.accounts.deeds import by, change, deactivate, entries
from tests.accounts.factors import enter, set_up
from tests.accounts.people import CountingPasswords

NEW = "another battery staple"
MAILER = LinkMailer(site="https://rungs.example.org")
FORGOT, CHOOSE = "/account/forgot-password/", "/account/choose-password/"


class SlowBackend(BaseEmailBackend):
    """A mail server that takes its time."""

    def send_messages(self, messages: Any) -> int:
        time.sleep(0.4)
        return len(list(messages))


@pytest.fixture
def boss(make_user: Callable[..., User]) -> User:
    return make_user(email="boss@example.org", name="Boss", roles=[Role.ADMIN])


@pytest.fixture
def invited(boss: User, passwords: CountingPasswords) -> User:
    return services.add_user(
        wiring.users(),
        email="new@example.org",
        name="Nora New",
        roles=[Role.VIEWER],
        password=None,
        passwords=passwords,
        **by(boss),
    )


@pytest.fixture
def send(boss: User) -> Callable[..., str]:
    """Send somebody a link; its path."""

    def sent(user: User, who: User = boss) -> str:
        link = services.send_link(wiring.invitations(), user=user, mailer=MAILER, **by(who))
        return MAILER.address(link).removeprefix(MAILER.site)

    return sent


@pytest.fixture
def settled() -> Iterator[Callable[[], None]]:
    """Wait until mails that nobody waits for were sent."""

    def settle() -> None:
        assert wiring.later().settle(seconds=10)

    yield settle
    settle()


@pytest.fixture
def no_mail_server(settings: Any) -> Iterator[None]:
    """Mails go to a port that nobody listens at."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", unused.getsockname()[1]
        settings.EMAIL_USE_TLS = False
        yield


def _answered(client: Client, *, password: str = NEW) -> HttpResponse:
    return client.post(CHOOSE, {"new_password": password, "repeated_password": password})


def _path_in(message: Any) -> str:
    return re.search(r"https?://\S+?(/account/link/\S+)", message.body)[1]


def test_who_is_invited_gets_a_mail_chooses_a_password_and_is_signed_in(
    invited: User, send: Callable[..., str], sign_in: Callable[..., HttpResponse]
) -> None:
    send(invited)
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["new@example.org"], "Your account in Rungs")
    assert "Hello Nora New," in message.body
    client = Client()
    opened = client.get(_path_in(message))
    assert (opened.status_code, opened["Location"]) == (302, CHOOSE)
    form = client.get(CHOOSE).content.decode()
    assert "Welcome, Nora New" in form
    assert 'value="new@example.org"' in form
    assert _answered(client)["Location"] == "/"
    assert client.get("/").content == b"Hello Nora New"
    assert sign_in(Client(), email=invited.email, password=NEW).status_code == 302
    assert wiring.sign_ins().find(invited.user_id) is not None


def test_an_invitation_holds_for_a_week_and_a_reset_for_an_hour(invited: User, ada: User, boss: User) -> None:
    for user, kind, valid in (
        (invited, LinkKind.INVITATION, timedelta(days=7)),
        (ada, LinkKind.RESET, timedelta(hours=1)),
    ):
        made = services.show_link(wiring.invitations(), user=user, **by(boss)).invitation
        assert (made.kind, made.user_id, made.created_by) == (kind, user.user_id, boss.user_id)
        assert timedelta() <= made.created_at + valid - made.expires_at < timedelta(seconds=1)


def test_a_link_does_not_lead_past_a_second_factor(
    ada: User, send: Callable[..., str], sign_in: Callable[..., HttpResponse]
) -> None:
    hers = Client()
    sign_in(hers)
    app = set_up(hers)
    send(wiring.users().get(ada.user_id))
    client = Client()
    client.get(_path_in(mail.outbox[-1]))
    assert _answered(client)["Location"] == "/account/sign-in/code/"
    assert "Your password is set." in client.get("/account/sign-in/code/").content.decode()
    assert client.get("/")["Location"].startswith("/account/sign-in/")
    assert enter(client, app.recovery[0]).status_code == 302
    assert client.get("/").content == b"Hello Ada"


def test_a_planted_session_key_chooses_no_password(ada: User, send: Callable[..., str]) -> None:
    mallory, victim, thief = Client(), Client(), Client()
    mallory.get(send(ada))
    planted = mallory.cookies["sessionid"].value
    thief.cookies["sessionid"] = victim.cookies["sessionid"] = planted
    assert victim.get(send(ada))["Location"] == CHOOSE
    assert thief.get(CHOOSE).status_code == 410
    assert _answered(victim)["Location"] == "/"


def test_a_link_works_once(invited: User, send: Callable[..., str]) -> None:
    path = send(invited)
    client = Client()
    client.get(path)
    assert _answered(client).status_code == 302
    again = Client().get(path)
    assert again.status_code == 410
    assert "Ask for a new link" in again.content.decode()
    assert _answered(client, password="yet another staple").status_code == 410


def test_of_two_who_use_a_link_at_once_one_gets_in(
    invited: User, send: Callable[..., str], passwords: CountingPasswords
) -> None:
    path = send(invited)
    clients = [Client(), Client()]
    for client in clients:
        client.get(path)
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda number: _answered(clients[number], password=f"{NEW} {number}"), range(2)))
    assert sorted(answer.status_code for answer in answers) == [302, 410]


def test_a_link_is_void_once_its_time_is_up(invited: User, send: Callable[..., str]) -> None:
    path = send(invited)
    client = Client()
    client.get(path)
    hashed = token_hash(path.split("/")[-2])
    past = datetime.now(UTC) - timedelta(seconds=2)
    wiring.invitations().update(hashed, Update(set={"expires_at": past}))
    assert client.get(CHOOSE).status_code == 410
    assert _answered(client).status_code == 410
    assert Client().get(path).status_code == 410


@pytest.mark.parametrize("what", ["password", "deactivated", "address", "everywhere", "gone"])
def test_a_link_is_void_once_the_account_is_not_what_it_was(
    ada: User, boss: User, send: Callable[..., str], passwords: CountingPasswords, what: str
) -> None:
    path, other = send(ada), send(ada)
    client = Client()
    client.get(path)
    if what == "password":
        used = Client()
        used.get(other)
        assert _answered(used).status_code == 302
    elif what == "deactivated":
        deactivate(ada, boss)
    elif what == "address":
        change(ada, boss, email="moved@example.org")
    elif what == "everywhere":
        services.sign_out_user(wiring.users(), user=ada, sessions=wiring.web_sessions(), **by(boss))
    else:
        wiring.users().delete(ada)
    assert client.get(CHOOSE).status_code == 410
    assert _answered(client, password="yet another staple").status_code == 410


def test_a_change_of_name_leaves_the_link_as_it_is(ada: User, boss: User, send: Callable[..., str]) -> None:
    path = send(ada)
    change(ada, boss, name="Ada L.")
    client = Client()
    client.get(path)
    assert _answered(client).status_code == 302


def test_choosing_ends_all_sessions_and_all_waits(
    ada: User, send: Callable[..., str], sign_in: Callable[..., HttpResponse]
) -> None:
    browser, locked_out = Client(), Client(REMOTE_ADDR="203.0.113.7")
    sign_in(browser)
    assert [sign_in(locked_out, password="wrong").status_code for _ in range(6)][-1] == 429
    client = Client()
    client.get(send(ada))
    _answered(client)
    assert browser.get("/").status_code == 302
    assert client.get("/").status_code == 200
    assert sign_in(locked_out, password=NEW).status_code == 302


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        ("password1234", "password1234", "too common"),
        ("short", "short", "at least 12 characters"),
        (NEW, "not the same words", "This is not the new password"),
        ("", "", "Enter a new password."),
    ],
    ids=["common", "short", "different", "empty"],
)
def test_a_password_that_breaks_a_rule_is_told_and_the_link_still_works(
    invited: User, send: Callable[..., str], first: str, second: str, told: str
) -> None:
    client = Client()
    client.get(send(invited))
    refused = client.post(CHOOSE, {"new_password": first, "repeated_password": second})
    assert refused.status_code == 422
    assert told in refused.content.decode()
    assert _answered(client).status_code == 302


def test_the_token_is_nowhere_but_in_the_link(
    invited: User, send: Callable[..., str], store: Store, boss: User
) -> None:
    path = send(invited)
    token = SECRET_TEXT.search(path)[0]
    client = Client()
    answer = client.get(path)
    assert token not in answer["Location"]
    form = client.get(CHOOSE).content.decode()
    assert token not in form
    assert token_hash(token) not in form
    for table in ("Invitations", "AuditLog", "WebSessions", "Users"):
        items = store.client.scan(TableName=f"{store.prefix}-dev-{table}")["Items"]
        assert items
        assert token not in str(items)
    assert token_hash(token) not in str(entries(invited))


def test_what_was_done_with_a_link_is_in_the_audit_log(invited: User, boss: User, send: Callable[..., str]) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    client.get(send(invited))
    _answered(client)
    used, sent, made = entries(invited)
    assert (made.action, sent.action, used.action) == ("user.created", "user.link_sent", "user.invitation_used")
    assert (sent.actor_id, used.actor_id, used.address) == (boss.user_id, invited.user_id, "203.0.113.7")
    assert sent.after["email"] == "new@example.org"


def test_who_is_signed_in_as_somebody_else_is_told_and_signed_out(
    ada: User, invited: User, send: Callable[..., str], sign_in: Callable[..., HttpResponse]
) -> None:
    client = Client()
    sign_in(client)
    client.get(send(invited))
    assert "Ada is signed in in this browser" in client.get(CHOOSE).content.decode()
    _answered(client)
    assert client.get("/").content == b"Hello Nora New"


def test_made_up_links_are_void(store: Store) -> None:
    for token in ("x", link_token(), "é"):
        assert Client().get(f"/account/link/{token}/").status_code == 410
    assert Client().get(CHOOSE).status_code == 410


def test_support_sends_links_but_sees_none(ada: User, make_user: Callable[..., User], send: Callable[..., str]) -> None:
    sam = make_user(email="sam@example.org", name="Sam", roles=[Role.SUPPORT])
    assert send(ada, sam)
    assert len(mail.outbox) == 1
    with pytest.raises(Forbidden):
        services.show_link(wiring.invitations(), user=ada, **by(sam))
    with pytest.raises(NotFound):
        send(sam, ada)


def test_no_link_is_made_for_who_may_not_sign_in(ada: User, boss: User, send: Callable[..., str]) -> None:
    gone = deactivate(ada, boss)
    with pytest.raises(Invalid, match="Make the account active first"):
        send(gone)
    assert mail.outbox == []


def test_a_mail_server_that_is_not_there_is_told_to_who_invites(
    invited: User, send: Callable[..., str], settings: Any, no_mail_server: None
) -> None:
    with pytest.raises(MailNotSent):
        send(invited)
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert send(invited)


def test_a_forgotten_password_is_replaced_by_a_link_in_a_mail(ada: User, settled: Callable[[], None]) -> None:
    client = Client()
    assert "Forgot password?" in client.get("/account/sign-in/").content.decode()
    sent = client.post(FORGOT, {"email": " ADA@example.org"})
    assert sent.status_code == 200
    settled()
    (message,) = mail.outbox
    assert (message.to, message.subject) == (["ada@example.org"], "Choose a new password for Rungs")
    client.get(_path_in(message))
    assert "Choose a new password" in client.get(CHOOSE).content.decode()
    assert _answered(client).status_code == 302
    assert client.get("/").content == b"Hello Ada"
    assert [entry.action for entry in entries(ada)] == ["user.reset_used", "user.link_asked_for", "user.created"]


def test_who_never_had_a_password_gets_a_link_for_an_hour_when_a_stranger_asks(
    invited: User, settled: Callable[[], None]
) -> None:
    Client().post(FORGOT, {"email": invited.email})
    settled()
    assert mail.outbox[0].subject == "Choose a new password for Rungs"


def test_the_answer_tells_nobody_who_is_known_here(
    ada: User, boss: User, make_user: Callable[..., User], settled: Callable[[], None]
) -> None:
    gone = deactivate(make_user(email="gone@example.org", name="Gone"), boss)
    pages, costs = [], []
    for email in (ada.email, "nobody@example.org", gone.email):
        with metering() as cost:
            answer = Client().post(FORGOT, {"email": email})
        pages.append((answer.status_code, answer.content.decode().replace(email, "")))
        costs.append(cost.requests)
        settled()
    assert pages[0] == pages[1] == pages[2]
    assert costs[0] == costs[1] == costs[2]
    assert [message.to for message in mail.outbox] == [[ada.email]]


def test_the_answer_does_not_wait_for_the_mail(
    ada: User, make_user: Callable[..., User], settings: Any, settled: Callable[[], None]
) -> None:
    settings.EMAIL_BACKEND = "tests.accounts.test_links.SlowBackend"
    known = [make_user(email=f"known-{number}@example.org").email for number in range(8)]
    times: dict[bool, list[float]] = {True: [], False: []}
    for number, email in enumerate(known):
        for address in (email, f"nobody-{number}@example.org"):
            began = time.perf_counter()
            assert Client().post(FORGOT, {"email": address}).status_code == 200
            times[address == email].append(time.perf_counter() - began)
    assert max(times[True]) < 0.35
    assert abs(median(times[True]) - median(times[False])) < 0.05
    settled()


def test_more_than_three_links_an_hour_are_not_sent_and_not_spoken_of(ada: User, settled: Callable[[], None]) -> None:
    answers = {Client().post(FORGOT, {"email": ada.email}).content for _ in range(5)}
    settled()
    assert len(answers) == 1
    assert len(mail.outbox) == 3


def test_an_address_that_asks_too_often_waits(store: Store, settled: Callable[[], None]) -> None:
    client = Client(REMOTE_ADDR="203.0.113.7")
    answers = [client.post(FORGOT, {"email": f"{number}@example.org"}) for number in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]
    assert 3590 <= int(answers[-1]["Retry-After"]) <= 3600
    assert Client(REMOTE_ADDR="198.51.100.4").post(FORGOT, {"email": "a@example.org"}).status_code == 200


def test_a_stranger_learns_nothing_of_a_mail_server_that_is_not_there(
    ada: User, settled: Callable[[], None], no_mail_server: None, caplog: pytest.LogCaptureFixture
) -> None:
    assert Client().post(FORGOT, {"email": ada.email}).status_code == 200
    settled()
    assert "a mail was not sent" in caplog.text
    assert not SECRET_TEXT.search(caplog.text)


@pytest.mark.parametrize("public", ["https://rungs.example.org", None])
def test_a_link_begins_with_the_configured_address_and_never_with_a_host_that_is_not_ours(
    ada: User, settings: Any, settled: Callable[[], None], public: str | None
) -> None:
    settings.PUBLIC_URL, settings.ALLOWED_HOSTS = public, ["testserver"]
    Client().post(FORGOT, {"email": ada.email})
    forged = Client(raise_request_exception=False).post(FORGOT, {"email": ada.email}, headers={"Host": "evil.example"})
    settled()
    assert forged.status_code == 400 or public
    assert {re.search(r"https?://[^/\s]+", message.body)[0] for message in mail.outbox} == {
        public or "http://testserver"
    }


def test_an_empty_form_says_what_is_missing(store: Store) -> None:
    answer = Client().post(FORGOT, {"email": ""})
    assert answer.status_code == 422
    assert "Enter your e-mail address." in answer.content.decode()


def test_a_hash_is_what_is_stored_of_a_link(invited: User, boss: User) -> None:
    link = services.show_link(wiring.invitations(), user=invited, **by(boss))
    stored = wiring.invitations().get(token_hash(link.token), consistent=True)
    assert isinstance(stored, Invitation)
    assert link.token not in repr(link)


def test_a_link_of_nobody_is_void(store: Store) -> None:
    with pytest.raises(LinkVoid):
        services.whose_link(wiring.users(), wiring.invitations(), hashed=token_hash(link_token()))
