"""The page of a report: its sections in order, and a body that depends on the science alone."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.report.model.figure import Figure
from harness.report.model.published import read_published
from harness.report.model.table import build_table
from harness.report.render.markdown import END_OF_BODY, report

from ..studies import ON_TEST, few_shot, few_shot_accuracy, make_results, task_of

FIGURE = Figure("accuracy.png", "Top-1 accuracy. More.", b"png")


def page_of(**options: Any) -> str:
    results = few_shot(**options)
    published = read_published("few_shot")
    return report(results, build_table(results), [FIGURE], published, "python -m harness grid x")


@pytest.fixture(scope="module")
def page() -> str:
    return page_of()


def test_sections_are_in_order(page: str) -> None:
    titles = re.findall(r"^##? (.*)$", page, re.MULTILINE)
    assert titles == [
        "few_shot", "Leaderboard", "What is undecided", "Differences from random",
        "What carries the gain", "Further measures", "Which classes change", "Accuracy and cost",
        "Published numbers", "What is missing", "Method", "How to read this", "Cost and provenance",
    ]  # fmt: skip
    assert "**Answer.** random beats text_shuffled in " in page
    assert "![Top-1 accuracy](few_shot/accuracy.png)\n\n*Top-1 accuracy. More.*" in page


def test_tables_have_as_many_cells_as_their_header(page: str) -> None:
    widths: list[int] = []
    for line in page.splitlines():
        if line.startswith("|"):
            widths.append(len(re.findall(r"(?<!\\)\|", line)))
            assert widths[-1] == widths[0]
        else:
            widths = []


def test_the_body_is_the_same_whatever_the_machine(page: str) -> None:
    other = page_of(host="b", wall=77.0)
    assert other.split(END_OF_BODY)[0] == page.split(END_OF_BODY, maxsplit=1)[0]
    assert other.split(END_OF_BODY)[1] != page.split(END_OF_BODY)[1]
    assert "commit" not in page.split(END_OF_BODY, maxsplit=1)[0].lower()


def test_imported_numbers_are_in_their_own_section(page: str) -> None:
    published = page.split("## Published numbers\n")[1].split("\n## ", maxsplit=1)[0]
    assert "(imported)" in published
    assert "(imported)" not in page.replace(published, "")


def test_a_report_of_nothing_is_a_page() -> None:
    text = page_of(status=lambda _: "missing")
    assert "No entry is done yet." in text
    assert "24 entries are incomplete" in text or "of 24 entries are incomplete" in text


def test_a_choice_on_the_test_set_is_said_first() -> None:
    results = make_results(task_of(**ON_TEST), few_shot_accuracy)
    text = report(results, build_table(results), [], [], "x")
    assert text.startswith("# few_shot\n\n**Chosen on the test set.** The configurations")
    assert "best on the reported test set" in text
    assert "chosen on the test set" in text.split("Search budget")[1].split("\n")[0]
