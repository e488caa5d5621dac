"""The `login` AST: for each policy sign on, inquire, read, sign off."""

from apps.policy_runs.asts.base import Ast, Credentials, ItemOutcome
from apps.policy_runs.entities import PolicyStatus
from apps.terminal.session import HostSession, Outcome


class LoginAst(Ast):
    """Read-only on the host, so an item may be tried again after any fault."""

    name = "login"
    description = "Sign on, inquire the policy, read what the host shows, sign off."
    version = "1.0"

    async def perform(self, session: HostSession, item: str, *, credentials: Credentials) -> ItemOutcome:
        """Sign on and read the policy."""
        await session.log_on(user_id=credentials.user_id, password=credentials.password)
        inquiry = await session.inquire(item)
        if inquiry.outcome is Outcome.DETAIL and inquiry.detail is not None:
            return ItemOutcome(PolicyStatus.SUCCESS, data=inquiry.detail.as_map())
        return ItemOutcome(PolicyStatus.FAILED, error=inquiry.message or "The host does not know this policy.")

    async def finish(self, session: HostSession) -> None:
        """Sign off."""
        await session.log_off()
