"""Progress on standard error: bars with the remaining time on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping, Sequence
from math import prod
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.core.cells import KeyedCell
    from harness.core.protocols.launcher import Events

QUIET_SECONDS = 10.0


class Progress:
    """One bar per name. `with Progress() as p: p.update("cells", 3, 120)`."""

    def __init__(self, first_seconds: float | None = None) -> None:
        """`first_seconds`: when the first line of a name is printed, where there are no bars; what
        ends sooner is not worth one. By default the end is always told.
        """
        self._first_seconds = first_seconds
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._began: dict[str, float] = {}
        self._printed: dict[str, float] = {}

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.stop()

    def update(self, name: str, done: int, total: int) -> None:
        if total <= 0:
            return
        if self._bars is None and sys.stderr.isatty():
            self._bars = _bars()
            self._bars.start()
        if self._bars is not None:
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, total=total)
            self._bars.update(self._tasks[name], completed=done, total=total)
            return
        self._print(name, done, total)

    def _print(self, name: str, done: int, total: int) -> None:
        now = time.monotonic()
        began = self._began.setdefault(name, now)
        spent = now - began
        if not self._is_due(name, now, ended=done >= total):
            return
        self._printed[name] = now
        left = f", about {spent / done * (total - done):.0f} s left" if 0 < done < total else ""
        print(f"{name}: {done} of {total} after {spent:.0f} s{left}", file=sys.stderr)

    def _is_due(self, name: str, now: float, *, ended: bool) -> bool:
        """Whether a line is printed now."""
        if self._first_seconds is not None and name not in self._printed:
            return now - self._began[name] >= self._first_seconds
        return ended or now - self._printed.setdefault(name, now) >= QUIET_SECONDS


def _bars() -> Any:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )
    from rich.progress import Progress as Bars

    return Bars(
        TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(),
        TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
        console=Console(stderr=True),
    )  # fmt: skip


def progress_events(progress: Progress, cells: Sequence[KeyedCell]) -> Events:
    """Events that show images, cells, and epochs of long cells on the bars of `progress`."""
    from harness.core.protocols.launcher import Events

    counts = _Counts(progress, cells)
    return Events(
        features=lambda done, total: progress.update("pictures", done, total),
        ready=lambda: progress.update("cells", 0, len(cells)),
        epoch=counts.epoch,
        cell=counts.cell,
    )


class _Counts:
    """The number of finished cells, and of epochs in cells that take long."""

    def __init__(self, progress: Progress, cells: Sequence[KeyedCell]) -> None:
        self._progress, self._cells, self._ended = progress, len(cells), 0
        self._trainings = {c.train_key: _epochs(c) for c in cells if c.cell.tunes_backbone}
        self._done = dict.fromkeys(self._trainings, 0)

    def cell(self, _keyed: KeyedCell, _status: str) -> None:
        self._ended += 1
        self._progress.update("cells", self._ended, self._cells)

    def epoch(self, keyed: KeyedCell, point: Mapping[str, Any]) -> None:
        """Counts by epoch number: a cell that continues from a checkpoint skips epochs."""
        key, recipe = keyed.train_key, keyed.cell.recipe
        if key not in self._trainings or recipe is None:
            return
        before = int(point.get("training", 0)) * recipe.epochs
        self._done[key] = max(self._done[key], before + int(point["epoch"]))
        self._progress.update("epochs", sum(self._done.values()), sum(self._trainings.values()))


def _epochs(keyed: KeyedCell) -> int:
    """The epochs of all trainings of a cell."""
    recipe, search = keyed.cell.recipe, dict(keyed.cell.search or ())
    if recipe is None:
        return 0
    return recipe.epochs * prod(len(values) for values in search.values())
