"""The figure of accuracies: its form by the number of columns and rows, and its labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.report.model.table import build_table
from harness.report.render import accuracy_figure as module
from harness.report.render.accuracy_figure import accuracy_figures, spread

from ..studies import few_shot, make_results, task_of
from .extents import colliding, crossed, drawn, outside, texts


def test_labels_that_fit_stay_where_they_are() -> None:
    assert spread([1.0, 5.0, 9.0], 1.0, 0.0, 10.0) == [1.0, 5.0, 9.0]


def test_labels_that_would_touch_move_apart_evenly() -> None:
    assert spread([4.9, 5.0, 5.1], 1.0, 0.0, 10.0) == pytest.approx([4.0, 5.0, 6.0])
    assert spread([9.9, 10.0], 1.0, 0.0, 10.0) == pytest.approx([9.0, 10.0])
    close = spread([1.0, 1.1, 1.5, 1.6, 7.0], 0.5, 0.0, 10.0)
    assert np.diff(close).min() >= 0.5 - 1e-9


def test_the_form_follows_the_table(monkeypatch: pytest.MonkeyPatch) -> None:
    forms: list[str] = []
    for name in ("_dots", "_lines", "_panels"):
        monkeypatch.setattr(module, name, lambda *_, name=name: forms.append(name) or [b""])
    accuracy_figures(build_table(few_shot(task={"shots": 1})))
    accuracy_figures(build_table(few_shot()))
    monkeypatch.setattr(module, "MOST_LINES", 7)
    accuracy_figures(build_table(few_shot()))
    assert forms == ["_dots", "_lines", "_panels"]


@pytest.mark.parametrize(
    ("changes", "style"),
    [({}, "-"), ({"recipe": {"lr": [1e-3, 1e-2]}}, "None")],
)
def test_only_amounts_are_joined_by_lines(
    monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], style: str
) -> None:
    """A line between two learning rates of several shots would suggest values between them."""
    figures: list[Any] = []
    monkeypatch.setattr(module, "png", lambda figure: figures.append(figure) or b"")
    columns = ["shots", "recipe.lr"] if changes else "shots"
    task = {"classifier": ["text", "random"], "include": [], "shots": [1, 2], **changes}
    report = {"rows": "classifier", "columns": columns}
    accuracy_figures(build_table(few_shot(task={**task, "report": report})))
    (axes,) = figures[0].axes
    of_rows = [line.get_linestyle() for line in axes.lines if len(line.get_xdata()) > 1]
    assert set(of_rows) == {style}


AMOUNTS = [f"text_noise(sigma={0.5 + i})" for i in range(12)]


@pytest.mark.parametrize("step", [0.0, 0.001, 0.05])
def test_rows_can_be_told_apart_and_their_lines_cross_no_name(
    monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """Twelve rows whose last values are equal, close or apart, and not in their order."""
    figures = drawn(monkeypatch, module)
    report = {"rows": "classifier", "columns": ["shots", "recipe.lr"]}
    task = task_of(classifier=AMOUNTS, include=[], shots=[1, 2],
                   recipe={"lr": [1e-3, 1e-2], "epochs": 60}, report=report)  # fmt: skip
    results = make_results(
        task, lambda c: 0.3 + step * (AMOUNTS.index(str(c.classifier)) * 5 % 12), n=1000
    )
    assert accuracy_figures(build_table(results))
    (figure,) = figures
    lines = [line for line in figure.axes[0].lines if len(np.atleast_1d(line.get_xdata())) > 1]
    assert len({(line.get_color(), line.get_marker()) for line in lines}) == 12
    assert (crossed(figure), colliding(figure), outside(figure)) == ([], [], [])
    assert "Shots · learning rate" in texts(figure)


def test_every_form_can_be_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    missing = few_shot(status=lambda c: "missing" if c.shots == 2 and c.seed == 0 else "done")
    for most in (12, 2):
        monkeypatch.setattr(module, "MOST_LINES", most)
        (figure,) = accuracy_figures(build_table(missing))
        assert figure.png.startswith(b"\x89PNG")
        assert figure.alt == "Top-1 accuracy over the number of shots with 95% intervals"


def test_class_draws_have_ranges_and_nothing_done_has_no_figure() -> None:
    task = {"class_seed": [0, 1], "classifier": ["text", "random"], "include": [], "shots": 1}
    (figure,) = accuracy_figures(build_table(few_shot(task=task)))
    assert figure.caption == "Top-1 accuracy with ranges over class draws."
    assert accuracy_figures(build_table(few_shot(status=lambda _: "missing"))) == []
