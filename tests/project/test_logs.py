"""What logs may say."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SECRET = "hunter2-secret"
TOKEN = f"rungs_{'0f' * 32}"
LINK = f"link_{'0f' * 32}"
PROGRAM = """
import logging
import sys

import structlog
from project.logs import configure

configure({"level": "DEBUG", "json": %s})
log = structlog.get_logger("some.module")


def sign_on(user_id, password):
    raise RuntimeError("a bug while a secret was in a local variable")


try:
    sign_on("DEMO01", sys.argv[1])
except RuntimeError as error:
    log.error("it broke", exc_info=error, password=sys.argv[1], api_token=sys.argv[1], header="Bearer " + sys.argv[2])
with structlog.contextvars.bound_contextvars(path=f"/account/link/{sys.argv[3]}/"):
    logging.getLogger("django.request").warning("Not Found: %%s", f"/account/link/{sys.argv[3]}/")
"""


@pytest.mark.parametrize("json", [True, False])
def test_neither_a_traceback_nor_a_named_value_shows_a_secret(json):
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM % json, SECRET, TOKEN, LINK],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )

    assert "a bug while a secret" in done.stderr
    assert "it broke" in done.stderr
    assert SECRET not in done.stderr
    assert "Bearer (hidden)" in done.stderr
    assert TOKEN not in done.stderr
    assert "Not Found: /account/link/(hidden)/" in done.stderr
    assert LINK not in done.stderr
