"""Which policy is next: fresh ones first, those to be tried again once their time has come."""

import heapq
import time
from collections.abc import Iterable
from dataclasses import dataclass, field


@dataclass(order=True, slots=True)
class Task:
    """One policy to be taken through the host; `attempt` counts from 1, `not_before` is monotonic time in seconds."""

    not_before: float
    order: int
    policy_number: str = field(compare=False)
    attempt: int = field(default=1, compare=False)


class Agenda:
    """The policies of a run that have no result yet."""

    def __init__(self, numbers: Iterable[str]) -> None:
        """Start with these, in this order."""
        self._tasks = [Task(0.0, order, number) for order, number in enumerate(numbers)]
        heapq.heapify(self._tasks)
        self._order = len(self._tasks)
        self._out = 0

    def take(self) -> Task | None:
        """The next task whose time has come; it counts as under way until `done` or `again`."""
        if not self._tasks or self._tasks[0].not_before > time.monotonic():
            return None
        self._out += 1
        return heapq.heappop(self._tasks)

    def done(self) -> None:
        """One that was taken is finished."""
        self._out -= 1

    def again(self, task: Task, *, after_seconds: float, counts: bool = True) -> None:
        """One that was taken is to be tried again; `counts` says whether this was one of its attempts."""
        self._out -= 1
        self._order += 1
        attempt = task.attempt + 1 if counts else task.attempt
        heapq.heappush(self._tasks, Task(time.monotonic() + after_seconds, self._order, task.policy_number, attempt))

    @property
    def is_finished(self) -> bool:
        """Whether nothing is left and nothing is under way."""
        return not self._tasks and self._out == 0

    def add(self, numbers: Iterable[str]) -> None:
        """More policies, at the end."""
        for number in numbers:
            self._order += 1
            heapq.heappush(self._tasks, Task(0.0, self._order, number))
