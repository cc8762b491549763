"""What the training curves of a row say: still falling, or nothing learned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from harness.core.cells import BASE
from harness.core.records import Record

FloatArray = np.ndarray[Any, np.dtype[np.float64]]

#: The loss is still falling if the last epoch is below the mean of the epochs before it by more
#: than this share and by more than this many nats. The share alone would never let go of a loss
#: near zero, whose further fall changes no prediction.
FALLING, FALLING_NATS, EPOCHS_BEFORE = 0.05, 0.01, 5
#: Nothing was learned if, from the first epoch to the last, the loss fell by less than this share
#: and the training accuracy rose by less than this much; or if that accuracy ended at chance, up to
#: this many standard errors of a guess.
LEARNT_LOSS, LEARNT_TOP1, ERRORS = 0.01, 0.01, 2.0


def still_falling(records: Sequence[Record]) -> bool:
    """Whether the mean curve had not converged: that of a single seed is too noisy."""
    mean_E = _mean(records, "loss")[-EPOCHS_BEFORE - 1 :]
    if len(mean_E) <= EPOCHS_BEFORE:
        return False
    before, last = mean_E[:-1].mean(), mean_E[-1]
    return bool(before - last > max(FALLING * before, FALLING_NATS))


def not_learned(records: Sequence[Record]) -> bool:
    """Whether training taught nothing that its own samples show."""
    loss_E, top1_E = _mean(records, "loss"), _mean(records, "train_top1")
    if len(top1_E) < 2 or len(loss_E) < 2 or top1_E[-1] > 1 - LEARNT_TOP1:
        return False
    fell = loss_E[0] - loss_E[-1] > LEARNT_LOSS * loss_E[0]
    rose = top1_E[-1] - top1_E[0] > LEARNT_TOP1
    return bool(not (fell or rose) or top1_E[-1] <= _chance(records))


def _chance(records: Sequence[Record]) -> float:
    """The most that guesses would reach; 0 where the classes trained on are not those tested."""
    classes = int(records[0].diagnostics.get("classes") or 0)
    samples = sum(int(r.diagnostics.get("support_size") or 0) for r in records)
    if classes < 2 or not samples or _tested_elsewhere(records[0].cell):
        return 0.0
    guess = 1 / classes
    return guess + ERRORS * float(np.sqrt(guess * (1 - guess) / samples))


def _tested_elsewhere(cell: Mapping[str, Any]) -> bool:
    """Whether other classes are tested than those trained on."""
    if "test_classes" in cell:
        return bool(cell["test_classes"] != BASE)
    return cell.get("regime") == "zero_shot" or "train_classes" in cell or "test_dataset" in cell


def _mean(records: Sequence[Record], name: str) -> FloatArray:
    """The mean over seeds, of the epochs that all curves have, the last ones."""
    curves = [[float(point[name]) for point in r.curve if name in point] for r in records]
    shortest = min(map(len, curves), default=0)
    if shortest == 0:
        return np.zeros(0)
    mean_E: FloatArray = np.mean([curve[-shortest:] for curve in curves], axis=0)
    return mean_E
