"""Where a request came from: the peer's address, or what proxies of our own say about theirs."""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

UNKNOWN = "unknown"
IPV6_PREFIX = 64


def client_address(meta: Mapping[str, Any], *, trusted: Sequence[Network] = ()) -> str:
    """The client's address as text, or `unknown`.

    `meta` is a request's META. `X-Forwarded-For` is believed only as far as the addresses that wrote it are `trusted`,
    read from its end: what a client writes into it itself is never reached.
    """
    address = _parsed(str(meta.get("REMOTE_ADDR", "")))
    if address is None:
        return UNKNOWN
    for part in reversed(str(meta.get("HTTP_X_FORWARDED_FOR", "")).split(",")):
        if not _within(address, trusted):
            break
        before = _parsed(part.strip())
        if before is None:
            break
        address = before
    return str(address)


def counted_as(address: str) -> str:
    """What rate limits count: an IPv4 address itself, of an IPv6 address the /64 that one customer owns."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, IPV6_PREFIX), strict=False))
    return address


def _parsed(text: str) -> Address | None:
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = text.partition(":")[0]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return address.ipv4_mapped or address if isinstance(address, IPv6Address) else address


def _within(address: Address, networks: Iterable[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
