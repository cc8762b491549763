"""Which pairs a look leaves undecided, and which columns get more seeds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.settled import ColumnLook, cell_id
from harness.report.model import settling
from harness.report.model.settling import (
    ITEMS,
    NOTHING,
    SEEDS,
    Undecided,
    Verdict,
    new_columns,
    next_look,
    verdicts_of,
)
from harness.report.model.table import Table, build_table
from harness.report.text.settling import end_line, look_line, outcome_of, verdict_lines
from harness.stats.sequential import make_rule

from ..several_sets import several
from ..studies import few_shot

RULE = make_rule(range(5), 20)


def built(**task: Any) -> Table:
    return build_table(few_shot(task={"shots": [1, 4], "include": [], **task}))


def test_pairs_are_those_of_the_family() -> None:
    for report in ({}, {"reference": "random"}, {"family": "table"}):
        table = built(report={"rows": "classifier", "columns": "shots", **report})
        verdicts = verdicts_of(table, RULE)
        pairs = [c for v in verdicts for c in (*v.decided, *(u.pair for u in v.undecided))]
        assert len(pairs) == len(table.against or table.pairs)
        for v in verdicts:
            assert all((c.contrast.p_adjusted or 0) <= 0.05 for c in v.decided)
            assert all((u.pair.contrast.p_adjusted or 1) > 0.05 for u in v.undecided)


def test_seeds_are_added_where_they_have_a_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    table = built()
    assert any(v.goes_on for v in verdicts_of(table, RULE))
    monkeypatch.setattr(settling, "LEAST_CHANCE", 2.0)
    assert not any(v.goes_on for v in verdicts_of(table, RULE))
    # A pair that may turn out to be inside the margin goes on, whatever its chance to differ.
    wide = built(report={"rows": "classifier", "columns": "shots", "margin": 60})
    assert all(v.undecided == () or v.goes_on for v in verdicts_of(wide, RULE))


def test_with_all_seeds_of_the_budget_nothing_goes_on() -> None:
    table = built(seeds=20)
    undecided = [u for v in verdicts_of(table, RULE) for u in v.undecided]
    assert undecided
    assert all(u.by != SEEDS for u in undecided)
    assert all((u.by == ITEMS) <= (u.items_needed is not None) for u in undecided)


def test_deterministic_rows_need_items() -> None:
    table = built(tuning="none", classifier=["text", "text_rotated"], seeds=5)
    (of_first, *_) = verdicts_of(table, RULE)
    assert all(u.by in (ITEMS, NOTHING) for u in of_first.undecided)


def test_columns_get_the_look_after_their_last() -> None:
    table = built()
    first = new_columns(table, {})
    assert [(c.label, c.look) for c in first] == [("1 shot", 0), ("4 shots", 0)]
    cells = {cell_id(e.cell) for e in table.entries.values() if e.cell is not None}
    assert {cell for column in first for cell in column.cells} == cells
    one = next(c for c in table.columns if c.label == "4 shots")
    pair = (table.against or table.pairs)[0]
    verdicts = [Verdict(one, (), (Undecided(pair, SEEDS),))]
    (second,) = next_look(table, verdicts, RULE, first)
    assert (second.label, second.look, second.cells) == ("4 shots", 1, first[1].cells)
    (third,) = next_look(table, verdicts, RULE, [*first, second])
    assert third.look == 2
    assert next_look(table, verdicts, RULE, [*first, second, third]) == []
    assert next_look(table, [Verdict(one, (pair,), ())], RULE, first) == []


def test_new_cells_join_their_column() -> None:
    table = built()
    first = new_columns(table, {})
    reached = dict.fromkeys(first[0].cells[1:], 1) | dict.fromkeys(first[1].cells, 0)
    (late,) = new_columns(table, reached)
    assert (late.label, late.look) == ("1 shot", 1)


def test_data_sets_of_a_mean_go_together() -> None:
    for kind, together in (("these_datasets", 6), ("new_datasets", 1)):
        table = build_table(several(kind))
        column = table.columns[0]
        verdicts = [Verdict(column, (), (Undecided(table.pairs[0], SEEDS),))]
        assert len(next_look(table, verdicts, RULE, new_columns(table, {}))) == together


@pytest.mark.parametrize("kind", ["these_datasets", "new_datasets"])
def test_means_over_these_data_sets_are_decided_too(kind: str) -> None:
    """Their undecided pairs add seeds to all of their data sets; new data sets are not seeds."""
    table = build_table(several(kind))
    assert table.average is not None
    verdicts = verdicts_of(table, RULE)
    of_means = [v for v in verdicts if v.units is not None]
    assert [v.column for v in verdicts if v.units is None] == list(table.columns)
    if kind == "new_datasets":
        assert of_means == []
        return
    (found,) = of_means
    assert found.name == "mean of 6 data sets · 1 shot"
    assert set(found.columns) == set(table.columns)
    contrasts = {(c.contrast.a, c.contrast.b): c.contrast for c in table.average.pairs}
    pairs = [*found.decided, *(u.pair for u in found.undecided)]
    assert {(c.contrast.a, c.contrast.b) for c in pairs} == set(contrasts)
    for c in found.decided:
        assert (contrasts[c.contrast.a, c.contrast.b].p_adjusted or 1) <= 0.05
    (first, *_) = pairs
    going_on = replace(found, decided=(), undecided=(Undecided(first, SEEDS),))
    assert len(next_look(table, [going_on], RULE, new_columns(table, {}))) == 6
    lines = verdict_lines([going_on], 1)
    assert lines[1].startswith("  mean of 6 data sets · 1 shot: undecided: ")
    (kept,) = outcome_of([going_on])["undecided"]
    assert kept["column"] == "mean of 6 data sets · 1 shot"


def test_items_that_a_mean_needs_are_those_of_all_its_data_sets() -> None:
    table = build_table(several("these_datasets", task={"seeds": 20}))
    found = next(v for v in verdicts_of(table, RULE) if v.units is not None)
    for u in found.undecided:
        assert u.by != SEEDS
        assert u.items_needed is None or u.items_needed > u.pair.contrast.items


def test_what_is_said_of_a_look() -> None:
    table = built()
    verdicts = verdicts_of(table, RULE)
    lines = verdict_lines(verdicts, 1)
    decided = sum(len(v.decided) for v in verdicts)
    left = sum(len(v.undecided) for v in verdicts)
    assert lines[0] == f"look 1: {decided} of {decided + left} pairs decided"
    assert all(line.startswith(("  1 shot: undecided: ", "  4 shots: undecided: "))
               for line in lines[1:])  # fmt: skip
    outcome = outcome_of(verdicts)
    assert (len(outcome["decided"]), len(outcome["undecided"])) == (decided, left)
    columns = [ColumnLook("1 shot", None, 1, ()), ColumnLook("4 shots", None, 1, ())]
    assert look_line(columns, RULE, 2, 40) == (
        "look 2: 10 seeds of every row in 1 shot and 4 shots, at level 0.0055 of 0.05; 40 cells to "
        "run"
    )


def test_how_it_ends() -> None:
    pair = built().pairs[0]
    column = pair.column
    assert end_line([Verdict(column, (pair,), ())], RULE) == "settled: every pair is decided"
    undecided = (Undecided(pair, "items", None, 900), Undecided(pair, "nothing"))
    assert end_line([Verdict(column, (), undecided)], RULE) == (
        "settled: 2 pairs undecided; needed: more test items (1) and more of both (1)"
    )
    text = verdict_lines([Verdict(column, (), undecided)], 1)[1]
    assert "the items decide: about 900 would do" in text
    assert "no number of seeds or of items would do" in text
