"""The configurations of a search that were tried for a cell, and the best of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.run.cell_errors import is_of_one_cell
from harness.run.evaluate import Trained, Trial


@dataclass
class Search:
    """The best configuration of a cell so far. A cell without a search has one configuration."""

    best: Trained | None = None
    trials: list[Trial] = field(default_factory=list)
    problem: Exception | None = None  # fails the cell

    def offer(self, trained: Trained, trial: Trial) -> None:
        """The first of equals is kept."""
        if self.best is None or trial.rank() > max(t.rank() for t in self.trials):
            self.best = trained
        self.trials.append(trial)

    def outcome(self, cell: Cell) -> Trained | Exception:
        if self.problem is not None:
            return self.problem
        if self.best is None:
            return CellError(f"every configuration of the search failed: {self.trials[0].error}")
        return replace(self.best, trials=tuple(self.trials)) if cell.search else self.best


@contextmanager
def reason_of(search: Search) -> Iterator[None]:
    """An error inside fails one cell, unless it concerns other cells too."""
    try:
        yield
    except Exception as error:
        if not is_of_one_cell(error):
            raise
        search.problem = error
