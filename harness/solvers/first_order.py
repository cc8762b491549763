"""AdamW or SGD by batches: every kind of training, one cell at a time (section 4.1).

The recipe says the optimiser, two learning rates, weight decay, warm-up and decay.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.core.cells import Cell
from harness.core.protocols.solver import Problem, Solution
from harness.training.loop import train


def accepts(cells: Sequence[Cell]) -> bool:
    """One cell of any kind."""
    return len(cells) == 1


def solve(problems: Sequence[Problem]) -> list[Solution]:
    """Raises CellError if a loss is not finite, KeyboardInterrupt if asked to stop."""
    return [train(problem) for problem in problems]
