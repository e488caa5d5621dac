"""A run that was launched, for what is recorded about one."""

from tests.policy_runs.conftest import launched_offline, operator, owner, run, stores

__all__ = ["launched_offline", "operator", "owner", "run", "stores"]
