"""The ASTs there are, by name. To add one: write its module, name its class here, run `manage.py setup_tables`."""

from collections.abc import Mapping

from apps.policy_runs.asts.base import Ast
from apps.policy_runs.asts.login import LoginAst

ASTS: Mapping[str, type[Ast]] = {ast.name: ast for ast in (LoginAst,)}
