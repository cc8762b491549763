"""The maps of inter-class correlation."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core.cells import Cell, Choice
from harness.report.model.table import build_table
from harness.report.render import correlation_figure as module
from harness.report.render.correlation_figure import correlation_figure
from harness.task.grid import expand

from ..studies import few_shot, few_shot_accuracy, make_results, task_of


def test_it_shows_the_last_column_and_the_first_classes() -> None:
    results = few_shot(weights=True, task={"report": {"rows": "classifier", "correlation": 12}})
    figure = correlation_figure(results, build_table(results))
    assert figure is not None
    assert figure.png.startswith(b"\x89PNG")
    assert " of the classifier at 4 shots, first seed, first 12 classes, " in figure.caption


def test_rows_without_space_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    results = make_results(task_of(shots=2), few_shot_accuracy, weights=True)
    table = build_table(results)
    assert len(table.rows) == module.MOST_ROWS
    whole = correlation_figure(results, table)
    assert whole is not None
    assert "Not shown" not in whole.caption
    monkeypatch.setattr(module, "MOST_ROWS", 6)
    part = correlation_figure(results, table)
    assert part is not None
    assert part.caption.endswith("Not shown for lack of space: prototype and lda.")


def test_without_weights_there_is_no_map() -> None:
    results = few_shot()
    assert correlation_figure(results, build_table(results)) is None


def test_without_a_text_row_there_is_no_r() -> None:
    task = task_of(classifier=["random", "orthogonal"], include=[], shots=1, report={})
    results = make_results(task, few_shot_accuracy, weights=True)
    assert correlation_figure(results, build_table(results)) is not None


def test_w_of_a_method_is_called_fitted_and_is_no_reference() -> None:
    """A Record keeps it as fitted alone, so it does not show the texts that it began with."""
    task = task_of(classifier=["text"], include=[], shots=1, report={})

    def with_method(cell: Cell) -> Cell:
        return replace(cell, method=Choice("cross_modal"), paradigm=None, recipe=None)

    cells = expand(task) + [with_method(c) for c in expand(task)]
    results = make_results(task, few_shot_accuracy, cells=cells, weights=True)
    table = build_table(results)
    panels, _ = module._panels(results, table, table.columns[0])
    titles = [(panel.title, panel.is_text) for panel in panels]
    assert titles[-1] == ("text · cross_modal, fitted", False)
    assert titles[0][1], "the text row that was trained comes first"
