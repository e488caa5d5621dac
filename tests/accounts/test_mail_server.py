"""Links by way of a real mail server, which tells what it was given."""

import socket
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from apps.accounts import services, wiring
from apps.accounts.entities import Role, User
from apps.accounts.errors import MailNotSent
from apps.accounts.mail import LinkMailer
from tests.accounts.deeds import by

MAILER = LinkMailer(site="https://rungs.example.org")


class Inbox:
    """Takes mails for everybody but one."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:  # noqa: N802
        if address == "full@example.org":
            return "552 Mailbox full"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))  # type: ignore[arg-type]
        return "250 OK"


@pytest.fixture
def inbox(settings: Any) -> Iterator[Inbox]:
    inbox = Inbox()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host, port = free.getsockname()
    server = Controller(inbox, hostname=host, port=port)
    server.start()
    settings.EMAIL_BACKEND, settings.EMAIL_USE_TLS = "django.core.mail.backends.smtp.EmailBackend", False
    settings.EMAIL_HOST, settings.EMAIL_PORT = host, port
    settings.DEFAULT_FROM_EMAIL = "rungs@example.org"
    yield inbox
    server.stop()


@pytest.fixture
def boss(make_user: Callable[..., User]) -> User:
    return make_user(email="boss@example.org", name="Boss", roles=[Role.ADMIN])


def test_a_mail_arrives_as_plain_text_with_a_link_in_one_line(
    inbox: Inbox, boss: User, make_user: Callable[..., User]
) -> None:
    zoe = make_user(email="zoe@example.org", name="Zoë Ünal")
    link = services.send_link(wiring.invitations(), user=zoe, mailer=MAILER, **by(boss))
    (mail,) = inbox.mails
    assert (mail["From"], mail["To"], mail.get_content_type()) == ("rungs@example.org", "zoe@example.org", "text/plain")
    assert "Hello Zoë Ünal," in mail.get_content()
    assert MAILER.address(link) in mail.get_content().splitlines()


@pytest.mark.parametrize("email", ["a@example..org", "a,b@example.org", f"a@{'x' * 70}.org"], ids=range(3))
def test_an_address_that_no_mail_can_be_written_to_is_told(
    inbox: Inbox, boss: User, make_user: Callable[..., User], email: str
) -> None:
    with pytest.raises(MailNotSent):
        services.send_link(wiring.invitations(), user=make_user(email=email), mailer=MAILER, **by(boss))
    assert inbox.mails == []


def test_a_mail_that_the_server_refuses_is_told(inbox: Inbox, boss: User, make_user: Callable[..., User]) -> None:
    full = make_user(email="full@example.org", name="Full")
    with pytest.raises(MailNotSent):
        services.send_link(wiring.invitations(), user=full, mailer=MAILER, **by(boss))
    assert inbox.mails == []
