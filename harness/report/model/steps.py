"""How fast a row's training came to a loss, and its mean loss, by seed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from harness.core.records import Record
from harness.report.model.entry import Entry


def steps_to(entry: Entry, target: float) -> Mapping[int | None, float | None]:
    """By seed, the training steps until the mean loss of an epoch is at most `target` (nats); None
    where it never is. Seeds without a curve are left out.
    """
    return {r.cell.get("seed"): _steps(r, target) for r in entry.records if _losses(r)}


def epochs_to(entry: Entry, target: float) -> Mapping[int | None, int | None]:
    """By seed, the first epoch (from 1 on) whose mean loss is at most `target` (nats), or None."""
    return {r.cell.get("seed"): _epochs(_losses(r), target) for r in entry.records if _losses(r)}


def losses(entry: Entry) -> Mapping[int | None, float]:
    """By seed, the mean training loss of all epochs (the area under the curve)."""
    return {r.cell.get("seed"): float(np.mean(_losses(r))) for r in entry.records if _losses(r)}


def _steps(record: Record, target: float) -> float | None:
    loss_E = _losses(record)
    epochs = _epochs(loss_E, target)
    if epochs is None:
        return None
    steps = record.diagnostics.get("steps")
    # Records of before the steps were recorded: then epochs, which have as many steps in both rows
    # if their batches and support sets are equal.
    return float(epochs if not steps else epochs * steps / len(loss_E))


def _epochs(loss_E: Sequence[float], target: float) -> int | None:
    return next((i for i, loss in enumerate(loss_E, 1) if loss <= target), None)


def _losses(record: Record) -> list[float]:
    return [float(point["loss"]) for point in record.curve if "loss" in point]
