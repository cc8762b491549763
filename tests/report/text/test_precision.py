"""Decimals follow the intervals of a table."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.table import build_table
from harness.report.text.precision import contrast_digits, table_digits

from ..studies import few_shot, few_shot_accuracy, make_results, task_of


def test_a_leaderboard_has_as_many_decimals_as_its_intervals_support() -> None:
    task = task_of(classifier=["text", "random"], include=[], shots=1)
    for n, digits in ((20, 0), (200, 1)):  # intervals of 30 and of 12 points
        results = make_results(task, few_shot_accuracy, n=n, n_classes=n // 2)
        assert table_digits(build_table(results)) == digits
    nothing = make_results(task, few_shot_accuracy, status=lambda _: "missing")
    assert table_digits(build_table(nothing)) == 1


def test_differences_have_their_own() -> None:
    c = build_table(few_shot()).against[0].contrast
    assert contrast_digits([replace(c, low=-0.001, high=0.001)]) == 2
    assert contrast_digits([replace(c, low=-0.3, high=0.3)]) == 0
    assert contrast_digits([replace(c, low=None, high=None)]) == 1
