"""The leaderboard as a Markdown table."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.core.cells import Cell
from harness.report.model.table import Table, build_table
from harness.report.render.leaderboard import leaderboard

from ..studies import few_shot, name_of


def line_of(table: Table, row: str) -> list[str]:
    (line,) = [t for t in leaderboard(table).splitlines() if t.startswith(f"| {row} ")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_means_intervals_ranks_and_bold() -> None:
    table = build_table(few_shot())
    column = table.columns[0]
    estimate = table.entries["text", column].estimate
    assert estimate is not None
    cell = line_of(table, "text")[1]
    assert re.fullmatch(r"(\*\*)?[\d.]+(\*\*)? \\\[[\d.]+, [\d.]+\\\] \(\d(-\d)?\)", cell)
    assert f"{100 * estimate.mean:.1f}" in cell
    assert cell.startswith("**") == (("text", column) in table.bold)
    assert line_of(table, "lda")[1] == "–"


def test_entries_that_are_not_done_say_so() -> None:
    def status(cell: Cell) -> str:
        if cell.shots == 2 and name_of(cell) == "text":
            return "missing" if cell.seed in (0, 1) else "done"
        return "failed" if cell.shots == 2 and name_of(cell) == "random" else "done"

    task = {"exclude": [{"classifier": "orthogonal", "shots": 4}]}
    table = build_table(few_shot(status=status, task=task))
    assert line_of(table, "text")[2] == "missing (3 of 5 seeds done)"
    assert line_of(table, "random")[2] == "failed (5 of 5 seeds)"
    assert line_of(table, "orthogonal")[3] == ""
    assert "**" not in line_of(table, "prototype")[2]


def test_a_row_whose_loss_still_falls_is_marked() -> None:
    def curve(cell: Cell) -> list[float]:
        return [*[1.0] * 6, 0.5 if name_of(cell) == "text" else 1.0]

    text = leaderboard(build_table(few_shot(curve=curve)))
    assert "| text \\* |" in text
    assert "\n\n\\* still falling: the training loss of text had not converged" in text
    assert "still falling" not in leaderboard(build_table(few_shot()))


def test_a_row_that_learned_nothing_is_marked() -> None:
    table = build_table(few_shot())
    stuck = {k: replace(e, not_learned=k[0] == "random") for k, e in table.entries.items()}
    text = leaderboard(replace(table, entries=stuck))
    assert "| random † |" in text
    assert "\n\n† not learned: the training of random taught little" in text
    assert "not learned" not in leaderboard(table)


def test_notes_of_the_task_are_below_it() -> None:
    report = {"rows": "classifier", "notes": ["Choose | with care."]}
    assert "\n- Choose \\| with care." in leaderboard(
        build_table(few_shot(task={"report": report}))
    )


def test_class_draws_show_their_range() -> None:
    task = {"class_seed": [0, 1], "classifier": ["text", "random"], "include": [], "shots": 1}
    table = build_table(few_shot(task=task))
    cell = line_of(table, "text")[1]
    assert "**" not in cell
    low, high = sorted(e.estimate.mean for (row, _), e in table.entries.items()
                       if row == "text" and e.estimate is not None)  # fmt: skip
    assert cell.endswith(f"\\[{100 * low:.2f}, {100 * high:.2f}\\]")
