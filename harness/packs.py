"""Cells in jobs: those that share features together, jobs of a useful length, longest first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from harness.plan import Planned
from harness.types import Cell

#: Seconds that a pack should last, so that starting a job is small beside it.
PACK_SECONDS = 120.0
#: Guess for a cell on one core.
GUESSED_SECONDS = {"none": 0.05, "projection": 0.5, "all": 60.0}


@dataclass(frozen=True)
class Pack:
    """Cells that share dataset, classes and encoder, to run in one job."""

    cells: tuple[Planned, ...]
    seconds: float


def packs(cells: Sequence[Planned], jobs: int) -> list[Pack]:
    """Cells that share features stay together; a pack lasts PACK_SECONDS, or less to fill the jobs.

    Longest first, so that the last job to end ends early.
    """
    groups: dict[Any, list[Planned]] = {}
    for planned in cells:
        c = planned.cell
        groups.setdefault((c.dataset, c.encoder, c.resolution, c.tuning), []).append(planned)
    made: list[Pack] = []
    for group in groups.values():
        families: dict[str, list[Planned]] = {}
        for planned in group:  # cells of one training stay in one job
            families.setdefault(planned.train_key, []).append(planned)
        costs = [sum(guess(p.cell) for p in f) for f in families.values()]
        target = min(PACK_SECONDS, sum(costs) / jobs)
        part: list[Planned] = []
        total = 0.0
        for family, each in zip(families.values(), costs, strict=True):
            if part and total + each > target * 1.001:
                made.append(Pack(tuple(part), total))
                part, total = [], 0.0
            part += family
            total += each
        made.append(Pack(tuple(part), total))
    return sorted(made, key=lambda p: -p.seconds)


def guess(cell: Cell) -> float:
    """Seconds that a cell may take on one core."""
    base = GUESSED_SECONDS[cell.tuning]
    epochs = cell.recipe.epochs / 60 if cell.recipe else 1.0
    return base * epochs * max(1, cell.shots or 4) / 2
