"""Tables and figures of the paper: their titles, their relation and their claims."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.model.claims import SUPPORTED, UNTESTED, adjust_page
from harness.report.model.paper import ANALOGUE, NOT_TESTABLE, SAME_STUDY, PaperPart, title_of
from harness.report.model.table import build_table

from ..studies import few_shot, task_of

CLAIM = {"text": "Texts are better.", "a": "text", "b": "random", "direction": ">"}


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("table01_embedded", "Table 1"), ("table12", "Table 12"), ("tableA2_embedded", "Table A.2"),
        ("figure3", "Figure 3"), ("figureA5_embedded", "Figure A.5"), ("other", "other"),
    ],
)  # fmt: skip
def test_titles_are_those_of_the_paper(name: str, title: str) -> None:
    assert title_of(name) == title


def embedded(relation: str) -> dict[str, Any]:
    return {"relation": relation, "why": "because"}


def test_the_relation_is_of_what_was_run() -> None:
    results = few_shot(task={"name": "table01", "embedded": embedded("analogue")})
    assert PaperPart(results.task, results, build_table(results)).relation == SAME_STUDY
    variant = few_shot(task={"name": "table01_embedded", "embedded": embedded("analogue")})
    assert PaperPart(variant.task, variant, build_table(variant)).relation == ANALOGUE
    nothing = PaperPart(task_of(name="table07", embedded=embedded("not_testable")))
    assert nothing.relation == NOT_TESTABLE


def test_claims_are_judged_or_say_why_not() -> None:
    results = few_shot(task={"name": "table01", "shots": 1, "claims": [CLAIM]})
    part = PaperPart(results.task, results, build_table(results))
    ((judged,),) = adjust_page([part.judged()])
    assert judged.verdict == SUPPORTED
    (untested,) = PaperPart(results.task, why_not="there is no folder").judged()
    assert (untested.verdict, untested.why_not) == (UNTESTED, "there is no folder")


def test_the_question_does_not_repeat_the_title() -> None:
    task = task_of(name="table03", question="Does it help (Table 3)?")
    assert PaperPart(task).question == "Does it help?"
