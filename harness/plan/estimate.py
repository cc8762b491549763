"""Estimated run time of cells: from the Records of earlier runs, else a guess."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean, linear_regression
from typing import Any

from harness.core.cells import Cell, cell_from
from harness.core.store import Store
from harness.plan.needs import Need, feature_needs, text_needs
from harness.plan.resolve import ResolvedCell
from harness.sampling.support_views import trained_rows_of_a_picture

#: Guessed seconds of a cell on one core; those of `none` are for evaluation.
GUESSED_SECONDS = {"none": 0.05, "head": 0.2, "projection": 0.5, "all": 60.0}


#: Most Records that are read to estimate run times.
MOST_RECORDS_READ = 500


def guess(cell: Cell) -> float:
    """A guess of the seconds that a cell takes on one core."""
    base = GUESSED_SECONDS[cell.tuning]
    epochs = cell.recipe.epochs / 60 if cell.recipe else 1.0
    return base * epochs * max(1, cell.shots or 4) * trained_rows_of_a_picture(cell) / 2


@dataclass(frozen=True)
class Learned:
    """What earlier Records tell about the seconds of cells."""

    means: dict[Any, float]
    lines: dict[Any, tuple[float, float]]
    evaluation: dict[Any, float]  # its share of the seconds

    def __call__(self, cell: Cell) -> float:
        """Seconds on one core: the mean over cells with the same encoder, tuning, regime, shots and
        epochs; else the guess, corrected by a line fitted to cells with the same encoder and
        tuning; else the guess.
        """
        if mean := self.means.get(_like(cell)):
            return mean
        start, slope = self.lines.get((cell.encoder, cell.tuning), (0.0, 1.0))
        return start + slope * guess(cell)

    def evaluating(self, cell: Cell) -> float:
        """The part of the seconds that is evaluation; all of it where nothing is trained."""
        seconds = self(cell)
        if cell.recipe is None:
            return seconds
        share = self.evaluation.get((cell.encoder, cell.tuning))
        return min(seconds, GUESSED_SECONDS["none"]) if share is None else share * seconds


def learned(store: Store) -> Learned:
    """The costs that the Records of earlier runs tell."""
    alike: dict[Any, list[float]] = {}
    points: dict[Any, list[tuple[float, float]]] = {}
    shares: dict[Any, list[float]] = {}
    for cell, seconds, trained, guessed in _measured(store):
        group = (cell.encoder, cell.tuning)
        alike.setdefault(_like(cell), []).append(seconds)
        points.setdefault(group, []).append((guessed, seconds))
        if cell.recipe is not None and seconds > 0:
            shares.setdefault(group, []).append(max(0.0, 1 - trained / seconds))
    return Learned(
        {key: fmean(values) for key, values in alike.items()},
        {key: _line(values) for key, values in points.items()},
        {key: fmean(values) for key, values in shares.items()},
    )


@dataclass(frozen=True)
class Work:
    """All that cells need, in seconds of one core, or of a GPU for what runs there."""

    features: float = 0.0
    texts: float = 0.0
    training: float = 0.0
    evaluation: float = 0.0
    images: int = 0  # that have no features yet
    missing_texts: int = 0

    def line(self) -> str:
        """In words, for `plan`."""
        features = f"{self.features:.0f} s features of {self.images:,} images"
        texts = f"{self.texts:.0f} s embeddings of {self.missing_texts:,} texts"
        parts = [features] * bool(self.images) + [texts] * bool(self.missing_texts)
        parts += [f"{self.training:.0f} s training", f"{self.evaluation:.0f} s evaluation"]
        return ", ".join(parts)


class Estimate:
    """The seconds of each of some cells. What several of them need is shared out among them, so
    that the sum over cells is that of all the work.
    """

    def __init__(
        self, cells: Sequence[ResolvedCell], learned: Learned, device: str | None = None
    ) -> None:
        self._learned = learned
        features, texts = feature_needs(cells, device), text_needs(cells)
        self._share = _shares([*features, *texts])
        evaluation = sum(learned.evaluating(c.cell) for c in cells)
        self.work = Work(
            features=sum(need.seconds for need in features),
            texts=sum(need.seconds for need in texts),
            training=sum(learned(c.cell) for c in cells) - evaluation,
            evaluation=evaluation,
            images=sum(need.missing for need in features),
            missing_texts=sum(need.missing for need in texts),
        )

    def __call__(self, cell: Cell) -> float:
        """Seconds of a cell with its share of features and texts."""
        return self._learned(cell) + self._share.get(_sharing(cell), 0.0)


def _shares(needs: Iterable[Need]) -> dict[Any, float]:
    """Mean seconds of features and texts for a cell, by what cells have in common."""
    seconds: dict[Any, float] = {}
    members: dict[Any, set[int]] = {}
    for need in needs:
        for cell in need.cells:
            like = _sharing(cell)
            seconds[like] = seconds.get(like, 0.0) + need.seconds / len(need.cells)
            members.setdefault(like, set()).add(id(cell))
    return {like: total / len(members[like]) for like, total in seconds.items() if total}


def _sharing(cell: Cell) -> Any:
    return (
        cell.dataset, cell.test_dataset, cell.encoder, cell.text_encoder, cell.prompt,
        cell.resolution, cell.frames, cell.views, cell.tuning, cell.classifier, cell.paradigm,
        cell.support_views,
    )  # fmt: skip


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
    return (
        cell.encoder, cell.tuning, cell.regime, cell.shots, cell.fraction, cell.support_views,
        cell.search, epochs,
    )  # fmt: skip


def _measured(store: Store) -> Iterable[tuple[Cell, float, float, float]]:
    """Cells of done Records, their measured seconds, those of training, and the guess. Keys are
    hashes, so the first ones are a random sample.
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
                trained = sum(float(point["seconds"]) for point in data.get("curve", ()))
                guessed = guess(cell)
            except (OSError, ValueError, TypeError, KeyError, AttributeError):
                continue  # of another version, or damaged: Store reports it where it matters
            if done:
                yield cell, seconds, trained, guessed
