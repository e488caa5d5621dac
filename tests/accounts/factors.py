"""A second factor as its owner has it: a key in an app, and recovery codes."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
from django.http import HttpResponse
from django.test import Client

from tests.accounts.people import PASSWORD

CODES = re.compile(r"\b(?:[a-z2-9]{4}-){3}[a-z2-9]{4}\b")
KEY = re.compile(r'id="factor-key"[^>]*>([A-Z2-7 ]+)<')


@dataclass
class App:
    """An authenticator app and the recovery codes that came with it, on the page `shown`."""

    key: str
    recovery: list[str]
    shown: str = ""

    def code(self, *, steps: int = 1) -> str:
        """What it will show some steps of 30 seconds from now: the next one is newer than that of setting up, and right
        whenever the present step ends.
        """
        return pyotp.TOTP(self.key).at(datetime.now(UTC) + timedelta(seconds=30 * steps))


def set_up(client: Client) -> App:
    """Set a second factor up as a person does."""
    assert client.post("/account/second-factor/", {"password": PASSWORD}).status_code == 302
    found = KEY.search(client.get("/account/second-factor/confirm/").content.decode())
    assert found is not None
    app = App(key=found.group(1).replace(" ", ""), recovery=[])
    answer = client.post("/account/second-factor/confirm/", {"code": app.code(steps=0)})
    assert answer.status_code == 200, answer.content
    app.shown = answer.content.decode()
    app.recovery = list(dict.fromkeys(CODES.findall(app.shown)))
    return app


def enter(client: Client, code: str, **more: str) -> HttpResponse:
    """Enter a code after the password."""
    return client.post("/account/sign-in/code/", {"code": code, **more})
