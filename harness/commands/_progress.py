"""Progress on standard error: bars with the remaining time on a terminal, lines elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import Any

QUIET_SECONDS = 10.0


class Progress:
    """One bar per name. `with Progress() as p: p.update("cells", 3, 120)`."""

    def __init__(self) -> None:
        self._bars: Any = None
        self._tasks: dict[str, Any] = {}
        self._began: dict[str, float] = {}
        self._told: dict[str, float] = {}

    def __enter__(self) -> Progress:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                MofNCompleteColumn,
                TextColumn,
                TimeElapsedColumn,
                TimeRemainingColumn,
            )
            from rich.progress import Progress as Bars

            self._bars = Bars(
                TextColumn("{task.description:>8}"), BarColumn(), MofNCompleteColumn(),
                TimeElapsedColumn(), TextColumn("left"), TimeRemainingColumn(),
                console=Console(stderr=True),
            )  # fmt: skip
            self._bars.start()
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
        if self._bars is not None:
            if name not in self._tasks:
                self._tasks[name] = self._bars.add_task(name, total=total)
            self._bars.update(self._tasks[name], completed=done, total=total)
            return
        self._tell(name, done, total)

    def _tell(self, name: str, done: int, total: int) -> None:
        now = time.monotonic()
        began = self._began.setdefault(name, now)
        last = self._told.setdefault(name, now)
        if done < total and now - last < QUIET_SECONDS:
            return
        self._told[name] = now
        spent = now - began
        left = f", about {spent / done * (total - done):.0f} s left" if 0 < done < total else ""
        print(f"{name}: {done} of {total} after {spent:.0f} s{left}", file=sys.stderr)
