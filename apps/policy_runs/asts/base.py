"""What an AST (Automated Streamlined Transaction) is: one thing done on the host for each item of a run."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from pydantic import BaseModel, ConfigDict

from apps.policy_runs.entities import PolicyStatus
from apps.terminal.session import HostSession

Reporter = Callable[[int, int, str], None]


class NoParameters(BaseModel):
    """An AST that needs nothing but its items."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class Credentials:
    """Whom the host is to believe us to be; never printed."""

    user_id: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class ItemOutcome:
    """What became of one item: final, whatever it is. Trouble with the session is raised as `HostFault` instead."""

    status: PolicyStatus
    error: str | None = None
    data: Mapping[str, str | Decimal] = field(default_factory=dict)


class Ast(ABC):
    """One kind of transaction; a run makes an instance and takes every item through `perform` and `finish`.

    `changes_host` says that repeating an item could do something twice: after a fault in the middle such an item ends
    as *unknown* instead of being tried again.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    version: ClassVar[str]
    parameters: ClassVar[type[BaseModel]] = NoParameters
    changes_host: ClassVar[bool] = False

    def __init__(self, reporter: Reporter) -> None:
        """`reporter` takes what `report_progress` is told to those who watch."""
        self._reporter = reporter

    def report_progress(self, current: int, total: int, message: str) -> None:
        """Tell the watchers that `current` of `total` items are done, and in a few words what just happened."""
        self._reporter(current, total, message)

    @abstractmethod
    async def perform(self, session: HostSession, item: str, *, credentials: Credentials) -> ItemOutcome:
        """Do the item in a session that shows the sign-on screen. Raises `HostFault`."""

    @abstractmethod
    async def finish(self, session: HostSession) -> None:
        """Leave the host as it was found, after the outcome was recorded. Raises `HostFault`: a warning, no more."""
