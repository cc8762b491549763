"""The numbers of an entry in words."""

from __future__ import annotations

import re
from dataclasses import replace

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.text.details import details

from ..several_sets import names_of_sets, several
from ..studies import few_shot, name_of


def test_an_entry_in_words() -> None:
    table = build_table(few_shot())
    found = dict(zip(table.rows, details(table), strict=True))
    assert re.fullmatch(
        r"text, 1 shot: mean [\d.]+ points, 95% interval from [\d.]+ to [\d.]+; 5 seeds, 200 test "
        r"items in 100 groups; (a rank between \d and \d|rank \d) of 8 rows"
        r"(; not significantly worse than the best row of the column)?\.",
        found["text"][0],
    )
    assert found["lda"][0] == "lda, 1 shot: infeasible: lda needs 2 samples a class, shots is 1."
    bold = {(row, c.label) for row, c in table.bold}
    assert bold == {
        (row, label)
        for row, texts in found.items()
        for label, text in zip(table.labels, texts, strict=True)
        if "not significantly worse" in text
    }


def test_a_mark_against_the_reference_in_words() -> None:
    report = {"rows": "classifier", "columns": "shots", "reference": "text", "family": "reference"}
    table = build_table(few_shot(task={"report": report}))
    assert set(table.verdicts.marks.values()) == {1, -1}
    for row, texts in zip(table.rows, details(table), strict=True):
        for column, text in zip(table.columns, texts, strict=True):
            mark = table.verdicts.marks.get((row, column), 0)
            assert text.endswith("; significantly above text.") == (mark > 0)
            assert text.endswith("; significantly below text.") == (mark < 0)


def test_an_interval_of_a_sequential_rule_has_its_level() -> None:
    table = build_table(few_shot())
    entries = {place: replace(e, level=0.001) for place, e in table.entries.items()}
    assert ", 99.9% interval from " in details(replace(table, entries=entries))[0][0]


def test_what_has_no_number_says_why() -> None:
    def status(cell: Cell) -> str:
        if cell.shots != 2:
            return "done"
        return {"text": "missing", "random": "failed"}.get(name_of(cell), "done")

    task = {"exclude": [{"classifier": "orthogonal", "shots": 4}]}
    table = build_table(few_shot(status=status, task=task))
    found = dict(zip(table.rows, details(table), strict=True))
    assert found["text"][1] == "text, 2 shots: missing (0 of 5 seeds done)."
    assert found["random"][1] == (
        "random, 2 shots: failed (5 of 5 seeds): CellError: the loss is not | finite."
    )
    assert found["orthogonal"][2] == "orthogonal, 4 shots: not part of the grid."


def test_over_class_draws_the_ends_are_draws() -> None:
    table = build_table(few_shot(task={"class_seed": [0, 1, 2], "shots": 1}, n=100))
    (text,) = details(table)[0]
    assert re.fullmatch(
        r"text, .*: mean [\d.]+ points over 3 class draws, lowest [\d.]+, highest [\d.]+\.", text
    )


def test_means_over_data_sets_have_theirs() -> None:
    table = build_table(several("these_datasets", datasets=names_of_sets(2), rows=2, shots=[1, 2]))
    texts = details(table)[0]
    assert len(texts) == 6
    assert texts[4].startswith("text, mean of 2 data sets · 1 shot: mean ")
