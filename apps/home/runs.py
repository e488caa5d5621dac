"""Policy runs as the first page shows them."""

from dataclasses import dataclass

from apps.policy_runs.entities import AstExecution
from apps.policy_runs.stores import Stores

NEWEST = 20
MOST_UNDER_WAY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Runs:
    """Runs that have not ended, and the last ones that did; the newest first."""

    in_progress: list[AstExecution]
    recent: list[AstExecution]

    @property
    def all(self) -> list[AstExecution]:
        """Both."""
        return [*self.in_progress, *self.recent]


def runs(stores: Stores) -> Runs:
    """What goes on: two requests, whatever the table holds. One started long ago and not ended is in progress still."""
    executions = stores.executions
    newest = executions.listed(limit=NEWEST).items
    under_way = {run.execution_id: run for run in executions.under_way(limit=MOST_UNDER_WAY)}
    under_way |= {run.execution_id: run for run in newest if not run.status.is_final}
    in_progress = [under_way[key] for key in sorted(under_way, reverse=True) if not under_way[key].status.is_final]
    return Runs(in_progress=in_progress, recent=[run for run in newest if run.status.is_final])
