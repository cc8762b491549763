"""A page prints a mean as the same number wherever it has it."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from decimal import ROUND_HALF_EVEN, Decimal

import pytest

from harness.core.cells import Cell
from harness.report.model.results import Results
from harness.report.model.table import Table, build_table
from harness.report.render.markdown import body
from harness.report.render.tex import latex
from harness.report.text.details import details
from harness.report.text.precision import table_digits

from .studies import few_shot_accuracy, make_results, task_of

#: Items, what the intervals are about, and the decimals that these support.
SIZES = [(20, "new_classes", 0), (200, "new_classes", 1), (2000, "these_items", 2)]


def study(n: int, estimand: str) -> Results:
    """Of 10 seeds, so that many means are halves of the last decimal."""

    def accuracy(cell: Cell) -> float:
        assert cell.seed is not None
        return (
            few_shot_accuracy(replace(cell, seed=0))
            + (cell.seed + len(str(cell.classifier))) % 3 / n
        )

    task = task_of(seeds=10, shots=[1, 2, 3, 4, 5], include=[],
                   report={"rows": "classifier", "estimand": estimand})  # fmt: skip
    return make_results(task, accuracy, n=n, n_classes=20)


def exact(table: Table, digits: int) -> dict[tuple[str, str], str]:
    """The mean of every row and column, from its counts, rounded in decimals."""
    out = {}
    for (row, column), entry in table.entries.items():
        assert entry.outcomes is not None
        right, total = int(entry.outcomes.correct_SN.sum()), entry.outcomes.correct_SN.size
        mean = Decimal(100 * right) / total
        out[row, str(column)] = str(mean.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN))
    return out


def cells(text: str, heading: str) -> list[list[str]]:
    """The lines of the first table below a heading, without their marks."""
    section = text.partition(f"\n## {heading}\n")[2]
    lines = [line for line in section.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip(" *") for cell in line.strip("|").split(" | ")] for line in lines]


@pytest.mark.parametrize(("n", "estimand", "digits"), SIZES)
def test_every_table_has_the_same_number(n: int, estimand: str, digits: int) -> None:
    results = study(n, estimand)
    table = build_table(results)
    assert table_digits(table) == digits
    wanted = exact(table, digits)
    page = body(results, table, [], [])
    header, _, *rows = cells(page, "Leaderboard")
    board = {
        (row[0], column): re.split(r"\*| ", value)[0]
        for row in rows
        for column, value in zip(header[1:], row[1:], strict=True)
    }
    assert board == wanted
    _, _, *measured = cells(page, "Further measures")
    # Of as many items of every class, the mean over classes is the same mean.
    for place in (2, 4):
        assert {(row[1], row[0]): row[place] for row in measured} == wanted
    _, _, *costs = cells(page, "Accuracy and cost")
    of_costs = {row[0]: row[1].split(" / ") for row in costs}
    columns = [str(column) for column in table.columns]
    assert of_costs == {row: [wanted[row, c] for c in columns] for row in table.rows}


@pytest.mark.parametrize(("n", "estimand", "digits"), SIZES)
def test_other_forms_of_the_page_have_it_too(n: int, estimand: str, digits: int) -> None:
    results = study(n, estimand)
    table = build_table(results)
    wanted = exact(table, digits)
    hover = [re.findall(r"mean ([\d.]+) points", text) for row in details(table) for text in row]
    assert [found[0] for found in hover] == [wanted[r, str(c)] for r in table.rows
                                             for c in table.columns]  # fmt: skip
    in_tex = re.findall(r"([\d.]+)\}? \[[\d.]+, [\d.]+\]", latex(table))
    assert Counter(in_tex) == Counter(wanted.values())


def test_many_means_are_halves() -> None:
    """Else these tests could not fail."""
    table = build_table(study(200, "new_classes"))
    found = [e.outcomes.correct_SN.sum() for e in table.entries.values() if e.outcomes is not None]
    assert sum(int(right) % 2 for right in found) >= len(found) // 4
