"""The answer: significant differences, undecided ones, and what is missing."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.table import build_table
from harness.report.text.answer import answer
from harness.stats import family

from ..studies import few_shot, few_shot_accuracy, make_results, name_of, task_of

TWO: dict[str, Any] = {"classifier": ["text", "random"], "include": []}


def answer_of(**options: Any) -> str:
    return answer(build_table(few_shot(**options)))


def test_one_column_has_the_rows_that_the_reference_beats_first() -> None:
    text = answer_of(task={"shots": 2})
    assert re.search(r"random beats text_shuffled by [\d.]+ points \[[\d., ]+\] \(adjusted p", text)
    assert re.search(r"prototype beats random by [\d.]+ points \[[\d., ]+\] \(adjusted p", text)
    assert text.index("random beats") < text.index("beats random")


def test_an_undecided_difference_is_not_called_equal() -> None:
    text = answer_of(task={"shots": 1})
    assert "equal" not in text
    undecided = re.findall(r"([^;]*) do(?:es)? not differ significantly from random", text)
    assert undecided
    assert all(re.search(r"orthogonal \([+-]?[\d.]+, adjusted p = [\d.]+\)", u) for u in undecided)
    assert re.search(
        r"\(smallest detectable differences?: [\d.]+( to (over )?[\d.]+)? points\)", text
    )


def sentences(text: str) -> list[str]:
    return re.findall(r"[^ ].*?\.(?= |$)", text)


def test_columns_are_counted_and_all_is_said_in_three_sentences() -> None:
    table = build_table(few_shot())
    text = answer(table)
    assert len(sentences(text)) == 1
    won = [c for c in table.against if c.contrast.a == "text_shuffled" and family.sign(c.contrast)]
    names = " and ".join(c.column.label for c in won)
    assert f"random beats text_shuffled in {len(won)} of 3 columns ({names}; by " in text
    undecided = sum(not family.sign(c.contrast) for c in table.against)
    assert f"; {undecided} of {len(table.against)} comparisons are undecided." in text


def test_without_a_reference_the_best_rows_of_columns_are_counted() -> None:
    accuracy = {1: "text", 2: "text", 4: "prototype"}
    task = task_of(report={"rows": "classifier"}, classifier=["text", "prototype", "lda"],
                   include=[])  # fmt: skip
    results = make_results(task, lambda c: 0.9 if accuracy[c.shots or 0] == name_of(c) else 0.3)
    assert answer(build_table(results)) == (
        " The highest mean is that of text in 2 of 3 columns (1 shot and 2 shots) and prototype in "
        "1 of 3 columns (4 shots); every other row is significantly worse."
    )
    even = answer(build_table(make_results(task, lambda c: 0.5, n=40)))
    assert even == " The highest mean is that of text, prototype and lda alike in 3 of 3 columns."
    close = {"text": 0.5, "prototype": 0.49, "lda": 0.48}
    near = answer(build_table(make_results(task, lambda c: close[name_of(c)], n=200)))
    assert near == (
        " The highest mean is that of text in 3 of 3 columns; 2 other rows are not significantly "
        "worse; in no column significantly worse: text, prototype and lda."
    )


def test_of_many_rows_that_differ_the_first_four_are_named() -> None:
    report = {"rows": "classifier", "columns": "shots", "reference": "text"}
    task = task_of(**MANY | {"shots": [1, 2]}, report=report)
    text = answer(build_table(make_results(task, lambda c: 0.9 if name_of(c) == "text" else 0.3)))
    assert " and 7 other rows." in text
    assert text.count(" of 2") == 4


def test_few_seeds_over_columns_are_descriptive_with_their_range() -> None:
    text = answer_of(task={**TWO, "seeds": 3})
    assert re.fullmatch(
        r" The comparisons are descriptive \(a p-value needs 5 seeds\), with differences of "
        r"\+[\d.]+ to \+[\d.]+ points\.",
        text,
    )


def test_fewer_than_five_seeds_are_descriptive() -> None:
    text = answer_of(task={**TWO, "seeds": 3, "shots": 1})
    assert re.fullmatch(
        r" At 1 shot, the difference from random is descriptive \(3 seeds, a p-value needs 5; "
        r"in points: text \+[\d.]+ \[.*\]\)\.",
        text,
    )
    assert "(one seed: nothing is known about new seeds; in points: " in answer_of(
        task={**TWO, "seeds": 1, "shots": 1}
    )
    report = {"rows": "classifier", "reference": "random"}
    full = {**TWO, "regime": "full", "shots": None, "seeds": 3, "report": report}
    results = make_results(task_of(**full), lambda _: 0.5)
    assert answer(build_table(results)).startswith(" The difference from random is descriptive")


def test_without_a_reference_the_best_row_is_named() -> None:
    report = {"rows": "classifier"}
    text = answer_of(task={"report": report, "shots": 4})
    assert re.match(r" At 4 shots, (prototype|text) has the highest mean, [\d.]+ points \[", text)
    assert re.search(r"(is|are) not significantly worse", text)
    assert "it beats " in text
    few = answer_of(task={**TWO, "report": report, "shots": 4, "seeds": 3})
    assert few.endswith("; the rows cannot be ranked.")


@pytest.mark.parametrize(("margin", "size"), [(4, "4"), (4.5, "4.5")])
def test_what_is_within_the_margin(margin: float, size: str) -> None:
    """Rows 1.5, 0 and 15 points from the reference, measured in one accuracy per row."""
    task = task_of(
        classifier=["text", "random", "orthogonal", "lda"], shots=4, include=[],
        report={"rows": "classifier", "reference": "random", "margin": margin},
    )  # fmt: skip
    shares = {"text": 0.65, "random": 0.5, "orthogonal": 0.5, "lda": 0.5}
    results = make_results(task, lambda c: shares[name_of(c)], n=4000)
    text = answer(build_table(results))
    assert f"orthogonal and lda are equivalent to random within {size} points" in text
    assert "text is" not in text, "a difference beyond the margin is said once"
    open_task = task.model_copy(update={"report": task.report.model_copy(update={"margin": 0.01})})
    undecided = answer(build_table(make_results(open_task, lambda c: shares[name_of(c)], n=4000)))
    assert "orthogonal and lda are undecided: neither different from random nor equivalent within "\
        "0.01 points" in undecided  # fmt: skip
    wide = answer(build_table(make_results(
        task.model_copy(update={"report": task.report.model_copy(update={"margin": 30})}),
        lambda c: shares[name_of(c)], n=4000)))  # fmt: skip
    assert "the difference of text from random is within 30 points all the same" in wide


def test_the_best_row_and_class_draws_with_a_margin() -> None:
    report = {"rows": "classifier", "margin": 60}
    best = answer_of(task={"report": report, "shots": 4})
    assert "equivalent to " in best
    assert " within 60 points" in best
    draws = answer_of(
        task={**TWO, "class_seed": [0, 1], "shots": 1, "report": report | {"reference": "random"}}
    )
    assert draws.endswith("; 1 of 1 is equivalent within 60 points in every draw.")


def test_many_beaten_rows_are_counted() -> None:
    task = task_of(report={"rows": "classifier"}, shots=1)
    results = make_results(task, lambda c: 0.9 if name_of(c) == "text" else 0.3)
    assert "it beats the other 7 rows (adjusted p at most 0.05)" in answer(build_table(results))


def test_incomplete_entries_are_counted() -> None:
    def late(cell: Cell) -> str:
        return "missing" if (name_of(cell), cell.shots, cell.seed) == ("text", 1, 0) else "done"

    text = answer_of(task=TWO, status=late)
    assert text.endswith("; 1 of 6 entries is incomplete; its column has no ranks.")
    text = answer_of(task=TWO, status=lambda c: "missing" if name_of(c) == "text" else "done")
    assert text == " 3 of 6 entries are incomplete; their columns have no ranks."


def test_class_draws_agree_or_not() -> None:
    text = answer_of(task={**TWO, "class_seed": [0, 1, 2, 3], "shots": 1})
    assert re.fullmatch(
        r" In each of 4 class draws, text beats random by [\d.]+ to [\d.]+ points\.", text
    )
    one = {"0": 0.9, "1": 0.9, "2": 0.9, "3": 0.3}
    task = task_of(**TWO | {"class_seed": [0, 1, 2, 3], "shots": 1})
    split = make_results(task, lambda c: one[str(c.class_seed)] if name_of(c) == "text" else 0.5)
    assert answer(build_table(split)) == (
        " Over 4 class draws, 1 of 1 comparison is not significant in the same direction in every "
        "draw."
    )


@pytest.mark.parametrize(
    ("changes", "starts"),
    [
        ({"shots": 1}, "At 1 shot, "),
        ({"dataset": ["folder:a", "folder:b"], "shots": 1}, "text beats random in 2 of 2 columns"),
        ({"regime": "full", "shots": None}, " text beats random by "),
    ],
)
def test_a_sentence_names_its_column(changes: dict[str, Any], starts: str) -> None:
    report = {"rows": "classifier", "reference": "random"}
    task = task_of(**TWO | changes | {"report": report})
    results = make_results(task, lambda c: 0.8 if name_of(c) == "text" else 0.3)
    assert answer(build_table(results)).strip().startswith(starts.strip())


def test_nothing_to_compare() -> None:
    results = make_results(task_of(), few_shot_accuracy, cells=[])
    assert answer(build_table(results)) == " Nothing can be compared yet."


#: Twelve rows, of which one may be worse.
MANY: dict[str, Any] = {
    "classifier": [
        "text", "random", "orthogonal", "text_rotated", "text_shuffled", "prototype", "hadamard",
        "simplex_etf", "kaiming", "gram_matched", "ss_text", "text_whitened",
    ],
    "shots": 1, "include": [],
}  # fmt: skip


def answer_of_many(accuracy: Callable[[Cell], float], reference: str | None) -> str:
    report = {"rows": "classifier", "columns": "shots", "reference": reference}
    return answer(build_table(make_results(task_of(**MANY, report=report), accuracy)))


def test_of_many_ties_the_best_four_are_named() -> None:
    """In the order of their means, the best first."""
    best_first = list(reversed(MANY["classifier"]))

    def accuracy(cell: Cell) -> float:
        return 0.6 - 0.005 * best_first.index(name_of(cell))

    text = answer_of_many(accuracy, None)
    named = "ss_text, gram_matched, kaiming, simplex_etf and "
    assert "text_whitened has the highest mean" in text
    assert f"; {named}" in text
    assert re.search(r"simplex_etf and \d other rows are not significantly worse", text)


def test_of_many_wins_and_undecided_rows_the_first_four_are_named() -> None:
    wins = answer_of_many(lambda c: 0.2 if name_of(c) == "text" else 0.6, "text")
    assert (wins.count("beats"), wins.count("does so by")) == (1, 3)
    assert re.search(r"and 7 other rows by \d+\.\d(?: to \d+\.\d)?", wins)
    even = answer_of_many(lambda c: 0.5, "text")
    assert " and 7 other rows do not differ significantly from text" in even


def base_to_new_of(**task: Any) -> str:
    """Text is ahead of random on new classes alone."""

    def accuracy(cell: Cell) -> float:
        if cell.test_classes == "base":
            return 0.6
        return 0.55 if name_of(cell) == "text" else 0.2

    changes = {
        "classifier": ["text", "random"], "include": [], "train_classes": "half:0",
        "test_classes": ["base", "new"], "seeds": 8,
        "report": {"rows": "classifier", "reference": "random"}, **task,
    }  # fmt: skip
    results = make_results(
        task_of(**changes), accuracy, test_name=lambda c: f"{c.dataset} {c.test_classes}",
        n_classes=50, n=1000,
    )  # fmt: skip
    return answer(build_table(results))


def test_h_of_base_and_new_comes_first() -> None:
    text = base_to_new_of(shots=[1, 4])
    assert text.startswith(
        " In H, the harmonic mean of base and new, text beats random in 2 of 2 columns (by "
    )
    columns = "(1 shot · new and 4 shots · new; by 35.0 points)"
    assert f" In accuracy, text beats random in 2 of 4 columns {columns}" in text
    assert text.count(". ") == 1


def test_h_of_one_column_has_its_interval() -> None:
    text = base_to_new_of(shots=1)
    assert re.match(r" In H, the [^,]*, text beats random by \d+\.\d points \[", text)


def test_there_are_no_more_than_three_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of more, single columns are left out first, and then what `report.within` changes."""
    said = {"claims_sentence": "C.", "_of_harmonic": "H.", "_of_means": "M.", "_of_columns": "X.",
            "within_sentence": "W."}  # fmt: skip
    module = importlib.import_module("harness.report.text.answer")
    for name, text in said.items():
        monkeypatch.setattr(module, name, lambda *_, text=text: text)
    table = build_table(few_shot())
    assert answer(table) == " C. H. M."
    monkeypatch.setattr(module, "claims_sentence", lambda *_: "")
    assert answer(table) == " H. M. W."
    monkeypatch.setattr(module, "_of_harmonic", lambda *_: "")
    assert answer(table) == " M. X. W."
