"""The maps of inter-class correlation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell, Choice
from harness.core.records import Record
from harness.report.model.table import build_table
from harness.report.render import correlation_figure as module
from harness.report.render.correlation_figure import correlation_figure
from harness.task.grid import expand

from ..studies import few_shot, few_shot_accuracy, make_results, task_of
from .extents import colliding, drawn, outside, texts


def test_it_shows_the_column_of_most_rows_the_last_of_several() -> None:
    results = few_shot(weights=True, task={"report": {"rows": "classifier", "correlation": 12}})
    figure = correlation_figure(results, build_table(results))
    assert figure is not None
    assert figure.png.startswith(b"\x89PNG")
    assert " of the classifier at 4 shots, first seed, first 12 classes, " in figure.caption


def test_a_column_of_one_row_is_not_shown_though_it_is_the_last() -> None:
    def only_text(cell: Cell) -> str:
        name = None if cell.classifier is None else cell.classifier.name
        return "done" if cell.shots != 4 or name == "text" else "missing"

    results = few_shot(weights=True, status=only_text)
    figure = correlation_figure(results, build_table(results))
    assert figure is not None
    assert " of the classifier at 2 shots, " in figure.caption


def test_files_of_a_column_that_cannot_be_chosen_are_not_read() -> None:
    results = few_shot(weights=True)
    table = build_table(results)
    read: list[int] = []

    def arrays(record: Record) -> Mapping[str, np.ndarray[Any, Any]]:
        read.append(record.cell["shots"])
        return results.arrays(record)

    correlation_figure(replace(results, arrays=arrays), table)
    assert set(read) == {4}


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
    (panel,) = panels
    assert panel.title == "text (frozen)", "the text row that was trained comes first"
    assert panel.is_text
    assert panel.also == ("text · cross_modal (fitted)",)


def test_maps_that_look_alike_are_drawn_once() -> None:
    """One is drawn for several rows, and one for a row that training hardly changed."""

    def panel(title: str, cosine: float, *, text: bool = False) -> module._Panel:
        return module._Panel(title, np.array([[1.0, cosine], [cosine, 1.0]]), text)

    drawn = module._once([
        panel("text (before training)", 0.3, text=True),
        panel("text (after training)", 0.31),
        panel("other (before training)", 0.31),
        panel("other (after training)", 0.33),
        panel("random (frozen)", -0.2),
    ])  # fmt: skip
    assert [(p.title, p.also) for p in drawn] == [
        ("text (before and after training)", ("other (before training)",)),
        ("other (after training)", ()),
        ("random (frozen)", ()),
    ]
    assert drawn[0].is_text
    assert module._drawn_once(drawn) == (
        " Maps are drawn once where no cosine differs by more than 0.02: other (before training) "
        "as text (before and after training)."
    )
    assert module._drawn_once(drawn[1:]) == ""


def test_maps_of_other_sizes_are_no_copies() -> None:
    one = module._Panel("a (frozen)", np.ones((1, 1)), False)
    assert len(module._once([one, module._Panel("b (frozen)", np.ones((2, 2)), False)])) == 2


def test_a_single_class_has_a_map() -> None:
    results = few_shot(weights=True, n=20, n_classes=1)
    figure = correlation_figure(results, build_table(results))
    assert figure is not None
    assert " first 1 class, " in figure.caption


CODES = ("7121", "5408", "6e80", "1f300")


@pytest.mark.parametrize("panels", [1, 2, 4])
def test_long_names_of_classes_are_inside_the_picture(
    monkeypatch: pytest.MonkeyPatch, panels: int
) -> None:
    figures = drawn(monkeypatch, module)
    names = [f"squared cjk unified ideograph-{code}" for code in CODES * 5]
    rows = ["text", "random", "orthogonal", "prototype"][:panels]
    task = task_of(classifier=rows, include=[], shots=1, report={"rows": "classifier"})
    results = make_results(task, few_shot_accuracy, weights=True)
    tests = {
        k: replace(t, class_names=(*names, *t.class_names[20:])) for k, t in results.tests.items()
    }
    results = replace(results, tests=tests)
    assert correlation_figure(results, build_table(results)) is not None
    (figure,) = figures
    assert len([name for name in texts(figure) if name.endswith("ideograph-7121")]) == 1
    assert (colliding(figure), outside(figure)) == ([], [])


def test_a_caption_lists_titles_that_have_no_comma_of_their_own() -> None:
    results = few_shot(weights=True, task={"classifier": ["text"], "shots": 1, "include": [
        {"classifier": "text", "recipe": {"lr": lr, "epochs": 60}} for lr in (1e-3, 1e-2)
    ]})  # fmt: skip
    figure = correlation_figure(results, build_table(results))
    assert figure is not None
    alike = figure.caption.partition("more than 0.02: ")[2]
    assert re.fullmatch(r"\S.* \(frozen\) and \S.* \(frozen\) as \S.* \(frozen\)\.", alike)
    assert "," not in alike
