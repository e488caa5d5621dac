"""The back office: Django's admin over what the apps declare in their `admin.py`."""

from apps.accounts.admin import UserAdmin
from apps.accounts.middleware import actor_of
from apps.accounts.permissions import allowed
from apps.console.site import Console
from apps.policy_runs.admin import HostAdmin

console = Console(HostAdmin, UserAdmin, allowed=allowed, actor_of=actor_of)
