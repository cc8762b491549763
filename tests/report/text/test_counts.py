"""Numbers of things in words, and no page that says `1 items`."""

from __future__ import annotations

import re

import pytest

from harness.core.cells import Cell
from harness.core.words import plural
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.report.render.markdown import report
from harness.report.text.counts import counted
from harness.report.text.details import details

from ..studies import few_shot_accuracy, make_results, task_of

#: One of something, and yet its plural; `1 of 5 seeds` is right.
WRONG = re.compile(
    r"(?<![\d.,/+-])\b1 (?:[a-z]+ ){0,2}?(?:seeds|items|groups|classes|rows|pairs|cells|draws|"
    r"columns|entries|samples|sets|epochs|configurations|shots|claims|comparisons|runs|views|others)\b"
)  # fmt: skip


@pytest.mark.parametrize(
    ("values", "noun", "text"),
    [([1], "seed", "1 seed"), ([1, 1], "class", "1 class"), ([5, 10, 7], "seed", "5 to 10 seeds"),
     ([1000], "item", "1,000 items"), ([0], "entry", "0 entries"), ([None], "group", "no groups"),
     ([], "pair", "no pairs"), ([1, 2], "class draw", "1 to 2 class draws"),
     ([None, 1], "row", "1 row")],
)  # fmt: skip
def test_a_count_in_words(values: list[int | None], noun: str, text: str) -> None:
    assert counted(values, noun) == text


@pytest.mark.parametrize(
    ("number", "noun", "text"),
    [(1, "class", "1 class"), (2, "class", "2 classes"), (3, "entry", "3 entries"),
     (2, "day", "2 days"), (0, "seed", "0 seeds"), (1, "entry", "1 entry")],
)  # fmt: skip
def test_the_plural_of_a_noun(number: int, noun: str, text: str) -> None:
    assert plural(number, noun) == text


def results_of(*, status: str = "done", **task: object) -> Results:
    """One item of one class in one group."""
    one = {"include": [], "classes": {"pick": 1, "from": "unseen"}, "shots": 1, **task}

    def of_cell(cell: Cell) -> str:
        return status if cell.seed == 0 else "done"

    return make_results(task_of(**one), few_shot_accuracy, n=1, n_classes=1, status=of_cell)


@pytest.mark.parametrize(
    "results",
    [
        results_of(seeds=1, classifier=["text", "random"]),
        results_of(seeds=1, classifier=["text"], report={"rows": "classifier"}),
        results_of(seeds=1, classifier=["text", "random"], status="failed"),
        results_of(seeds=1, classifier=["text", "random"], status="missing"),
        results_of(seeds=5, classifier=["text", "random", "orthogonal"], status="failed"),
        results_of(seeds=5, classifier=["text", "random", "orthogonal"]),
        results_of(seeds=5, classifier=["text", "random"], search={"recipe.lr": [1e-3]},
                   selection="val", val=1),
    ],
    ids=["one", "one-row", "failed", "missing", "one-failed", "one-item", "one-setting"],
)  # fmt: skip
def test_no_page_has_one_of_many(results: Results) -> None:
    table = build_table(results)
    page = report(results, table, [], [], "python -m harness grid x")
    pointed_at = "\n".join(text for row in details(table) for text in row)
    assert [match[0] for match in WRONG.finditer(f"{page}\n{pointed_at}")] == []


def test_the_pattern_finds_what_is_wrong_and_nothing_else() -> None:
    assert WRONG.findall("S = 1 seeds, 1 test items in 1 groups") == [
        "1 seeds", "1 test items", "1 groups",
    ]  # fmt: skip
    assert not WRONG.search("1 of 5 seeds, 1 seed, 11 seeds, 0.1 seeds, 2/1 runs, in column 1 shot")
