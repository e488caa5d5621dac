"""Reports as PDF: a page without a single reference to anything outside it, made in a process that is bounded."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from threading import BoundedSemaphore
from typing import Final

import structlog
from django.conf import settings

from apps.reports import pdf_process
from apps.reports.errors import PdfUnavailable

log = structlog.get_logger(__name__)

MOST_SECONDS: Final = 60.0
MOST_HTML: Final = 4 * 1024**2
MOST_PDF: Final = 20 * 1024**2
AT_ONCE: Final = 2
WAIT_SECONDS: Final = 15.0

_turns = BoundedSemaphore(AT_ONCE)
_TOKEN = re.compile(r"(--[\w-]+):\s*([^;]+);")
_LIGHT = re.compile(r"light-dark\(\s*([^,]+),[^)]+\)")
_USED = re.compile(r"var\((--[\w-]+)\)")
_ROOT = re.compile(r":root\s*\{[^}]*\}")
_CHART = re.compile(r'(<svg class="chart[^>]*>)')


def made_pdf(html: str) -> bytes:
    """This HTML as PDF.

    Takes seconds: not for an event loop. Raises `PdfUnavailable` where Pango is not installed, too many are being made
    at once, or this one takes too long or gets too large.
    """
    page = with_styled_charts(html).encode()
    if len(page) > MOST_HTML:
        raise PdfUnavailable("This is too long for a PDF. Take it as CSV, or print the page.")
    with _turn():
        made = _run(page)
    if len(made) > MOST_PDF:
        raise PdfUnavailable("This is too large for a PDF. Take it as CSV, or print the page.")
    return made


def with_styled_charts(html: str) -> str:
    """The page with the charts' style in each of them: the engine does not apply that of the page to them."""
    style = f"<style>{chart_style()}</style>"
    return _CHART.sub(lambda found: found[1] + style, html)


@lru_cache(maxsize=1)
def chart_style() -> str:
    """The style of the charts with every colour filled in, light: paper is."""
    sheet = _static("reports/charts.css")
    return _ROOT.sub("", filled_in(sheet))


def filled_in(sheet: str) -> str:
    """A style sheet with the values of tokens in place of their names. Raises `KeyError` for one that is not there."""
    tokens: dict[str, str] = {}
    for name, value in _TOKEN.findall(_static("rungs/tokens.css") + _static("reports/charts.css")):
        tokens.setdefault(name, _LIGHT.sub(lambda found: found[1].strip(), value))
    return _USED.sub(lambda found: tokens[found[1]], sheet)


def _static(path: str) -> str:
    return (Path(settings.BASE_DIR) / "static" / path).read_text()


@contextmanager
def _turn() -> Iterator[None]:
    if not _turns.acquire(timeout=WAIT_SECONDS):
        raise PdfUnavailable("Other PDFs are being made. Try again in a moment.")
    try:
        yield
    finally:
        _turns.release()


def _run(page: bytes) -> bytes:
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH") if name in os.environ}
    try:
        done = subprocess.run(  # noqa: S603  (our own program)
            [sys.executable, "-I", pdf_process.__file__],
            input=page,
            capture_output=True,
            env={**known, "LC_ALL": "C.UTF-8"},
            timeout=MOST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise PdfUnavailable("This took too long to put on paper. Try again, or print the page.") from error
    if done.returncode == 0:
        return done.stdout
    log.error("a PDF was not made", code=done.returncode, told=done.stderr[-2000:].decode(errors="replace"))
    if done.returncode == pdf_process.NO_PANGO:
        raise PdfUnavailable(
            "PDFs cannot be made on this machine: Pango is not installed. Print the page instead, or ask an "
            "administrator (docs/operations.md names the packages)."
        )
    raise PdfUnavailable("This could not be put on paper. Print the page instead, or try again.")
