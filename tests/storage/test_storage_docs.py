"""The page about the repository layer tells the truth: its code runs, in its order."""

import ast
import asyncio
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from apps.storage.engine import EngineKind
from apps.storage.table import Table
from apps.storage.tables import TRASH, UNIQUES
from tests.conftest import create_tables, new_store

PAGE = Path(__file__).resolve().parents[2] / "docs" / "storage.md"
MOST_LINES = 60


def blocks() -> list[str]:
    return re.findall(r"```python\n(.*?)```", PAGE.read_text(), flags=re.DOTALL)


def test_every_example_runs(engine_endpoint: Callable[[EngineKind], str]) -> None:
    store = new_store(engine_endpoint(EngineKind.DYNOXIDE))
    create_tables(store, UNIQUES, TRASH)
    names: dict[str, Any] = {"store": store, "__name__": "the_page"}
    text = PAGE.read_text()
    for block in blocks():
        for statement in ast.parse(block).body:
            ast.increment_lineno(statement, text.count("\n", 0, text.index(block)))
            run(statement, names)
            if isinstance(statement, ast.Assign) and isinstance(names.get(target(statement)), Table):
                create_tables(store, names[target(statement)])


def run(statement: ast.stmt, names: dict[str, Any]) -> None:
    module = ast.Module(body=[statement], type_ignores=[])
    done = eval(compile(module, str(PAGE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)  # noqa: S307  (ours)
    if inspect.iscoroutine(done):
        asyncio.run(done)


def target(statement: ast.Assign) -> str:
    return getattr(statement.targets[0], "id", "")


def test_a_new_table_takes_less_than_sixty_lines() -> None:
    first = blocks()[0]
    assert "class Boats(Repository[Boat])" in first
    assert len(first.splitlines()) < MOST_LINES


def test_every_name_of_a_module_on_the_page_exists() -> None:
    root = PAGE.parents[1]
    for module in set(re.findall(r"from (apps\.[\w.]+) import", PAGE.read_text())):
        assert (root / (module.replace(".", "/") + ".py")).is_file(), module
    for command in set(re.findall(r"manage\.py (\w+)", PAGE.read_text())) - {"check"}:
        assert list(root.glob(f"*/**/management/commands/{command}.py")), command
