"""Cells in jobs: those that share features together, jobs of a useful length, longest first."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import cache
from math import ceil
from statistics import fmean, linear_regression
from typing import Any, get_type_hints

from harness.plan import Planned
from harness.store import Store
from harness.types import Cell, Choice, ClassPick, Recipe

#: Seconds that a pack should last, so that starting a job is small beside it.
PACK_SECONDS = 120.0
#: Guess for a cell on one core.
GUESSED_SECONDS = {"none": 0.05, "projection": 0.5, "all": 60.0}
#: Records that are looked at to learn how long cells take.
MOST_RECORDS_READ = 500

Cost = Callable[[Cell], float]  # seconds that a cell may take on one core


@dataclass(frozen=True)
class Pack:
    """Cells that share dataset, classes and encoder, to run in one job."""

    cells: tuple[Planned, ...]
    seconds: float  # of one core


def guess(cell: Cell) -> float:
    """Seconds that a cell may take on one core."""
    base = GUESSED_SECONDS[cell.tuning]
    epochs = cell.recipe.epochs / 60 if cell.recipe else 1.0
    return base * epochs * max(1, cell.shots or 4) / 2


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


def learned(store: Store) -> Cost:
    """A cost that looks at the Records of earlier runs: the mean of cells with the same encoder,
    tuning, regime, shots and epochs; else the guess, brought in line with what cells of the same
    encoder and tuning took; else the guess.
    """
    alike: dict[Any, list[float]] = {}
    points: dict[Any, list[tuple[float, float]]] = {}
    for cell, seconds, guessed in _measured(store):
        alike.setdefault(_like(cell), []).append(seconds)
        points.setdefault((cell.encoder, cell.tuning), []).append((guessed, seconds))
    means = {key: fmean(values) for key, values in alike.items()}
    lines = {key: _line(values) for key, values in points.items()}

    def cost(cell: Cell) -> float:
        if mean := means.get(_like(cell)):
            return mean
        start, slope = lines.get((cell.encoder, cell.tuning), (0.0, 1.0))
        return start + slope * guess(cell)

    return cost


def _line(points: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Seconds that every cell takes, and seconds for each guessed one. Points of one guess say
    nothing of the slope: the guess then is believed, unless all of it was too much.
    """
    guessed, seconds = zip(*points, strict=True)
    slope = min(1.0, fmean(seconds) / fmean(guessed))
    if len(set(guessed)) > 1 and (fitted := linear_regression(guessed, seconds).slope) > 0:
        slope = fitted
    return max(0.0, fmean(seconds) - slope * fmean(guessed)), slope


def _like(cell: Cell) -> Any:
    epochs = cell.recipe.epochs if cell.recipe else None
    return (cell.encoder, cell.tuning, cell.regime, cell.shots, cell.fraction, cell.search, epochs)


def _measured(store: Store) -> Iterable[tuple[Cell, float, float]]:
    """Cells of done Records, the seconds that they took, and the guess. Keys are hashes, so the
    first ones are as good a sample as any.
    """
    read = 0
    for folder in sorted((store.root / "cells").glob("??")):
        for path in sorted(folder.glob("*.json")):
            if read == MOST_RECORDS_READ:
                return
            read += 1
            try:
                data = json.loads(path.read_bytes())
                done = data["status"] == "done"
                cell, seconds = cell_from(data["cell"]), float(data["cost"]["wall_s"])
                guessed = guess(cell)
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue  # of another version, or damaged: Store tells that where it matters
            if done:
                yield cell, seconds, guessed


# --- a cell as JSON ------------------------------------------------------------------------------


def cell_from(plain: Mapping[str, Any]) -> Cell:
    """The cell whose `plain()` this is.

    Raises TypeError or ValueError for what is no cell of this version.
    """
    kinds = _kinds()
    return Cell(**{name: _value(kinds.get(name, ""), value) for name, value in plain.items()})


@cache
def _kinds() -> dict[str, str]:
    """Field of Cell -> the type that its JSON stands for."""
    hints = get_type_hints(Cell)
    return {f.name: str(hints[f.name]) for f in fields(Cell)}


def _value(kind: str, value: Any) -> Any:
    if value is None:
        return None
    if Choice.__name__ in kind:
        if isinstance(value, str):
            return Choice(value)
        options = {k: _tuples(v) for k, v in value.items() if k != "name"}
        return Choice(value["name"], tuple(sorted(options.items())))
    if ClassPick.__name__ in kind:
        return ClassPick(**value)
    if Recipe.__name__ in kind:
        return Recipe(**value)
    return _tuples(value)


def _tuples(value: Any) -> Any:
    """JSON has lists where frozen data has tuples."""
    return tuple(_tuples(v) for v in value) if isinstance(value, list | tuple) else value
