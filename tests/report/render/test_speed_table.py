"""The table of steps to a target loss."""

from __future__ import annotations

from harness.report.model.table import build_table
from harness.report.render.speed_table import BELOW, speed_table

from ..model.test_speed import results_of


def test_it_has_mean_and_range_or_says_how_many_seeds_do_not_arrive() -> None:
    lines = speed_table(build_table(results_of(0.5, 0.1, 0.01))).split("\n")
    assert [line for line in lines if "| text |" in line] == [
        "| 1 shot | text | 0.5 | 2 \\[1, 4\\] | 3 of 3 |",
        "| 1 shot | text | 0.1 | not reached in 2 of 3 seeds; else \\[2, 2\\] | 1 of 3 |",
        "| 1 shot | text | 0.01 | not reached in 3 seeds | 0 of 3 |",
    ]
    assert lines[-1] == BELOW


def test_it_is_empty_without_a_target() -> None:
    assert speed_table(build_table(results_of())) == ""
