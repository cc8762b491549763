"""Launchers: where the missing cells of a task run. Only a Record says that a cell is done."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from harness.core.cells import Cell, KeyedCell
from harness.core.hardware import Hardware
from harness.core.protocols.plugin import Plugin

if TYPE_CHECKING:
    from harness.core.store import Store

CellCost = Callable[[Cell], float]  # seconds that a cell may take on one core


def _nothing(*_: Any) -> None: ...


@dataclass(frozen=True)
class Events:
    """Callbacks of a run."""

    features: Callable[[int, int], object] = _nothing  # pictures done, of how many
    ready: Callable[[], object] = _nothing  # what the cells share is there; training begins
    epoch: Callable[[KeyedCell, Mapping[str, Any]], object] = _nothing  # a point of a curve
    cell: Callable[[KeyedCell, str], object] = _nothing  # a cell ended as done or failed


@dataclass(frozen=True)
class LaunchOptions:
    """What the command line says of a launch."""

    profile: str | None = None
    changes: Sequence[str] = ()  # key=value, of the profile
    jobs: int | None = None


@dataclass(frozen=True)
class Forecast:
    """What cells may cost. An estimate."""

    seconds: float  # of one core
    hours: float
    unit: str = "core-hours"
    lines: Sequence[str] = ()  # how they would be launched, for `plan`
    document: Mapping[str, Any] = field(default_factory=dict)  # the same for `plan --json`


@dataclass(frozen=True)
class LaunchRequest:
    """Cells to run, and everything that running them needs."""

    cells: Sequence[KeyedCell]
    store: Store
    task_name: str
    task_yaml: str  # the task as resolved
    save: bool  # keep the trained weights
    logs: Sequence[str]  # names in harness/logs/
    measures: Sequence[str]  # measures beyond those of harness/measures/
    events: Events
    cost: CellCost
    settings: Any  # what `settings` gave
    run_here: Callable[[Sequence[KeyedCell], int], None]  # cells in so many threads, to the end
    workers: int | None = None  # processes that read data ahead (loader.workers)


@dataclass(frozen=True)
class Launched:
    """What became of a request."""

    messages: Sequence[str] = ()  # results, for standard output
    complaints: Sequence[str] = ()  # about jobs that left cells behind


@dataclass(frozen=True)
class CellJob:
    """The job that a cell was submitted in."""

    batch: str  # the batch of cells that it was submitted with
    task: str
    submitted: float  # seconds since 1970
    live: bool  # whether it may still write Records
    waiting: bool  # whether it has not begun
    over: bool  # whether it has written the Record of this cell
    reason: str  # its state in words
    id: str | None = None
    state: str = ""
    node: str | None = None
    log: Path | None = None
    tail: Sequence[str] = ()  # the last lines of the log


@dataclass(frozen=True)
class JobReport:
    """The jobs of some cells. `problem` says why the scheduler could not be asked."""

    jobs: Mapping[str, CellJob] = field(default_factory=dict)  # by the key of the cell
    problem: str | None = None
    launcher: str | None = None  # the name of the one with the problem; `Study.status` fills it in

    def in_flight(self) -> set[str]:
        """Keys of cells whose job may still write a Record."""
        return {key for key, job in self.jobs.items() if job.live}


@dataclass(frozen=True)
class Cancelled:
    """What `cancel` took back."""

    jobs: int = 0
    cells: int = 0  # that have no Record


class Launcher(Plugin, Protocol):
    """A place where cells run."""

    #: Whether `submit` returns before the cells have ended; `status` then knows of them.
    DETACHED: bool = False

    def settings(self, options: LaunchOptions) -> Any:
        """What the options mean here. Raises BadInput for options that belong to no such launch."""
        return options

    def device(self, settings: Any) -> str | None:
        """Where the cells will run: cpu or cuda; None for the device of this machine."""
        return None

    def hardware(self, settings: Any) -> Hardware | None:
        """What one training will have; None for this machine, or what `device` says."""
        return None

    def forecast(self, cells: Sequence[KeyedCell], cost: CellCost, settings: Any) -> Forecast:
        """What these cells may cost, and how they would be launched."""
        seconds = sum(cost(c.cell) for c in cells)
        return Forecast(seconds, seconds / 3600)

    @abstractmethod
    def submit(self, request: LaunchRequest) -> Launched:
        """Run the cells to the end, or hand them over where DETACHED.

        Raises BadInput if they cannot be launched, DiskFull or OutputError.
        """
        ...

    def status(self, store: Store, keys: Collection[str], done: Collection[str]) -> JobReport:
        """The jobs of cells that were submitted before; the Records of `done` are known."""
        return JobReport()

    def cancel(self, store: Store, keys: Collection[str], task_name: str) -> Cancelled:
        """Take back the jobs of a task. Raises BadInput if the scheduler refuses."""
        return Cancelled()
