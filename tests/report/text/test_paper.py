"""The sentences about the paper's claims."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cells import Cell
from harness.report.model.claims import JudgedClaim, adjust_page
from harness.report.model.paper import PaperPart
from harness.report.model.table import build_table
from harness.report.text.paper import declared_in, opening, reading, relation, verdict_list
from harness.task.declared import Declaration

from ..studies import few_shot, few_shot_accuracy, make_results, name_of, task_of

ANALOGUE = {"relation": "analogue", "why": "Drawings | stand for videos."}


def claim(a: str, b: str, **more: Any) -> dict[str, Any]:
    return {"text": f"{a} and {b}", "a": a, "b": b, "direction": ">", **more}


def part(name: str = "table01_embedded", **task: Any) -> PaperPart:
    claims = [claim("text", "random"), claim("random", "orthogonal"), claim("lda", "random")]
    changes = {"name": name, "shots": 1, "claims": claims, "embedded": ANALOGUE} | task
    results = few_shot(task=changes)
    return PaperPart(results.task, results, build_table(results))


def judged_of(*claims: dict[str, Any], **options: Any) -> list[JudgedClaim]:
    results = make_results(task_of(shots=1, claims=list(claims)), few_shot_accuracy, **options)
    judged = PaperPart(results.task, results, build_table(results)).judged()
    return adjust_page([judged])[0]


def page_of(parts: list[PaperPart]) -> list[list[JudgedClaim]]:
    return adjust_page([p.judged() for p in parts])


def test_the_opening_counts_what_was_run_and_tested() -> None:
    parts = [part(), part("table02")]
    text = opening(parts, page_of(parts))
    assert text.startswith(
        "Tables and figures: 2 (1 analogue and 1 the same study). Claims: 6, of which 4 are tested "
    )
    assert "not refuted for the paper's setting" in text
    assert "Holm's correction over all claims of this page (m = 2). 2 of the 4 tests repeat" in text


def test_every_verdict_says_where() -> None:
    parts = [part(), part("table02")]
    text = verdict_list(parts, page_of(parts))
    supported = "- **supported:** 2 claims, 1 different comparison (1 of Table 1 and 1 of Table 2)."
    assert supported in text
    assert "- **not tested:** 2 claims (1 of Table 1 and 1 of Table 2)." in text


def test_claims_and_comparisons_are_counted_apart_only_where_they_differ() -> None:
    parts = [part()]
    assert "- **supported:** 1 claim (1 of Table 1)." in verdict_list(parts, page_of(parts))


def test_an_analogue_says_why_and_the_study_itself_does_not() -> None:
    assert relation(part()) == "Here: **analogue**. Drawings \\| stand for videos."
    assert relation(part("table01")) == "Here: **the same study**"


def test_what_was_not_run_says_why() -> None:
    task = task_of(name="table01", embedded=ANALOGUE)
    assert relation(PaperPart(task, why_not="no folder")).endswith("\n\n**not run:** no folder")


def test_the_opening_says_that_some_claims_are_variants() -> None:
    text = opening([part()], page_of([part()]))
    assert "Some are variants of ours, which the paper does not claim" in text


def test_the_reading_names_units_test_and_the_level_of_the_page() -> None:
    text = reading(judged_of(claim("text", "random"), claim("random", "orthogonal")))
    assert text == (
        "Accuracies in points; the difference is first minus second. Test: two-way random effects. "
        "Smallest detectable: the true difference in points that is found with a power of 80% at "
        "0.05/2, the level of one of this page's comparisons."
    )


def test_the_reading_says_which_p_a_claim_of_equality_has() -> None:
    equal = claim("random", "orthogonal", direction="=", margin=2)
    text = reading(judged_of(equal))
    assert "; of a claim of equality, the margin within which two equal rows" in text
    assert text.endswith("that it is beyond it; the row says which.")
    without = reading(judged_of({k: v for k, v in equal.items() if k != "margin"}))
    assert "claim of equality" not in without


def test_losses_are_in_nats_and_have_no_smallest_detectable_difference() -> None:
    judged = judged_of(
        claim("text", "random", measure="loss"), curve=lambda c: [1.0 + 0.1 * (c.seed or 0), 0.5]
    )
    text = reading(judged)
    assert text.startswith("Mean training losses of all epochs in nats; ")
    assert "  " not in text
    assert (
        "Claims about losses generalise over seeds only: these classes and training sets are fixed "
        "(estimand E1)."
    ) in text
    assert "Smallest detectable" not in text
    assert reading(judged_of(claim("lda2", "random"))) == ""


def test_what_is_the_same_in_every_seed_says_which_p_it_can_have() -> None:
    """Of 2^S patterns of signs two are as extreme."""
    steps = claim("text", "random", measure="steps", target=1.0)

    def curve(cell: Cell) -> list[float]:
        return [2.0, 0.9, 0.8] if name_of(cell) == "random" else [0.9, 0.8, 0.7]

    (j,) = judged_of(steps, curve=curve)
    assert j.p == 2 / 2**5
    text = reading([j])
    assert "the smallest p, before it is adjusted, is 0.062 for 5 seeds." in text
    assert "signs are flipped" not in reading(judged_of(claim("text", "random")))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        (Declaration("ab12"), "tasks/ (content ab12)."),
        (Declaration("ab12", "0123456789abc", "2026-01-02"), "commit 0123456789 of 2026-01-02 ("),
        (Declaration("ab12", "0123456789abc", "2026-01-02", changed=True), "**with changes that"),
    ],
)
def test_the_page_names_the_version_of_the_tasks(declared: Declaration, said: str) -> None:
    assert said in declared_in(declared)
