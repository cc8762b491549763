"""What a row costs: by construction and as measured."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.report.model.results import Result, Results
from harness.report.model.table import build_table
from harness.report.render.cost_tables import as_measured, by_construction

from ..studies import few_shot


def row_of(text: str, row: str) -> list[str]:
    line = next(line for line in text.splitlines() if line.startswith(f"| {row} |"))
    return [cell.strip() for cell in line.strip("|").split("|")]


def with_cost(results: Results, **cost: Any) -> Results:
    def changed(result: Result) -> Result:
        assert result.record is not None
        return replace(result, record=replace(result.record, cost=cost))

    return replace(results, results=tuple(map(changed, results.results)))


def test_costs_by_construction_are_beside_the_accuracy() -> None:
    text = by_construction(build_table(few_shot()))
    cells = row_of(text, "text")
    assert len(cells[1].split(" / ")) == 3  # one top-1 per column
    assert cells[2:] == ["491,904", "86 M", "57.3 M", "390 M", "380 M", "1", "3.3", "0.5"]
    assert row_of(text, "lda")[1].startswith("– / ")
    assert text.endswith("Top-1 is in points, by column: 1 shot / 2 shots / 4 shots.")


def test_days_of_a_text_tower_are_counted_or_not_there() -> None:
    def online(**cost: float) -> str:
        results = few_shot()
        records = [r.record for r in results.results if r.record is not None]
        changed = (
            replace(r, cell={**r.cell, "text_tower": "online"}, cost={**r.cost, **cost})
            for r in records
        )
        pairs = zip(results.results, changed, strict=True)
        new = tuple(replace(result, record=record) for result, record in pairs)
        return by_construction(build_table(replace(results, results=new)))

    assert "text tower" not in by_construction(build_table(few_shot()))
    assert "counted from its width. Top-1" in (counted := online(text_operations=1e9))
    assert row_of(counted, "text")[-2:] == ["3.3", "0.5"]
    assert "a version that did not count it. Top-1" in (uncounted := online())
    assert row_of(uncounted, "text")[-1] == "1", "views, and no days"


def test_they_do_not_depend_on_the_machine() -> None:
    here, there = build_table(few_shot()), build_table(few_shot(host="b", wall=77.0))
    assert by_construction(here) == by_construction(there)
    assert as_measured(here) != as_measured(there)


def test_what_no_row_has_is_left_out() -> None:
    results = with_cost(few_shot(task={"shots": 4}), params=100, wall_s=1.0)
    text = by_construction(build_table(results))
    assert text.splitlines()[0] == "| Row | Top-1 | Trained parameters |"
    assert by_construction(build_table(with_cost(results, wall_s=1.0))) == ""


def test_seconds_and_memory_are_summed_over_the_cells_of_a_row() -> None:
    text = as_measured(build_table(few_shot()))
    assert row_of(text, "text") == ["text", "15", "15", "15.0", "7.5", "0.0", "1"]
    costs = with_cost(few_shot(task={"shots": 4}), wall_s=1.0, features_s=2.0, texts_s=0.5)
    assert row_of(as_measured(build_table(costs)), "text")[5] == "12.5", "five seeds"
    assert as_measured(build_table(few_shot(status=lambda _: "missing"))) == ""
