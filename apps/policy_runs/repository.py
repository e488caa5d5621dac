"""The questions that are asked of runs and results."""

from collections.abc import Iterator

from apps.jobs.repository import JobRepository
from apps.policy_runs.entities import (
    AstExecution,
    AstRegistration,
    Counts,
    PolicyResult,
    PolicyStatus,
    RunSecret,
    RunStatus,
)
from apps.policy_runs.tables import AST_EXECUTIONS, AST_REGISTRY, POLICY_RESULTS, RUN_SECRETS
from apps.storage.conditions import Query, attribute, begins_with
from apps.storage.page import Page
from apps.storage.repository import Repository

STATUS_INDEX = "execution_id-status_key-index"


class Executions(JobRepository[AstExecution]):
    """Runs."""

    entity = AstExecution
    table = AST_EXECUTIONS
    noun = "run"

    def listed(
        self, *, user_id: str | None = None, status: RunStatus | None = None, cursor: str | None = None, limit: int = 25
    ) -> Page[AstExecution]:
        """Runs, newest first: of everybody or of one user, in any state or one.

        Each of the four has an index but one: a user's runs in one state are filtered out of the user's runs.
        """
        if user_id is not None:
            query = Query(
                partition=user_id,
                index="user_id-execution_id-index",
                descending=True,
                filter=attribute("status").equals(status) if status else None,
            )
        elif status is not None:
            query = Query(partition=status, index="status-execution_id-index", descending=True)
        else:
            query = Query(partition="all", index="board-execution_id-index", descending=True)
        return self.page(query, limit=limit, cursor=cursor)

    def under_way(self, *, limit: int) -> list[AstExecution]:
        """Runs that have not ended, newest first; the index lags."""
        query = Query(partition="yes", index="under_way-execution_id-index", descending=True)
        return list(self.page(query, limit=limit).items)

    def in_state(self, status: RunStatus, *, limit: int) -> list[str]:
        """Keys of runs in a state, oldest first."""
        return [str(key) for key in self.keys(Query(partition=status, index="status-execution_id-index"), limit=limit)]


class Results(Repository[PolicyResult]):
    """What became of each policy."""

    entity = PolicyResult
    table = POLICY_RESULTS
    noun = "policy result"

    def listed(
        self, execution_id: str, *, status: PolicyStatus | None = None, cursor: str | None = None, limit: int = 100
    ) -> Page[PolicyResult]:
        """A run's results without their screens, by state and number, or in one state by number."""
        return self.page(_of(execution_id, status), limit=limit, cursor=cursor)

    def all_listed(self, execution_id: str, status: PolicyStatus | None = None) -> Iterator[PolicyResult]:
        """Every result of a run, without screens, for an export."""
        return self.stream(_of(execution_id, status))

    def pending(self, execution_id: str) -> list[str]:
        """Policy numbers without a result, as far as the index knows."""
        return [result.policy_number for result in self.all_listed(execution_id, PolicyStatus.PENDING)]

    def pending_for_sure(self, execution_id: str) -> list[str]:
        """Policy numbers without a result by a consistent read of the whole partition: dear, so only when in doubt."""
        query = Query(partition=execution_id, filter=attribute("status").equals(PolicyStatus.PENDING))
        return [result.policy_number for result in self.stream(query, consistent=True)]

    def counts(self, execution_id: str) -> Counts:
        """How many results are in each state, counted in the index."""
        found = {
            status.value: self.count(_of(execution_id, status))
            for status in PolicyStatus
            if status is not PolicyStatus.PENDING
        }
        return Counts(**found)


class RunSecrets(Repository[RunSecret]):
    """Encrypted host credentials."""

    entity = RunSecret
    table = RUN_SECRETS
    noun = "set of host credentials"


class AstRegistrations(Repository[AstRegistration]):
    """The ASTs that the code offers."""

    entity = AstRegistration
    table = AST_REGISTRY
    noun = "AST"

    def enabled(self) -> list[AstRegistration]:
        """ASTs that may be launched, by name; they are few."""
        return sorted((ast for ast in self.leaf(limit=100) if ast.enabled), key=lambda ast: ast.ast_name)


def _of(execution_id: str, status: PolicyStatus | None) -> Query:
    sort = begins_with(f"{status.value}#") if status else None
    return Query(partition=execution_id, index=STATUS_INDEX, sort=sort)
