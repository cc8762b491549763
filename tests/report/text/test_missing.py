"""What is missing from a leaderboard, with its reasons."""

from __future__ import annotations

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.text.missing import missing

from ..studies import few_shot, name_of


def test_every_status_has_its_line() -> None:
    def status(cell: Cell) -> str:
        if cell.shots != 2:
            return "done"
        return {"text": "missing", "random": "failed"}.get(name_of(cell), "done")

    text = missing(build_table(few_shot(status=status)))
    assert text.splitlines() == [
        "- lda, 1 shot: infeasible: lda needs 2 samples a class, shots is 1",
        "- random, 2 shots: failed (5 of 5 seeds): CellError: the loss is not \\| finite",
        "- text, 2 shots: missing (0 of 5 seeds done)",
        "- Support sets do not vary.",
    ]


def test_cells_outside_the_grid_are_explained() -> None:
    task = {"exclude": [{"classifier": "lda", "shots": 1}]}
    assert "- Empty entries are not part of the grid." in missing(build_table(few_shot(task=task)))
