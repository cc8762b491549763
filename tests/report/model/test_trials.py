"""Settings that a search tried, over seeds and columns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.results import Result, Results
from harness.report.model.table import Table, build_table
from harness.report.model.trials import best_on_average, settings_of

from ..studies import few_shot

SEARCH: dict[str, Any] = {
    "search": {"recipe.lr": [1e-3, 1e-2]}, "val": 1, "selection": "val",
    "classifier": ["text", "random"], "shots": [1, 2], "include": [],
}  # fmt: skip
#: Accuracy and NLL of lr 1e-3 and of 1e-2 for a cell; None: it failed.
Of = Callable[[Cell], tuple[tuple[float, float] | None, tuple[float, float] | None]]


def with_trials(of: Of) -> Results:
    results = few_shot(task=SEARCH)

    def searched(result: Result) -> Result:
        assert result.record is not None
        trials = []
        for lr, found in zip((1e-3, 1e-2), of(result.cell), strict=True):
            top1, nll = found or (0.0, None)
            trial = {"config": {"lr": lr}, "val_top1": top1, "val_nll": nll}
            trials.append(trial if found else trial | {"error": "diverged"})
        done = [t for t in trials if "error" not in t]
        chosen = max(done, key=lambda t: t["val_top1"])["config"]
        diagnostics = {"search": trials, "chosen": chosen}
        return replace(result, record=replace(result.record, diagnostics=diagnostics))

    return replace(results, results=tuple(map(searched, results.results)))


def table_of(of: Of) -> Table:
    return build_table(with_trials(of))


def test_means_are_over_seeds_and_columns() -> None:
    """Seed 0 likes 1e-2 at 1 shot, all other cells 1e-3."""

    def of(cell: Cell) -> Any:
        return (0.5, 1.0), (0.9 if (cell.seed, cell.shots) == (0, 1) else 0.4, 2.0)

    table = table_of(of)
    low, high = settings_of(table, "text")
    assert (low.config, low.cells, low.failed, low.chosen) == ({"lr": 1e-3}, 10, 0, 9)
    assert (low.top1, low.nll) == pytest.approx((0.5, 1.0))
    assert (high.cells, high.chosen) == (10, 1)
    assert high.top1 == pytest.approx(0.45)
    assert best_on_average((low, high)) == low
    at_1, _ = table.columns
    assert [s.top1 for s in settings_of(table, "text", at_1)] == pytest.approx([0.5, 0.5])


def test_of_equal_means_the_lower_nll_wins_and_then_the_first() -> None:
    def best(of: Of) -> float:
        found = best_on_average(settings_of(table_of(of), "text"))
        assert found is not None
        return float(found.config["lr"])

    assert best(lambda _: ((0.5, 1.0), (0.5, 0.9))) == 1e-2
    assert best(lambda _: ((0.5, 1.0), (0.5, 1.0))) == 1e-3


def test_a_setting_that_failed_anywhere_is_not_the_best() -> None:
    def of(cell: Cell) -> Any:
        return (0.5, 1.0), None if cell.seed == 3 else (0.9, 1.0)

    low, high = settings_of(table_of(of), "text")
    assert (high.failed, high.cells) == (2, 10)
    assert high.top1 == pytest.approx(0.9)
    assert best_on_average((low, high)) == low


def test_a_row_without_a_search_has_none() -> None:
    table = build_table(few_shot())
    assert settings_of(table, table.rows[0]) == ()
    assert best_on_average(()) is None
