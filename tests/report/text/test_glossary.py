"""The glossary speaks of what is drawn."""

from __future__ import annotations

import re

from harness.report.text.glossary import glossary


def test_classes_are_drawn_or_fixed() -> None:
    drawn, fixed = glossary(classes_drawn=True), glossary(classes_drawn=False)
    assert glossary(classes_drawn=True, margin=True).startswith(f"{drawn}\n- **Equivalent within")
    assert "new classes of the same kind, drawn with their items (estimand E2)" in drawn
    assert "(G = C), so nothing is said about these classes alone" in drawn
    assert "new test items of the same kind (estimand E2)" in fixed
    assert "G = C" not in fixed


def test_every_item_has_a_term() -> None:
    for drawn in (True, False):
        items = glossary(classes_drawn=drawn).split("\n- ")
        assert len(items) == 10
        assert all(re.match(r"(- )?\*\*.+?\*\* \S", item) for item in items)
