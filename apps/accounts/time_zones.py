"""Time zones by their IANA names, as the machine's own database has them, or else that of the package tzdata."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from zoneinfo import ZoneInfo, available_timezones

# What stands beside the cities: other names for them, and zones that are no place's.
_NO_PLACE = frozenset({"Etc", "SystemV", "US", "Canada", "Brazil", "Chile", "Mexico", "posix", "right"})


@lru_cache(maxsize=1)
def known_zones() -> frozenset[str]:
    """Every name that this machine knows."""
    return frozenset(available_timezones())


def zone_named(name: str) -> ZoneInfo | None:
    """The zone; None for a name that this machine does not know, whoever sent it."""
    return ZoneInfo(name) if name in known_zones() else None


@lru_cache(maxsize=1)
def zones_by_region() -> Sequence[tuple[str, Sequence[tuple[str, str]]]]:
    """What somebody may choose from: for each region its zones, as name and words."""
    regions: dict[str, list[tuple[str, str]]] = {}
    for region, name in _places():
        regions.setdefault(region, []).append((name, name.partition("/")[2].replace("_", " ").replace("/", ", ")))
    return tuple((region, tuple(zones)) for region, zones in regions.items())


def _places() -> Iterator[tuple[str, str]]:
    for name in sorted(known_zones()):
        region, slash, _ = name.partition("/")
        if slash and region not in _NO_PLACE:
            yield region, name
