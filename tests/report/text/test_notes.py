"""What is said below the tables of contrasts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.report.model.table import Table, build_table
from harness.report.text.notes import NOT_ADJUSTED, below_contrasts

from ..studies import few_shot


def table_of(**task: Any) -> Table:
    return build_table(few_shot(task=task))


def test_the_family_and_its_size() -> None:
    table = table_of()
    text = below_contrasts(table, table.against, against=True)
    assert "row minus random. Adjusted p: Holm's correction in the family 'column'" in text
    assert "(m = 21 to 28). " + NOT_ADJUSTED in text
    pairs = below_contrasts(table, table.pairs, against=False)
    assert "first row minus second row" in pairs


def test_without_p_nothing_is_adjusted() -> None:
    table = table_of(seeds=3)
    text = below_contrasts(table, table.against, against=True)
    assert "Descriptive: a p-value needs 5 seeds." in text
    assert "Holm" not in text


def test_remarks_of_the_tests() -> None:
    """One that all comparisons share is given once; 'descriptive' is said above."""
    table = table_of(seeds=1, shots=1)
    text = below_contrasts(table, table.against, against=True)
    assert text.endswith("\n\n- All comparisons: one seed: nothing is known about new seeds")
    first, *rest = table_of(seeds=3, shots=1).against
    noted = replace(
        first,
        contrast=replace(
            first.contrast, note="items that only one of the two predicts correctly: 3 and 1"
        ),
    )
    text = below_contrasts(table, [noted, *rest], against=True)
    said = "items that only one of the two predicts correctly: 3 and 1"
    assert text.endswith(f"\n\n- {first.contrast.a} minus random, 1 shot: {said}")
