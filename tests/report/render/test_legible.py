"""No text of a figure touches another, however long the names of rows and columns are."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.report.model.table import Table, build_table
from harness.report.render import (
    accuracy_figure,
    correlation_figure,
    difference_figure,
    step_figure,
)

from ..studies import few_shot
from .extents import colliding, drawn, is_legible, outside, texts

LONG = "encoder of a long name · projection · trained with a schedule"


def renamed(table: Table, prefix: str, label: str) -> Table:
    """The table with longer names of rows and columns."""
    columns = {c: replace(c, label=f"{label}{c.label}") for c in table.columns}
    names = {row: f"{prefix}{row}" for row in table.rows}

    def of_contrast(c: Any) -> Any:
        contrast = replace(c.contrast, a=names[c.contrast.a], b=names[c.contrast.b])
        return replace(c, contrast=contrast, column=columns[c.column])

    verdicts = replace(
        table.verdicts,
        against=tuple(map(of_contrast, table.against)),
        pairs=tuple(map(of_contrast, table.pairs)),
    )
    return replace(
        table,
        rows=tuple(names.values()),
        columns=tuple(columns.values()),
        entries={(names[r], columns[c]): e for (r, c), e in table.entries.items()},
        reference=None if table.reference is None else names[table.reference],
        verdicts=verdicts,
    )


SHAPES = [("", ""), ("", f"{LONG} · "), (f"{LONG} · ", ""), (f"{LONG} · ", f"{LONG} · ")]


@pytest.mark.parametrize(("prefix", "label"), SHAPES)
@pytest.mark.parametrize("shots", [[1], [1, 2, 4], [1, 2, 3, 4, 5, 6, 7, 8]])
def test_accuracy_and_differences(
    monkeypatch: pytest.MonkeyPatch, prefix: str, label: str, shots: list[int]
) -> None:
    figures = drawn(monkeypatch, accuracy_figure, difference_figure)
    table = renamed(build_table(few_shot(task={"shots": shots})), prefix, label)
    assert accuracy_figure.accuracy_figures(table)
    assert difference_figure.difference_figures(table)
    for figure in figures:
        assert is_legible(figure), (colliding(figure), outside(figure))
        assert "Classifier" in texts(figure) or len(shots) > 1
    assert len(shots) == 1 or "Shots" in texts(figures[0])


@pytest.mark.parametrize("prefix", ["", f"{LONG} · "])
def test_correlation(monkeypatch: pytest.MonkeyPatch, prefix: str) -> None:
    figures = drawn(monkeypatch, correlation_figure)
    results = few_shot(weights=True)
    assert correlation_figure.correlation_figure(results, renamed(build_table(results), prefix, ""))
    (figure,) = figures
    assert (colliding(figure), outside(figure)) == ([], [])
    assert {"Class", "Cosine similarity"} <= set(texts(figure))


@pytest.mark.parametrize(("prefix", "label"), SHAPES)
def test_steps(monkeypatch: pytest.MonkeyPatch, prefix: str, label: str) -> None:
    figures = drawn(monkeypatch, step_figure)
    report = {"rows": "classifier", "columns": ["shots", "recipe.lr"]}
    include = [{"recipe": {"lr": lr}} for lr in (1e-4, 1e-3)]
    task = {"shots": [1, 2], "include": include, "report": report}
    table = renamed(build_table(few_shot(task=task)), prefix, label)
    assert step_figure.step_figure(table) is not None
    (figure,) = figures
    assert (colliding(figure), outside(figure)) == ([], [])
