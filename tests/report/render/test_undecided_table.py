"""What is undecided is neither different nor equivalent, on every part of a page."""

from __future__ import annotations

import re

import pytest

from harness.core.cells import Cell
from harness.report.model.equivalence import verdict_of
from harness.report.model.table import Table, build_table
from harness.report.render.undecided_table import undecided_table
from harness.report.text.over_columns import against_reference
from harness.stats.equivalence import BOTH, EQUIVALENT, UNDECIDED

from ..studies import make_results, name_of, task_of

ACCURACY = {"text": 0.6, "random": 0.5, "orthogonal": 0.5, "lda": 0.53, "prototype": 0.5}


def study(margin: float | None, reference: str | None = "random") -> Table:
    """Rows that are equal, a little better or much better than the reference, in two columns."""
    report = {"rows": "classifier", "columns": "shots", "reference": reference, "margin": margin}
    task = task_of(classifier=list(ACCURACY), shots=[1, 4], include=[], report=report)
    return build_table(make_results(task, accuracy, n=400, n_classes=40))


def accuracy(cell: Cell) -> float:
    return ACCURACY[name_of(cell)] + 0.01 * (cell.shots or 0)


def rows_of(text: str) -> dict[str, str]:
    """By the pair of a line: the columns in which it is undecided."""
    lines = [line.split("|") for line in text.splitlines() if line.startswith("| ")][1:]
    return {line[1].strip(): line[2].strip() for line in lines if "--" not in line[1]}


@pytest.mark.parametrize("margin", [None, 1, 4, 8, 60])
@pytest.mark.parametrize("reference", ["random", None])
def test_equivalent_pairs_are_not_listed(margin: float | None, reference: str | None) -> None:
    table = study(margin, reference)
    shown = rows_of(undecided_table(table))
    for c in table.against or table.pairs:
        verdict = verdict_of(table, c.contrast, c.column)
        listed = str(c.column) in shown.get(f"{c.contrast.a} minus {c.contrast.b}", "")
        assert not (listed and verdict in (EQUIVALENT, BOTH))
        if table.against:
            open_pair = (c.contrast.p_adjusted or 0) > 0.05
            assert listed == (verdict == UNDECIDED if margin else open_pair)
    if margin == 60:
        assert undecided_table(table) == ""


@pytest.mark.parametrize("margin", [1, 4, 8, 60])
def test_the_answer_counts_every_comparison_once(margin: float) -> None:
    table = study(margin)
    said = against_reference(table)
    verdicts = [verdict_of(table, c.contrast, c.column) for c in table.against]
    total = len(verdicts)

    def count(pattern: str) -> int:
        found = re.search(pattern, said)
        return int(found[1]) if found else 0

    undecided = count(rf"(\d+) of {total} comparisons? (?:is|are) undecided")
    equivalent = count(rf"(\d+) of {total} (?:is|are) equivalent within")
    assert undecided == verdicts.count(UNDECIDED)
    assert equivalent == verdicts.count(EQUIVALENT)
    assert count(r"(\d+) significant differences? (?:is|are) within") == verdicts.count(BOTH)
    assert undecided + equivalent + sum("different" in v for v in verdicts) == total
