"""Training steps to the losses that claims name."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.cells import Cell
from harness.report.model.results import Results
from harness.report.model.speed import Speed, speeds, targets
from harness.report.model.table import build_table

from ..studies import few_shot_accuracy, make_results, task_of

CLAIM = {"text": "x", "a": "text", "b": "random", "direction": ">", "measure": "steps"}


def curve(cell: Cell) -> list[float]:
    """At most 0.5 from epoch 1, 2 or 4 on; 0.1 is reached by seed 0 alone."""
    own = {0: [0.4, 0.1], 1: [2.0, 0.4], 2: [2.0, 2.0, 2.0, 0.4]}
    return own[cell.seed or 0]


def results_of(*wanted: float) -> Results:
    claims = [{**CLAIM, "target": target} for target in wanted]
    task = task_of(classifier=["text", "random"], include=[], shots=1, seeds=3, claims=claims)
    return make_results(task, few_shot_accuracy, curve=curve)


def test_targets_are_those_of_the_claims() -> None:
    assert targets(results_of(0.1, 0.5, 0.1).task) == (0.5, 0.1)
    assert targets(results_of().task) == ()


def test_means_are_geometric_and_none_where_a_seed_does_not_arrive() -> None:
    table = build_table(results_of(0.5, 0.1, 0.01))
    text = [s for s in speeds(table) if s.row == "text"]
    column = table.columns[0]
    assert text[0] == Speed("text", column, 0.5, 3, 3, pytest.approx(2.0), 1.0, 4.0)
    assert text[1] == Speed("text", column, 0.1, 3, 1, None, 2.0, 2.0)
    assert text[2] == Speed("text", column, 0.01, 3, 0, None, None, None)


def test_epochs_become_steps_where_a_record_has_them() -> None:
    results = results_of(0.5)

    def with_steps(r: object) -> object:
        record = r.record  # type: ignore[attr-defined]
        steps = {"steps": 10 * len(record.curve)}
        return replace(r, record=replace(record, diagnostics=steps))  # type: ignore[type-var]

    known = replace(results, results=tuple(map(with_steps, results.results)))  # type: ignore[arg-type]
    found = speeds(build_table(known))[0]
    assert (found.mean, found.low, found.high) == (pytest.approx(20.0), 10.0, 40.0)


def test_nothing_to_say_without_targets_or_curves() -> None:
    assert speeds(build_table(results_of())) == []
    task = task_of(shots=1, claims=[{**CLAIM, "target": 0.5}])
    assert speeds(build_table(make_results(task, few_shot_accuracy))) == []
