"""Estimated run time of cells: from the Records of earlier runs, else a guess."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from statistics import fmean, linear_regression
from typing import Any

from harness.core.cells import Cell, cell_from
from harness.core.protocols.launcher import CellCost
from harness.core.store import Store

#: Guessed seconds of a cell on one core.
GUESSED_SECONDS = {"none": 0.05, "head": 0.2, "projection": 0.5, "all": 60.0}


#: Most Records that are read to estimate run times.
MOST_RECORDS_READ = 500


def guess(cell: Cell) -> float:
    """A guess of the seconds that a cell takes on one core."""
    base = GUESSED_SECONDS[cell.tuning]
    epochs = cell.recipe.epochs / 60 if cell.recipe else 1.0
    return base * epochs * max(1, cell.shots or 4) / 2


def learned(store: Store) -> CellCost:
    """A cost from the Records of earlier runs: the mean over cells with the same encoder, tuning,
    regime, shots and epochs; else the guess, corrected by a line fitted to cells with the same
    encoder and tuning; else the guess.
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
    """(intercept, slope) of measured over guessed seconds. If all guesses are equal, the slope
    cannot be fitted: it is then 1, or less if the guess was too high.
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
    """Cells of done Records, their measured seconds, and the guess. Keys are hashes, so the first
    ones are a random sample.
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
                continue  # of another version, or damaged: Store reports it where it matters
            if done:
                yield cell, seconds, guessed
