"""What the index says of a page, read from the page."""

from __future__ import annotations

import pytest

from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.render.figures import draw
from harness.report.render.markdown import END_OF_BODY, report
from harness.report.render.page_summary import (
    MEASURED,
    MEASUREMENTS,
    PAPER,
    STUDY,
    PageSummary,
    summary_of,
)
from harness.report.text.answer import answer
from harness.report.text.prose import first_sentence

from ..studies import MIXED, few_shot, few_shot_accuracy, make_results, task_of


def page_of(results: Results) -> str:
    table = build_table(results)
    return report(results, table, draw(results, table), [], "python -m harness grid x")


def summary(results: Results, file: str = "few_shot.md") -> PageSummary:
    found = summary_of(file, page_of(results))
    assert found is not None
    return found


def test_a_report_gives_question_answer_and_figure() -> None:
    results = few_shot()
    found = summary(results)
    assert (found.file, found.kind, found.title) == ("few_shot.md", STUDY, "few_shot")
    assert found.question == results.task.question
    first = answer(build_table(results)).strip().removeprefix("- ").split("\n")[0]
    assert found.answer == first_sentence(first)
    assert found.answer.startswith("random beats text_shuffled in ")
    assert found.answer.endswith(".")
    assert found.figure == "few_shot/accuracy.png"
    assert found.alt.startswith("Top-1 accuracy")


def test_without_a_question_there_is_what_varies() -> None:
    found = summary(few_shot(task={"question": ""}))
    assert found.question == "Varied: shots, classifier, paradigm."


def test_a_choice_on_the_test_set_is_not_hidden() -> None:
    found = summary(make_results(task_of(**MIXED), few_shot_accuracy))
    assert found.question == task_of(**MIXED).question
    assert found.answer.startswith("**Chosen on the test set.** text · chosen on test beats ")


def test_a_task_of_the_paper_is_one() -> None:
    assert summary(few_shot(), "table01_embedded.md").kind == PAPER


def test_a_page_of_claims_gives_their_verdicts() -> None:
    text = (
        "# The paper\n\nTables: 2.\n\n## Which claims hold\n\n- **holds:** 3 (2 of Table 1)\n"
        f"- **not tested:** 1 (1 of Table 2).\n\n![A map. No](reproduce/a.png)\n\n{END_OF_BODY}\n"
    )
    found = summary_of("reproduce.md", text)
    assert found == PageSummary(
        "reproduce.md", PAPER, "The paper", "", "Claims: holds: 3; not tested: 1.",
        "reproduce/a.png", "A map. No",
    )  # fmt: skip


def test_claims_and_different_comparisons_are_both_counted() -> None:
    text = (
        "# The paper\n\n## Which claims hold\n\n- **supported:** 20 claims, 18 different "
        "comparisons (5 of Table 1).\n- **contradicted:** 7 claims (1 of Table 1).\n"
        "- **undecided:** 2 claims, 1 different comparison (2 of Table 3).\n\n"
        f"{END_OF_BODY}\n"
    )
    found = summary_of("reproduce.md", text)
    assert found is not None
    assert found.answer == (
        "Claims: supported: 20 (18 different comparisons); contradicted: 7; undecided: 2 "
        "(1 different comparison)."
    )


def test_a_page_of_measurements_gives_its_targets() -> None:
    text = f"{MEASUREMENTS}\n\n# Speed\n\nOn 2 cores.\n\n| a | met |\n| b | not met |\n| c |  |\n"
    found = summary_of("performance.md", text)
    assert found == PageSummary("performance.md", MEASURED, "Speed", "", "1 of 2 targets met.")
    assert summary_of("x.md", text.replace("| b | not met |\n", ""))  == PageSummary(
        "x.md", MEASURED, "Speed", "", "1 of 1 target met."
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["", "# Notes\n\n**Answer.** Mine.\n", f"no title\n\n{END_OF_BODY}\n",
     f"# Notes\n\nThe line `{END_OF_BODY}` ends a body.\n"],
)  # fmt: skip
def test_a_file_of_someone_else_has_none(text: str) -> None:
    assert summary_of("notes.md", text) is None
