from ipaddress import ip_network

import pytest

from apps.accounts.addresses import client_address, counted_as
from apps.accounts.devices import device_name

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8:1::/48"))


def meta(peer: str, forwarded: str | None = None) -> dict[str, str]:
    return {"REMOTE_ADDR": peer} | ({"HTTP_X_FORWARDED_FOR": forwarded} if forwarded is not None else {})


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", None, "203.0.113.7"),
        ("203.0.113.7", "198.51.100.4", "203.0.113.7"),  # not a proxy of ours: what it says is not believed
        ("10.1.1.1", "198.51.100.4", "198.51.100.4"),
        ("10.1.1.1", "1.2.3.4, 198.51.100.4, 10.2.2.2", "198.51.100.4"),  # 1.2.3.4 was written by the client
        ("10.1.1.1", "10.3.3.3, 10.2.2.2", "10.3.3.3"),
        ("10.1.1.1", "nonsense", "10.1.1.1"),
        ("10.1.1.1", "198.51.100.4, nonsense", "10.1.1.1"),
        ("10.1.1.1", "", "10.1.1.1"),
        ("10.1.1.1", "198.51.100.4:4711", "198.51.100.4"),
        ("2001:db8:1::5", "[2001:db8:9::1]:443", "2001:db8:9::1"),
        ("::ffff:10.1.1.1", "198.51.100.4", "198.51.100.4"),
        ("", "198.51.100.4", "unknown"),
    ],
)
def test_only_proxies_of_ours_are_believed(peer: str, forwarded: str | None, client: str) -> None:
    assert client_address(meta(peer, forwarded), trusted=PROXIES) == client


def test_without_proxies_the_header_says_nothing() -> None:
    assert client_address(meta("10.1.1.1", "198.51.100.4")) == "10.1.1.1"


def test_the_many_addresses_of_one_ipv6_customer_count_as_one() -> None:
    assert counted_as("2001:db8:9::1") == counted_as("2001:db8:9::ffff:1") == "2001:db8:9::/64"
    assert counted_as("198.51.100.4") == "198.51.100.4"
    assert counted_as("unknown") == "unknown"


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0", "Firefox on Linux"),
        (
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/126.0 Safari/537.36 Edg/126.0",
            "Edge on Windows",
        ),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1 Version/17.5 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Version/17.5 Safari/604.1", "Safari on iPhone"),
        ("", "Unknown browser"),
    ],
)
def test_a_browser_gets_a_short_name(user_agent: str, name: str) -> None:
    assert device_name(user_agent) == name
