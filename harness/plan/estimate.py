"""Estimated run time of cells: from the Records of earlier runs, else a guess; where the backbone
is trained, from its operations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from statistics import fmean, linear_regression
from typing import Any

from harness.core.cells import OF_TOWERS, STAGES, Cell
from harness.core.hardware import Hardware, hardware_here
from harness.core.store import Store
from harness.plan.measured import measured_cells
from harness.plan.needs import Need, feature_needs, text_needs
from harness.plan.operations import repeats_of_epoch, training_samples
from harness.plan.resolve import ResolvedCell
from harness.plan.speeds import Speeds, learn_speeds
from harness.plan.trainings import backbone_seconds
from harness.sampling.support_views import trained_rows_of_a_picture

#: Guessed seconds of a cell on one core; those of `none` are for evaluation.
GUESSED_SECONDS = {
    "none": 0.05, "head": 0.2, "projection": 0.5, "prompt": 5.0,
    **dict.fromkeys((*OF_TOWERS, STAGES), 60.0),
}  # fmt: skip

#: Estimates of more seconds than this are told in hours.
SPOKEN_SECONDS = 36_000.0


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
    speeds: Speeds = field(default_factory=Speeds)  # of devices that train a backbone

    def __call__(self, cell: Cell, repeats: int = 1) -> float:
        """Seconds on one core: the mean over cells with the same encoder, tuning, regime, shots and
        epochs; else the guess, corrected by a line fitted to cells with the same encoder and
        tuning; else the guess. `repeats` of its samples are an epoch.
        """
        if mean := self.means.get(_like(cell)):
            return mean
        start, slope = self.lines.get((cell.encoder, cell.tuning), (0.0, 1.0))
        return start + slope * guess(cell) * repeats

    def evaluating(self, cell: Cell, repeats: int = 1) -> float:
        """The part of the seconds that is evaluation; all of it where nothing is trained."""
        seconds = self(cell, repeats)
        if cell.recipe is None:
            return seconds
        share = self.evaluation.get((cell.encoder, cell.tuning))
        return min(seconds, GUESSED_SECONDS["none"]) if share is None else share * seconds


def learned(store: Store) -> Learned:
    """The costs that the Records of earlier runs tell."""
    alike: dict[Any, list[float]] = {}
    points: dict[Any, list[tuple[float, float]]] = {}
    shares: dict[Any, list[float]] = {}
    measured = [m for m in measured_cells(store) if m.cell.tuning in GUESSED_SECONDS]
    for each in measured:
        cell, seconds = each.cell, each.seconds
        group = (cell.encoder, cell.tuning)
        alike.setdefault(_like(cell), []).append(seconds)
        if cell.recipe is None or cell.recipe.epoch_length is None:
            points.setdefault(group, []).append((guess(cell), seconds))
        if cell.recipe is not None and seconds > 0:
            shares.setdefault(group, []).append(max(0.0, 1 - each.trained / seconds))
    return Learned(
        {key: fmean(values) for key, values in alike.items()},
        {key: _line(values) for key, values in points.items()},
        {key: fmean(values) for key, values in shares.items()},
        learn_speeds(measured),
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
    speeds: tuple[str, ...] = ()  # of devices that train a backbone, and where they are from

    def line(self) -> str:
        """In words, for `plan`."""
        features = f"{spoken(self.features)} features of {self.images:,} images"
        texts = f"{spoken(self.texts)} embeddings of {self.missing_texts:,} texts"
        parts = [features] * bool(self.images) + [texts] * bool(self.missing_texts)
        parts += [f"{spoken(self.training)} training", f"{spoken(self.evaluation)} evaluation"]
        speeds = f"; backbones train at {', '.join(self.speeds)}" if self.speeds else ""
        return ", ".join(parts) + speeds


def spoken(seconds: float) -> str:
    """`120 s`, or `14 h` where there are many."""
    return f"{seconds:.0f} s" if seconds < SPOKEN_SECONDS else f"{seconds / 3600:,.0f} h"


class Estimate:
    """The seconds of each of some cells. What several of them need is shared out among them, so
    that the sum over cells is that of all the work.
    """

    def __init__(
        self,
        cells: Sequence[ResolvedCell],
        learned: Learned,
        hardware: Hardware | None = None,
    ) -> None:
        hardware = hardware or hardware_here()
        self._learned = learned
        self._repeats = _repeats(cells)
        self._backbone = backbone_seconds(cells, learned.speeds, hardware)
        features = feature_needs(cells, hardware.device)
        texts = text_needs(cells, hardware.device)
        self._share = _shares([*features, *texts])
        evaluation = sum(self._evaluating(c.cell) for c in cells)
        speeds = {each.speed for each in self._backbone.values()}
        self.work = Work(
            features=sum(need.seconds for need in features),
            texts=sum(need.seconds for need in texts),
            training=sum(self._own(c.cell) for c in cells) - evaluation,
            evaluation=evaluation,
            images=sum(need.missing for need in features),
            missing_texts=sum(need.missing for need in texts),
            speeds=tuple(sorted(map(str, speeds))),
        )

    def __call__(self, cell: Cell) -> float:
        """Seconds of a cell with its share of features and texts."""
        return self._own(cell) + self._share.get(_sharing(cell), 0.0)

    def _own(self, cell: Cell) -> float:
        """Seconds of training and evaluation."""
        seconds = self._backbone.get(cell)
        if seconds is not None:
            return seconds.training + seconds.evaluation
        return self._learned(cell, self._repeats.get(cell, 1))

    def _evaluating(self, cell: Cell) -> float:
        seconds = self._backbone.get(cell)
        if seconds is not None:
            return seconds.evaluation
        return self._learned.evaluating(cell, self._repeats.get(cell, 1))


def _repeats(cells: Iterable[ResolvedCell]) -> dict[Cell, int]:
    """How often an epoch reads its samples, of cells whose recipe has a length of an epoch."""
    known: dict[int, int] = {}  # cells of one setup differ in their seed
    repeats = {}
    for resolved in cells:
        cell, setup, recipe = resolved.cell, resolved.setup, resolved.cell.recipe
        if recipe is not None and recipe.epoch_length is not None:
            if id(setup) not in known:
                samples = training_samples(cell, setup)
                known[id(setup)] = repeats_of_epoch(cell, setup, recipe, samples)
            repeats[cell] = known[id(setup)]
    return repeats


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
        cell.support_views, cell.feature_precision,
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
    recipe = cell.recipe
    epochs = (recipe.epochs, recipe.iterations, recipe.epoch_length) if recipe else None
    return (
        cell.encoder, cell.tuning, cell.regime, cell.shots, cell.fraction, cell.support_views,
        cell.search, epochs,
    )  # fmt: skip
