"""How long to wait before a request is sent again: longer each time, and never in step with others."""

import random
import time

FIRST_SECONDS = 0.05
LONGEST_SECONDS = 5.0


def rest(attempt: int) -> None:
    """Sleep before try number `attempt` (from 1): up to 0.1 s before the second, doubling to five seconds."""
    longest = min(LONGEST_SECONDS, FIRST_SECONDS * 2**attempt)
    time.sleep(random.uniform(longest / 2, longest))  # noqa: S311  (jitter, not a secret)
