"""Which figures a report has."""

from __future__ import annotations

from harness.report.model.table import build_table
from harness.report.render.figures import draw

from ..studies import MIXED, few_shot_accuracy, make_results, task_of


def test_figures_without_data_are_left_out() -> None:
    task = task_of(report={"rows": "classifier"})
    results = make_results(task, few_shot_accuracy)
    assert [f.name for f in draw(results, build_table(results))] == ["accuracy.png", "classes.png"]
    empty = make_results(task, few_shot_accuracy, status=lambda _: "missing")
    assert draw(empty, build_table(empty)) == []


def test_they_are_png_of_nothing_but_the_results() -> None:
    results = make_results(task_of(shots=1), few_shot_accuracy, weights=True)
    figures = draw(results, build_table(results))
    assert [f.name for f in figures] == [
        "accuracy.png", "differences.png", "correlation.png", "classes.png",
    ]  # fmt: skip
    assert all(f._repr_png_().startswith(b"\x89PNG") for f in figures)
    assert not any(b"Software" in f.png for f in figures)
    assert all(f.caption.endswith(".") for f in figures)


def test_a_choice_on_the_test_set_is_on_every_figure() -> None:
    results = make_results(task_of(**MIXED), few_shot_accuracy)
    figures = draw(results, build_table(results))
    assert len(figures) >= 2
    assert all(f.caption.startswith("Chosen on the test set: ") for f in figures)
