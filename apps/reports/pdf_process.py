"""The program that makes a PDF: HTML in, PDF out. It runs in a process of its own, which has limits and can be ended.

It imports nothing of Rungs and knows nothing of its environment: what makes the engine misbehave finds no secrets.
"""

import resource
import sys
from typing import NoReturn

MOST_MEMORY = 2 * 1024**3
MOST_CPU_SECONDS = 120
NO_PANGO = 3


class Refused(ValueError):
    """Something that the page refers to; the page goes on without it."""


def refuse(url: str, *_more: object) -> NoReturn:
    """Fetch nothing, whatever it is: no file, no address, no data. Raises `Refused`."""
    raise Refused(f"a PDF refers to nothing outside itself: {url[:80]}")


def pdf_of(html: str) -> bytes:
    """The page as PDF. Raises `OSError` where Pango is not installed."""
    from weasyprint import HTML  # noqa: PLC0415  (it loads Pango, which a machine may not have)
    from weasyprint.urls import URLFetcher  # noqa: PLC0415

    fetcher = URLFetcher(allowed_protocols=())  # which refuses everything by itself already
    fetcher.fetch = refuse
    made: bytes = HTML(string=html, url_fetcher=fetcher).write_pdf()
    return made


def main() -> int:
    """Exit with 0 and the PDF, with `NO_PANGO` where it cannot be loaded."""
    resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (MOST_CPU_SECONDS, MOST_CPU_SECONDS))
    html = sys.stdin.buffer.read().decode()
    try:
        made = pdf_of(html)
    except OSError as error:
        sys.stderr.write(f"{error}\n")
        return NO_PANGO
    sys.stdout.buffer.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
