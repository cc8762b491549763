"""Marks of rows whose training taught nothing; test_entry.py has those whose loss still falls."""

from __future__ import annotations

import pytest

from harness.core.records import Record
from harness.report.model.curves import not_learned


def records(
    loss: list[float], top1: list[float], *, regime: str = "few_shot", seeds: int = 2
) -> list[Record]:
    """10 classes, 20 training samples."""
    curve = [{"loss": a, "train_top1": b} for a, b in zip(loss, top1, strict=True)]
    diagnostics = {"classes": 10, "support_size": 20}
    cell = {"regime": regime}
    return [
        Record(key=str(n), cell=cell, status="done", curve=curve, diagnostics=diagnostics)
        for n in range(seeds)
    ]


@pytest.mark.parametrize(
    ("loss", "top1", "expected"),
    [
        ([2.30, 2.30, 2.30], [0.3, 0.3, 0.3], True),
        ([2.30, 2.29, 2.31], [0.3, 0.3, 0.29], True),  # it rose
        ([2.30, 2.0, 1.5], [0.3, 0.4, 0.6], False),
        ([2.30, 2.30, 2.29], [0.3, 0.3, 0.4], False),  # the accuracy rose
        ([2.60, 2.40, 2.31], [0.05, 0.1, 0.15], True),  # ended at chance, 0.1 + 2 standard errors
        ([2.60, 2.40, 2.31], [0.05, 0.1, 0.25], False),
        ([0.02, 0.02], [1.0, 1.0], False),  # nothing was left to learn
        ([2.3], [0.3], False),  # one epoch shows no change
    ],
)
def test_training_that_taught_nothing(loss: list[float], top1: list[float], expected: bool) -> None:
    assert not_learned(records(loss, top1)) is expected


def test_chance_is_unknown_where_other_classes_were_trained() -> None:
    loss, top1 = [2.60, 2.40, 2.31], [0.05, 0.1, 0.15]
    assert not not_learned(records(loss, top1, regime="zero_shot"))


def test_without_a_curve_nothing_is_said() -> None:
    assert not not_learned([Record(key="a", cell={}, status="done")])
