"""What keeps the house in order beside ruff and mypy."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MODULES = sorted(path for part in ("apps", "project") for path in (ROOT / part).rglob("*.py"))
LONGEST_FILE_LINES = 500  # one is looked at twice past 300


def test_every_import_goes_down_the_layers() -> None:
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    linted = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_every_app_is_named_in_the_contracts() -> None:
    contracts = (ROOT / ".importlinter").read_text().split("[importlinter:contract:")
    apps = {path.parent.name for path in (ROOT / "apps").glob("*/apps.py")}
    for name in ("apps]", "boto3]"):
        contract = next(part for part in contracts if part.startswith(name))
        named = set(re.findall(r"\bapps\.(\w+)", contract))
        assert apps - {"storage"} <= named, f"name {apps - named} in .importlinter, or nobody checks what it imports"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_what_it_is_for_and_stays_short(path: Path) -> None:
    source = path.read_text()
    assert not source.strip() or ast.get_docstring(ast.parse(source))
    assert source.count("\n") <= LONGEST_FILE_LINES


def test_every_variable_that_is_read_is_explained_in_the_example() -> None:
    read = set(re.findall(r'"((?:RUNGS|AWS|REDIS)_[A-Z_]+)"', (ROOT / "project" / "environment.py").read_text()))
    explained = set(re.findall(r"^# ([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE))
    assert read == explained


def test_what_is_required_to_run_is_pinned_exactly() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = [line.strip() for line in (ROOT / name).read_text().splitlines()]
        for line in lines:
            assert not line or line.startswith(("#", "-r ")) or re.fullmatch(r"[A-Za-z0-9_.\[\]-]+==[0-9][0-9.]*", line)
