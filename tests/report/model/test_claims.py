"""Claims of the paper, judged on made-up Records."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from harness.core.cells import Cell
from harness.report.model import claims
from harness.report.model.claims import JudgedClaim, adjust_page, comparisons, judge
from harness.report.model.results import Results
from harness.report.model.table import build_table
from harness.stats.equivalence import beyond_p, equivalence_p
from harness.stats.paired_t import paired_t

from ..studies import few_shot_accuracy, make_results, no_lda_at_one, task_of


def claim(a: str, b: str, **more: Any) -> dict[str, Any]:
    return {"text": f"{a} and {b}", "a": a, "b": b, "direction": ">", **more}


def results_of(*claimed: dict[str, Any], seeds: int = 5, **more: Any) -> Results:
    shots = more.pop("shots", 1)
    return make_results(
        task_of(claims=list(claimed), shots=shots, seeds=seeds), few_shot_accuracy, **more
    )


def judged(*claimed: dict[str, Any], **more: Any) -> list[JudgedClaim]:
    results = results_of(*claimed, **more)
    (found,) = adjust_page([judge(results, build_table(results))])
    return found


def verdicts(*claimed: dict[str, Any], **more: Any) -> list[str]:
    return [j.verdict for j in judged(*claimed, **more)]


def test_a_large_difference_decides_in_either_direction() -> None:
    assert verdicts(claim("text", "random"), claim("random", "text")) == [
        claims.SUPPORTED, claims.CONTRADICTED,
    ]  # fmt: skip


def test_a_small_difference_has_a_direction_and_no_verdict() -> None:
    found = judged(claim("random", "orthogonal"), claim("orthogonal", "random"))
    first, second = (j.contrast for j in found)
    assert first is not None
    assert second is not None
    assert first.difference == -second.difference
    assert {j.verdict for j in found} == {claims.UNDECIDED}


def equal(a: str, b: str, margin: float | None) -> dict[str, Any]:
    return claim(a, b, direction="=", **({"margin": margin} if margin else {}))


def test_equality_is_confirmed_within_its_margin_and_contradicted_beyond_it() -> None:
    """Random and orthogonal are about equal; text is 10 points above random."""
    assert verdicts(equal("random", "orthogonal", 20)) == [claims.EQUIVALENT]
    assert verdicts(equal("text", "random", 2)) == [claims.CONTRADICTED]
    assert verdicts(equal("text", "random", 10)) == [claims.UNDECIDED]
    assert verdicts(equal("random", "orthogonal", 0.1)) == [claims.UNDECIDED]


def test_a_claim_of_equality_says_whether_its_p_is_that_of_inside_the_margin() -> None:
    inside, beyond, open_, above = judged(
        equal("random", "orthogonal", 20), equal("text", "random", 2), equal("text", "random", 9),
        claim("text", "random"),
    )  # fmt: skip
    assert (inside.is_inside, inside.verdict) == (True, claims.EQUIVALENT)
    assert (beyond.is_inside, beyond.verdict) == (False, claims.CONTRADICTED)
    assert open_.contrast is not None
    of_inside = equivalence_p(open_.contrast, 0.09)
    of_beyond = beyond_p(open_.contrast, 0.09)
    assert of_inside is not None
    assert of_beyond is not None
    assert open_.p == min(of_inside, of_beyond)
    assert open_.is_inside == (of_inside < of_beyond)
    assert not above.is_inside


def test_without_a_margin_equality_can_only_be_contradicted() -> None:
    assert verdicts(equal("random", "orthogonal", None), equal("text", "random", None)) == [
        claims.UNDECIDED, claims.CONTRADICTED,
    ]  # fmt: skip


def test_an_exact_tie_has_no_direction() -> None:
    results = make_results(task_of(claims=[claim("text", "random")], shots=1), lambda _: 0.5)
    ((found,),) = adjust_page([judge(results, build_table(results))])
    if found.contrast is not None and found.contrast.difference == 0:
        assert found.is_tie
    assert found.verdict == claims.UNDECIDED


def test_p_is_adjusted_over_the_claims_of_the_page() -> None:
    """Holm by hand, over two tables: the smallest of m is multiplied by m."""
    parts = [results_of(claim("text", "random")), results_of(claim("random", "orthogonal"))]
    page = adjust_page([judge(results, build_table(results)) for results in parts])
    p = [j.p for of_part in page for j in of_part if j.p is not None]
    assert len(p) == comparisons(j for of_part in page for j in of_part) == 2
    found = page[int(p[1] < p[0])][0]
    assert found.p_adjusted == pytest.approx(min(1.0, 2 * min(p)))


def test_one_comparison_counts_once_whichever_row_is_first() -> None:
    claimed = [claim("text", "random"), claim("random", "text"), claim("text", "random")]
    found = judged(*claimed)
    assert comparisons(found) == 1
    assert {j.m for j in found} == {1}
    assert [j.p_adjusted for j in found] == [j.p for j in found]
    assert comparisons(judged(*claimed, equal("text", "random", 2))) == 2


def test_the_p_of_a_claim_is_that_of_the_table() -> None:
    results = results_of(claim("text", "random"), claim("random", "text"))
    table = build_table(results)
    of_table = {frozenset((c.contrast.a, c.contrast.b)): c.contrast.p for c in table.pairs}
    for found in judge(results, table):
        assert found.p == of_table[frozenset(("text", "random"))]


def test_a_claim_without_a_column_covers_every_column_that_has_both_rows() -> None:
    found = judged(claim("lda", "random"), shots=[1, 2, 4], infeasible=no_lda_at_one)
    assert [j.column for j in found] == ["2 shots", "4 shots"]
    found = judged(claim("lda", "random", column="2 shots"), shots=[1, 2, 4])
    assert [j.column for j in found] == ["2 shots"]
    found = judged(claim("text", "random", where={"shots": [1, 4]}), shots=[1, 2, 4])
    assert [j.column for j in found] == ["1 shot", "4 shots"]


def test_what_was_not_tested_says_why() -> None:
    found = judged(
        claim("lda", "random"), claim("text", "lda2"), claim("text", "random", column="9 shots"),
        infeasible=no_lda_at_one,
    )  # fmt: skip
    assert [j.verdict for j in found] == [claims.UNTESTED] * 3
    assert [j.why_not for j in found] == [
        "lda: lda needs 2 samples a class, shots is 1",
        "the table has no row 'lda2'",
        "the table has no column '9 shots'",
    ]


@pytest.mark.parametrize("state", ["missing", "failed"])
def test_cells_that_are_not_done_leave_the_claim_open(state: str) -> None:
    def status(cell: Cell) -> str:
        late = cell.seed == 3 and cell.classifier is not None and cell.classifier.name == "text"
        return state if late else "done"

    found = judged(claim("text", "random"), status=status)
    assert [j.verdict for j in found] == [claims.UNTESTED]
    assert found[0].why_not.startswith("text: ")


def test_fewer_than_five_seeds_decide_nothing() -> None:
    assert verdicts(claim("text", "random"), seeds=3) == [claims.DESCRIPTIVE]


def test_the_loss_is_the_mean_over_epochs_by_seed() -> None:
    def curve(cell: Cell) -> list[float]:
        start = 4.0 if cell.classifier is None else 2.0
        assert cell.seed is not None
        return [start + 0.1 * cell.seed * (cell.classifier is None), 1.0]

    (found,) = judged(claim("vision_only", "text", measure="loss"), curve=curve)
    assert (found.a, found.b) == (pytest.approx(2.6), pytest.approx(1.5))
    by_hand = paired_t(np.array([1.0 + 0.05 * seed for seed in range(5)])).t
    assert found.contrast is not None
    assert found.contrast.low == pytest.approx(by_hand.low)
    assert found.contrast.p == pytest.approx(by_hand.p)
    assert found.contrast.estimand == "E1"
    assert found.verdict == claims.SUPPORTED


def test_steps_to_a_target_are_compared_as_a_ratio() -> None:
    """Two rows of 4 epochs, of which one needs half of the epochs, in every seed but the last."""

    def curve(cell: Cell) -> list[float]:
        fast = cell.classifier is not None and cell.classifier.name == "text"
        late = cell.seed == 4
        return [3.0, 0.9, 0.5, 0.4] if fast and not late else [3.0, 2.0, 1.9, 0.9]

    (found,) = judged(claim("vision_only", "text", measure="steps", target=1.0), curve=curve)
    by_hand = paired_t(np.log([2.0, 2.0, 2.0, 2.0, 1.0])).t
    assert found.contrast is not None
    assert by_hand is not None
    assert found.contrast.difference == pytest.approx(by_hand.mean)
    assert found.p == pytest.approx(by_hand.p)
    assert (found.a, found.b) == (pytest.approx(4.0), pytest.approx(2 * 2**0.2))
    assert found.verdict == claims.SUPPORTED


def test_a_target_that_a_seed_does_not_reach_leaves_the_claim_open() -> None:
    def curve(cell: Cell) -> list[float]:
        return [3.0, 2.0] if cell.classifier is None and cell.seed == 2 else [3.0, 0.5]

    (found,) = judged(claim("vision_only", "text", measure="steps", target=1.0), curve=curve)
    assert found.verdict == claims.UNTESTED
    assert found.why_not == "the loss of vision_only did not come to 1 nats in 1 of 5 seeds"


def test_without_curves_there_is_no_loss_to_compare() -> None:
    (found,) = judged(claim("vision_only", "text", measure="loss"))
    assert found.why_not == "fewer than two seeds have a loss"


def test_a_trained_map_correlates_more_with_the_texts_than_a_random_one() -> None:
    found = judged(
        claim("vision_only", "random", measure="correlation"),
        claim("text", "random", measure="correlation"),
        claim("orthogonal", "random", measure="correlation"),
        weights=True,
    )
    assert [j.verdict for j in found] == [claims.SUPPORTED, claims.SUPPORTED, claims.UNTESTED]
    assert found[1].a == pytest.approx(1.0)
    assert found[2].why_not == "fewer than two seeds have a correlation"


def test_maps_need_a_text_row() -> None:
    one = claim("vision_only", "random", measure="correlation")
    task = task_of(claims=[one], shots=1, classifier=["random"], report={})
    results = make_results(task, few_shot_accuracy, weights=True)
    (found,) = judge(results, build_table(results))
    assert found.verdict == claims.UNTESTED
