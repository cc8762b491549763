"""What the page of a variant on embedded data says of the study that its question is about."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.model.table import build_table
from harness.report.render.markdown import body
from harness.report.render.page_summary import summary_of
from harness.report.text.relation import relation_here

from ..studies import few_shot, task_of

ANALOGUE = {"relation": "analogue", "why": "Drawings replace photos."}
SAID = (
    "The question is that of task coop11. Here, on embedded data: **analogue**. Drawings replace "
    "photos."
)


def test_the_relation_and_why_are_below_the_answer() -> None:
    results = few_shot(task={"name": "coop11_embedded", "shots": 1, "embedded": ANALOGUE})
    page = body(results, build_table(results), [], [])
    answer, leaderboard = page.index("**Answer.**"), page.index("## Leaderboard")
    assert answer < page.index(SAID) < leaderboard
    summary = summary_of("coop11_embedded.md", f"{page}\n<!-- end of body -->\n")
    assert summary is not None
    assert "Drawings" not in summary.answer


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "coop11", "embedded": ANALOGUE},  # the study itself
        {"name": "table02_embedded", "embedded": {"relation": "same"}},
        {"name": "my_embedded"},
    ],
)
def test_nothing_where_the_study_is_the_one_that_was_asked_about(changes: dict[str, Any]) -> None:
    assert relation_here(task_of(**changes)) == ""


def test_texts_of_a_task_are_printed_as_they_are() -> None:
    task = task_of(name="a_embedded", embedded={"relation": "analogue", "why": "As [x] (y)."})
    assert relation_here(task).endswith("**analogue**. As \\[x\\] (y).")
