"""Cells in jobs: those that share features together, jobs of a useful length, longest first."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from typing import Any

from harness.plan.estimate import Cost, guess
from harness.plan.plan import Planned

#: Seconds that a pack should last, so that starting a job is small beside it.
PACK_SECONDS = 120.0


@dataclass(frozen=True)
class Pack:
    """Cells that share dataset, classes and encoder, to run in one job."""

    cells: tuple[Planned, ...]
    seconds: float  # of one core


def packs(
    cells: Sequence[Planned], jobs: int, *, seconds: float = PACK_SECONDS, cost: Cost = guess
) -> list[Pack]:
    """Cells that share features or frames stay together; a pack lasts `seconds`, or less to fill
    the jobs.

    Longest first, so that the last job to end ends early.
    """
    groups: dict[Any, list[Planned]] = {}
    for planned in cells:
        c = planned.cell
        shared = (c.dataset, c.encoder, c.resolution, c.frames, c.tuning)
        groups.setdefault(shared, []).append(planned)
    made = [p for group in groups.values() for p in _balanced(group, jobs, seconds, cost)]
    return sorted(made, key=lambda p: -p.seconds)


def _balanced(group: Sequence[Planned], jobs: int, seconds: float, cost: Cost) -> list[Pack]:
    """One group in packs of about the same length: the longest training first, each to the pack
    that is the shortest so far.
    """
    families: dict[str, list[Planned]] = {}
    for planned in group:  # cells of one training stay in one job
        families.setdefault(planned.train_key, []).append(planned)
    costs = {name: sum(cost(p.cell) for p in f) for name, f in families.items()}
    total = sum(costs.values())
    target = min(seconds, total / jobs)
    number = min(len(families), max(1, ceil(total / target - 1e-9) if target > 0 else 1))
    shortest = [(0.0, n) for n in range(number)]
    parts: list[list[Planned]] = [[] for _ in range(number)]
    for name in sorted(costs, key=lambda name: -costs[name]):
        length, n = heapq.heappop(shortest)
        parts[n] += families[name]
        heapq.heappush(shortest, (length + costs[name], n))
    lengths = {n: length for length, n in shortest}
    return [Pack(tuple(part), lengths[n]) for n, part in enumerate(parts)]


# --- how long cells take -------------------------------------------------------------------------


# --- a cell as JSON ------------------------------------------------------------------------------
