from __future__ import annotations

import numpy as np
import pytest

from harness.report.model.table import build_table
from harness.report.render import correlation
from harness.report.render.correlation import cosines, pearson
from harness.report.render.figures import draw, spread

from .studies import few_shot_accuracy, make_study, task_of


def test_labels_that_fit_stay_where_they_are() -> None:
    assert spread([1.0, 5.0, 9.0], 1.0, 0.0, 10.0) == [1.0, 5.0, 9.0]


def test_labels_that_would_touch_move_apart_evenly() -> None:
    assert spread([4.9, 5.0, 5.1], 1.0, 0.0, 10.0) == pytest.approx([4.0, 5.0, 6.0])
    assert spread([9.9, 10.0], 1.0, 0.0, 10.0) == pytest.approx([9.0, 10.0])
    close = spread([1.0, 1.1, 1.5, 1.6, 7.0], 0.5, 0.0, 10.0)
    assert np.diff(close).min() >= 0.5 - 1e-9


def test_cosines_of_a_classifier() -> None:
    w = np.array([[2.0, 0.0], [0.0, 3.0], [1.0, 1.0], [0.0, 0.0]])
    half = 2**-0.5
    expected = [[1, 0, half], [0, 1, half], [half, half, 1]]
    np.testing.assert_allclose(cosines(w, 3), expected)
    assert cosines(w, 10)[3, 3] == 0


def test_orthogonal_rows_have_no_correlation_to_compare() -> None:
    rng = np.random.default_rng(0)
    other = cosines(rng.normal(size=(20, 64)), 20)
    q = np.linalg.qr(rng.normal(size=(64, 64)))[0].astype(np.float16)
    assert pearson(cosines(q, 20), other) is None
    assert pearson(other, other) == pytest.approx(1)


def test_pictures_are_left_out_where_there_is_nothing_to_show() -> None:
    task = task_of(report={"rows": "classifier"})
    study = make_study(task, few_shot_accuracy)
    assert [f.name for f in draw(study, build_table(study))] == ["accuracy.png"]
    empty = make_study(task, few_shot_accuracy, status=lambda _: "missing")
    assert draw(empty, build_table(empty)) == []


def test_one_column_is_a_plot_of_intervals() -> None:
    study = make_study(task_of(shots=1), few_shot_accuracy)
    figures = draw(study, build_table(study))
    assert [f.name for f in figures] == ["accuracy.png", "differences.png"]
    assert all(f.png.startswith(b"\x89PNG") for f in figures)
    assert not any(b"Software" in f.png for f in figures)


def test_the_correlation_figure_names_the_rows_without_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    study = make_study(task_of(shots=2), few_shot_accuracy, weights=True)
    table = build_table(study)
    assert len(table.rows) == correlation.MOST_ROWS
    assert "Not shown" not in draw(study, table)[-1].caption
    monkeypatch.setattr(correlation, "MOST_ROWS", 6)
    caption = draw(study, table)[-1].caption
    assert caption.endswith("Not shown, for want of room: prototype and lda")
