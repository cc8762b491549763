"""One entry of the leaderboard: from the Records of its seeds to a status and an estimate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell
from harness.report.model.entry import make_entry
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.stats import pairwise

from ..studies import few_shot_accuracy, make_results, name_of, task_of


def small(**changes: Any) -> Any:
    return task_of(**{"classifier": ["text", "random"], "include": [], **changes})


def one_row(**options: Any) -> Results:
    return make_results(small(classifier="text", shots=1), few_shot_accuracy, **options)


def test_entries_are_those_of_the_statistics() -> None:
    results = make_results(small(), few_shot_accuracy)
    table = build_table(results)
    entry = table.entries["text", Column("2 shots")]
    assert entry.outcomes is not None
    assert entry.estimate == pairwise.estimate(entry.outcomes)
    assert entry.outcomes.seeds == (0, 1, 2, 3, 4)
    assert entry.estimate.mean == pytest.approx(
        np.mean([r.top1 for r in entry.records if r.top1 is not None])
    )


def test_a_training_loss_that_still_falls_is_marked() -> None:
    def curve(cell: Cell) -> list[float]:
        flat = [1.0] * 6
        return [*flat, 0.94] if name_of(cell) == "text" else [*flat, 0.96]

    table = build_table(make_results(small(), few_shot_accuracy, curve=curve))
    assert table.entries["text", Column("1 shot")].falling
    assert not table.entries["random", Column("1 shot")].falling


def test_one_failed_seed_fails_the_entry_with_its_reason() -> None:
    results = one_row(status=lambda c: "failed" if c.seed == 2 else "done")
    entry = make_entry(results.results, results.tests, results.arrays)
    assert (entry.status, entry.seeds_done, entry.seeds_wanted) == ("failed", 4, 5)
    assert entry.reasons == ("CellError: the loss is not | finite",)
    assert entry.blocks
    assert entry.estimate is None


def test_seeds_on_different_test_sets_have_no_mean() -> None:
    results = one_row(test_name=lambda c: f"test{c.seed}")
    entry = make_entry(results.results, results.tests, results.arrays)
    assert (entry.status, entry.reasons) == ("failed", ("its test sets differ",))
    lost = make_entry(one_row().results, {}, results.arrays)
    assert (lost.status, lost.reasons) == ("failed", ("its test set was not found",))


def test_measures_are_means_over_seeds_of_what_every_seed_has() -> None:
    def measures(cell: Cell) -> dict[str, float]:
        assert cell.seed is not None
        return {"my.margin:margin": 0.1 * cell.seed} | ({"some": 1.0} if cell.seed else {})

    results = one_row(measures=measures)
    entry = make_entry(results.results, results.tests, results.arrays)
    assert list(entry.measures) == [
        "top1", "top5", "mean_class", "nll", "ece", "my.margin:margin",
    ]  # fmt: skip
    assert entry.measures["my.margin:margin"] == pytest.approx(0.2)
    assert entry.measures["nll"] == 1.25


def test_a_loss_near_zero_is_not_called_falling() -> None:
    """Its fall is a large share of it and a small number of nats."""
    results = one_row(curve=lambda _: [*[0.01] * 6, 0.005])
    assert not make_entry(results.results, results.tests, results.arrays).falling
