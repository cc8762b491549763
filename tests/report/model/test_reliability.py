"""Bins of confidences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core.records import Record
from harness.report.model.reliability import Bin, reliability
from harness.report.model.results import Results
from harness.report.model.table import build_table

from ..studies import few_shot_accuracy, make_results, task_of


def confident(values: list[float], rank: list[int], **task: Any) -> Results:
    """One row whose items have these confidences and ranks at every seed; its ECE is 0.05."""
    options = {"classifier": ["text"], "include": [], "shots": 1, "seeds": 2} | task
    results = make_results(task_of(**options), few_shot_accuracy, n=len(rank), n_classes=2)

    def read(record: Record) -> Mapping[str, np.ndarray[Any, Any]]:
        found = {"rank": np.array(rank), "prediction": np.array(rank)}
        return found | ({"confidence": np.array(values)} if values else {})

    return replace(results, arrays=read)


def test_bins_have_confidence_accuracy_and_share() -> None:
    results = confident([0.95, 1.0, 0.31, 0.33], [0, 1, 1, 0])
    found = reliability(results, build_table(results))
    assert found is not None
    (row,) = found.rows
    assert row.error == pytest.approx(0.05)
    assert row.bins == (Bin(pytest.approx(0.32), 0.5, 0.5), Bin(pytest.approx(0.975), 0.5, 0.5))


def test_nothing_without_confidences() -> None:
    results = confident([], [0, 1])
    assert reliability(results, build_table(results)) is None


def test_a_row_on_the_diagonal_has_no_diagram_whatever_its_seeds_have() -> None:
    """ECE of the Records is 0.05; all bins together are right as often as they say."""
    results = confident([0.5, 0.5, 0.98, 0.98], [0, 1, 0, 0])
    assert reliability(results, build_table(results)) is None
