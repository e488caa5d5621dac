"""A small insurance host that speaks TN3270(E), for demonstration and tests.

It is a real TN3270 server to any emulator: asyncio and the standard library only, bound to 127.0.0.1.
See `users` for who may sign on (every password is `DEMOPASS`), `book` for the policies it knows, and `faults` for
the policy numbers that make it misbehave.
"""

from apps.terminal.demohost.book import DemoPolicy, demo_policies
from apps.terminal.demohost.faults import FAULT_PREFIXES, Fault
from apps.terminal.demohost.host import DemoHost
from apps.terminal.demohost.users import PASSWORD

__all__ = ["FAULT_PREFIXES", "PASSWORD", "DemoHost", "DemoPolicy", "Fault", "demo_policies"]
