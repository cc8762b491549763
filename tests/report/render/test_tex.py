"""The leaderboard as a booktabs table."""

from __future__ import annotations

import pytest

from harness.report.model.table import build_table
from harness.report.render.tex import escape, tabular

from ..studies import MIXED, few_shot, few_shot_accuracy, make_results, task_of


def test_the_tabular_is_booktabs() -> None:
    tex = tabular(build_table(few_shot()))
    for part in (r"\begin{tabular}{lrrr}", r"\toprule", r"\midrule", r"\bottomrule",
                 r"vision\_only", r"\textbf{"):  # fmt: skip
        assert part in tex
    assert "lda & -- &" in tex
    assert tex.startswith("% Top-1 accuracy in points: mean [95% interval] under E2")


def test_a_line_break_takes_no_bracket_as_its_argument() -> None:
    lines = tabular(build_table(few_shot())).splitlines()
    rows = [line for line in lines if line.startswith("text &")]
    assert "{[" in rows[0]
    assert " [" not in rows[0]


def test_entries_that_are_not_done_say_so() -> None:
    table = build_table(few_shot(status=lambda c: "missing" if c.shots == 2 else "done"))
    row = next(line for line in tabular(table).splitlines() if line.startswith("text &"))
    assert row.split(" & ")[2] == "missing"


def test_a_choice_on_the_test_set_is_above_the_rows() -> None:
    lines = tabular(build_table(make_results(task_of(**MIXED), few_shot_accuracy))).splitlines()
    first = lines.index(r"\toprule") + 1
    assert lines[first].startswith(r"\multicolumn{3}{l}{\textbf{Chosen on the test set")
    assert sum(r"random $\cdot$ chosen on test" in line for line in lines) == 1


@pytest.mark.parametrize(
    ("text", "tex"), [("50% & more", r"50\% \& more"), ("a_b#c", r"a\_b\#c"), ("{x}", r"\{x\}")]
)
def test_text_from_outside_is_printed_as_it_is(text: str, tex: str) -> None:
    assert escape(text) == tex
