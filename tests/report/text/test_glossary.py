"""The glossary speaks of what is drawn, and of what the page shows."""

from __future__ import annotations

import re

import pytest

from harness.report.text.glossary import glossary

NEW, THESE, ITEMS = ["new_classes"], ["these_classes"], ["these_items"]


def test_classes_are_drawn_or_fixed() -> None:
    drawn, fixed = glossary(estimands=NEW), glossary(estimands=THESE)
    assert glossary(estimands=NEW, margin=True).startswith(f"{drawn}\n- **Equivalent within")
    assert "new classes of the same kind, drawn with their items (estimand E2)" in drawn
    assert "which counts as one draw: nothing is said about these" in drawn
    assert "new test items of the same kind and classes (estimand E2)" in fixed
    assert "counts as one draw: nothing" not in fixed
    assert "the same test items (estimand E1)" in glossary(estimands=ITEMS)


@pytest.mark.parametrize("marks", [True, False])
def test_every_item_has_a_term(marks: bool) -> None:
    assert "Shared variance" not in glossary(estimands=NEW, marks=marks)
    for estimands in (NEW, THESE, NEW + THESE):
        every = glossary(estimands=estimands, marks=marks, margin=True, means=True, shared=True)
        assert all(re.match(r"(- )?\*\*.+?\*\* \S", item) for item in every.split("\n- "))
        assert "at least 10 pairs of a column" in every
        items = glossary(estimands=estimands, marks=marks).split("\n- ")
        assert len(items) == (9 if marks else 10)
        assert all(re.match(r"(- )?\*\*.+?\*\* \S", item) for item in items)
        assert ("**Bold.**" in items[1]) != marks
