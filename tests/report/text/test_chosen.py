"""What was chosen, from how many settings, and on which labels."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core.cells import Cell, Choice
from harness.report.model.results import Result, Results
from harness.report.model.table import build_table
from harness.report.render.csv_files import trials_csv
from harness.report.text.chosen import chosen, labels_used, options_of_methods
from harness.task.grid import expand

from ..studies import few_shot, make_results, task_of

NOT_TRAINED: dict[str, Any] = {"paradigm": None, "recipe": None}
SEARCH: dict[str, Any] = {
    "search": {"recipe.lr": [1e-4, 1e-3, 1e-2, 1e-1]}, "val": 1, "selection": "val",
    "classifier": ["text", "random"], "shots": [1, 2], "include": [],
}  # fmt: skip


def searched(results: Results) -> Results:
    """Seeds 0, 1, 2 and 3 choose four values, seed 4 that of seed 3; 1e-3 is best on average."""

    def one(result: Result) -> Result:
        assert result.record is not None
        values = SEARCH["search"]["recipe.lr"]
        mean = dict(zip(values, (0.40, 0.46, 0.44, 0.42), strict=True))
        own = values[min(result.cell.seed or 0, 3)]
        trials = [{"config": {"lr": lr}, "val_top1": mean[lr], "val_nll": 1.0} for lr in values]
        diagnostics = {"search": trials, "chosen": {"lr": own}, "support_size": 100}
        return replace(result, record=replace(result.record, diagnostics=diagnostics))

    return replace(results, results=tuple(map(one, results.results)))


def test_a_row_says_what_was_chosen_and_from_how_many() -> None:
    title, text, random = chosen(build_table(searched(few_shot(task=SEARCH))))
    assert title == "- Chosen by the search, over seeds and columns:"
    assert text == (
        "    - text: lr 0.1 (4 of 10); lr 0.0001 (2 of 10); lr 0.001 (2 of 10); 1 other (2 of 10); "
        "of 4 settings, best on average: lr 0.001 (46.0)"
    )
    assert random.startswith("    - random: lr 0.1 (4 of 10)")


def test_the_csv_of_trials_has_every_setting_by_column_and_over_all() -> None:
    table = build_table(searched(few_shot(task=SEARCH)))
    lines = trials_csv(table).splitlines()
    assert lines[0] == "row,column,setting,top1,nll,cells,failed,chosen"
    assert lines[1] == 'text,,"{""lr"":0.0001}",0.4,1.0,10,0,2'
    assert lines[5] == 'text,1 shot,"{""lr"":0.0001}",0.4,1.0,5,0,1'
    assert len(lines) == 1 + 2 * 3 * 4
    assert trials_csv(build_table(few_shot())) == ""


@pytest.mark.parametrize(
    ("val", "text"),
    [
        (1, "K + 1 of every class (1 to choose)"),
        ("official", "K of every class, and to choose the whole official validation split"),
        ({"official": "coop"}, "K of every class, and to choose min(K, 4) samples per class of the "
         "official validation split (CoOp's draw)"),
    ],
)  # fmt: skip
def test_labels_are_those_to_fit_and_those_to_choose(val: Any, text: str) -> None:
    task = SEARCH | {"val": val, "support": "own" if val == 1 else "coop"}
    fixed = {"classifier": "random", "search": None, "selection": "last", "val": None}
    results = few_shot(task=task | {"classifier": "text", "include": [fixed]})
    rows = build_table(results).rows
    assert len(rows) == 2
    (line,) = labels_used(build_table(results))
    assert line == f"- Labels used: {text} by {rows[0]}; K of every class by {rows[1]}"


def test_a_row_that_reads_no_support_set_used_no_labels() -> None:
    untrained = {"classifier": "text", "tuning": "none", "search": None, "selection": "last",
                 "val": None}  # fmt: skip
    results = few_shot(task=SEARCH | {"classifier": "random", "include": [untrained]})
    table = build_table(results)
    (line,) = labels_used(table)
    assert line.endswith(f"; none by {table.rows[1]}")


def test_without_validation_samples_nothing_is_said_of_labels() -> None:
    assert labels_used(build_table(few_shot())) == []
    assert chosen(build_table(few_shot())) == []


def test_options_that_a_label_leaves_out_are_listed() -> None:
    def with_method(cell: Cell) -> Cell:
        method = Choice("tip_adapter", (("alpha", 3.0), ("beta", 4.5)))
        return replace(cell, method=method, **NOT_TRAINED)

    task = task_of(classifier="text", include=[], shots=1)
    cells = expand(task)
    results = make_results(task, lambda _: 0.5, cells=cells + [with_method(c) for c in cells])
    table = build_table(results)
    assert table.rows == ("text", "text · tip_adapter")
    assert options_of_methods(table) == [
        "- Options of the methods, where a task sets them:",
        "    - text · tip_adapter: alpha 3, beta 4.5",
    ]
    assert options_of_methods(build_table(few_shot())) == []
