"""What `compare` pairs: the means over data sets of two rows."""

from __future__ import annotations

import pytest
from report.several_sets import names_of_sets, several

from harness.commands._sides import _means
from harness.report.model.compare import compare
from harness.report.model.table import build_table
from harness.report.text.compared import compared_text


@pytest.mark.parametrize("kind", ["these_datasets", "new_datasets"])
def test_means_over_data_sets_are_compared_as_the_report_does(kind: str) -> None:
    table = build_table(several(kind, rows=2))
    (pair,) = _means(table, "text", "random")
    (found,) = compare([pair])
    assert table.average is not None
    (of_report,) = table.average.pairs
    assert found.contrast == of_report.contrast
    assert found.contrast.p_adjusted == found.contrast.p is not None
    assert found.over == "6 data sets"
    assert found.mean_a - found.mean_b == pytest.approx(found.contrast.difference)
    assert "6 data sets" in compared_text([found])


def test_few_data_sets_have_no_p_among_many_comparisons() -> None:
    table = build_table(several("new_datasets", rows=3))
    (pair,) = _means(table, "text", "random")
    assert compare([pair])[0].contrast.p is not None, "2/2^6 is below 0.05"
    assert compare([pair] * 2)[0].contrast.p is None, "and not below 0.05/2"


def test_a_row_without_a_mean_has_none() -> None:
    assert list(_means(build_table(several(None)), "text", "random")) == []
    lost = several(
        "these_datasets", rows=2, datasets=names_of_sets(2),
        status=lambda c: "missing" if c.classifier and c.classifier.name == "text" else "done",
    )  # fmt: skip
    assert list(_means(build_table(lost), "text", "random")) == []
