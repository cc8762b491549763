"""Costs of rows, and the rows that no other dominates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from harness.report.model.pareto import COSTS, CostPoint, cost_panels, front, gpu_days
from harness.report.model.results import Result, Results
from harness.report.model.table import build_table

from ..studies import few_shot, few_shot_accuracy, make_results, name_of, task_of


def with_costs(costs: Mapping[str, Mapping[str, Any]], **options: Any) -> Results:
    """A study whose rows have these costs beside those of all."""
    results = few_shot(**options)

    def changed(r: Result) -> Result:
        if r.record is None:
            return r
        cost = {**r.record.cost, **costs.get(name_of(r.cell), {})}
        return replace(r, record=replace(r.record, cost=cost))

    return replace(results, results=tuple(map(changed, results.results)))


def point(row: str, cost: float, mean: float) -> CostPoint:
    return CostPoint(row, cost, mean, None, None)


def test_the_front_has_what_no_other_dominates() -> None:
    points = [
        point("dear", 9.0, 0.8), point("dominated", 5.0, 0.5), point("cheap", 1.0, 0.3),
        point("middle", 4.0, 0.6), point("as dear, worse", 9.0, 0.7),
        point("dearer, as good", 10.0, 0.8),
    ]  # fmt: skip
    assert front(points) == ("cheap", "middle", "dear")


def test_equal_rows_are_on_the_front_together() -> None:
    assert front([point("a", 1.0, 0.5), point("b", 1.0, 0.5)]) == ("a", "b")
    assert front([point("a", 1.0, 0.5)]) == ("a",)


def test_panels_are_of_the_costs_that_differ_in_the_last_column() -> None:
    results = with_costs({"text": {"params": 0}, "random": {"params": 40_000, "views": "4x3"}})
    found = cost_panels(build_table(results))
    assert found is not None
    column, panels = found
    assert str(column) == "4 shots"
    assert [panel.cost.title for panel in panels] == ["Trained parameters", "MACs per test item"]
    parameters, macs = ({p.row: p.cost for p in panel.points} for panel in panels)
    assert (parameters["text"], parameters["random"], parameters["lda"]) == (0, 40_000, 491_904)
    assert macs["random"] == 12 * macs["text"] == pytest.approx(12 * 390e6)
    assert panels[0].front == ("text", "prototype"), "the cheapest, and the most accurate"
    assert panels[1].front == ("prototype",)


def test_costs_that_hardly_differ_are_no_difference() -> None:
    assert cost_panels(build_table(few_shot())) is None
    near = with_costs({"text": {"params": 491_904 * 1.05}})
    assert cost_panels(build_table(near)) is None


def test_rows_without_a_cost_or_a_result_are_left_out() -> None:
    none: dict[str, Any] = {"params": None, "a100_days": None, "flops_per_view": None}
    found = cost_panels(build_table(with_costs({"text": none, "random": {"params": 1}})))
    assert found is not None
    (panel,) = found[1]
    assert "text" not in {p.row for p in panel.points}
    task = task_of(classifier=["text"], include=[], shots=1)
    assert cost_panels(build_table(make_results(task, few_shot_accuracy))) is None
    missing = make_results(task_of(), few_shot_accuracy, status=lambda _: "missing")
    assert cost_panels(build_table(missing)) is None
    assert len(COSTS) == 3


@pytest.mark.parametrize("cell", [{"text_tower": "online"}, {"tuning": "prompt"}])
def test_days_are_not_known_where_a_text_tower_was_not_counted(cell: dict[str, str]) -> None:
    record = few_shot().results[0].record
    assert record is not None
    assert gpu_days(record, "a100_days") == 0.5
    through_texts = replace(record, cell={**record.cell, **cell})
    assert gpu_days(through_texts, "a100_days") is None
    counted = replace(through_texts, cost={**record.cost, "text_operations": 1.0})
    assert gpu_days(counted, "a100_days") == 0.5
