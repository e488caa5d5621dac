"""Going through single sign-on as a browser does, step by step, so that a test can meddle with each."""

import http.client
from urllib.parse import parse_qs, urlsplit

from django.http import HttpResponse
from django.test import Client

START, CALLBACK, CONNECTION = (f"/account/single-sign-on/{part}" for part in ("start/", "callback/", ""))


def parameters(address: str) -> dict[str, str]:
    """The query of an address, each name once."""
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


def at_provider(address: str) -> str:
    """What a browser is told at the provider: where to go back to."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=5)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        body = answer.read().decode()
        assert answer.status == 302, body
        return str(answer.headers["Location"])
    finally:
        connection.close()


def left(client: Client, wanted: str = "") -> str:
    """The address at the provider that the button leads to."""
    answer = client.get(START, {"next": wanted} if wanted else {})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def back(client: Client, address: str) -> HttpResponse:
    """Come back as the provider says."""
    assert address.startswith(f"http://testserver{CALLBACK}?")
    return client.get(CALLBACK, parameters(address))


def come_in(client: Client, wanted: str = "") -> HttpResponse:
    """All the way."""
    return back(client, at_provider(left(client, wanted)))
