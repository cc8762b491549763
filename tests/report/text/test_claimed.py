"""The sentence of the answer about steps, losses and correlations."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell
from harness.report.model.other_claims import other_claims
from harness.report.model.table import build_table
from harness.report.render.markdown import body
from harness.report.text.answer import answer
from harness.report.text.claimed import claims_sentence

from ..studies import few_shot, name_of

STEPS = {"text": "x", "a": "vision_only", "b": "text", "direction": ">", "measure": "steps",
         "target": 1.0}  # fmt: skip
LOSS = {"text": "x", "a": "vision_only", "b": "text", "direction": ">", "measure": "loss"}
MAPS = {"text": "x", "a": "vision_only", "b": "random", "direction": ">", "measure": "correlation"}


def curve(cell: Cell) -> list[float]:
    """Text needs 4 steps, vision-only 2 (3 at the last seed)."""
    fast, late = name_of(cell) == "vision_only", cell.seed == 4
    return [3.0, 2.0, 0.9, 0.8] if fast and late else [3.0, 0.9, 0.8, 0.7] if fast else [
        3.0, 2.0, 1.9, 0.9]  # fmt: skip


def said(*claims: dict[str, Any], **options: Any) -> str:
    task = {"shots": 1, "claims": list(claims)} | options.pop("task", {})
    results = few_shot(task=task, **options)
    return claims_sentence(other_claims(results, build_table(results)))


def test_steps_have_their_ratio_and_interval() -> None:
    text = said(STEPS, curve=curve)
    assert text.startswith(
        "To a training loss of 1 nats, vision_only takes 2 steps and text 4 "
        "(0.54 times [0.43, 0.68]"
    )
    assert text.endswith("): the claim that vision_only takes more is contradicted.")
    assert ", p < 0.001)" in text or ", p = 0.00" in text


def test_a_ratio_that_is_the_same_in_every_seed_has_no_interval_and_says_so() -> None:
    def even(cell: Cell) -> list[float]:
        return [3.0, 0.9] if name_of(cell) == "vision_only" else [3.0, 2.0, 2.0, 0.9]

    assert "(0.50 times in every seed, p = 0.062)" in said(STEPS, curve=even)


def test_losses_and_correlations_have_their_difference() -> None:
    text = said(LOSS, curve=curve)
    assert text.startswith("The training loss, mean over all epochs, is 1.")
    assert "nats for vision_only and 1.95" in text
    assert text.endswith("): the claim that it is higher for vision_only is contradicted.")
    text = said(MAPS, weights=True)
    assert text.startswith(
        "The cosines between trained class weights correlate with those between the texts with r = "
    )
    assert "(difference +0." in text
    assert text.endswith("the claim that vision_only is closer to the texts is supported.")


def test_several_claims_are_one_sentence_and_name_their_column() -> None:
    text = said(STEPS, LOSS, LOSS | {"b": "random"}, curve=curve)
    assert text.count(". ") == 0
    assert "p adjusted over 3 claims" in text
    assert text.endswith("; 1 further claim: 1 contradicted.")
    text = said(STEPS, curve=curve, task={"shots": [1, 2]})
    assert text.startswith("At 1 shot, to a training loss")
    assert "; at 2 shots, to a training loss" in text


def test_without_a_test_it_says_why() -> None:
    assert said(STEPS) == (
        "The training steps of vision_only and text are not compared (fewer than two seeds have a "
        "training loss)."
    )
    few = said(STEPS, curve=curve, task={"seeds": 3})
    assert few.endswith("): the claim that vision_only takes more has too few seeds for a test.")


def test_the_answer_begins_with_what_the_task_claims() -> None:
    results = few_shot(task={"shots": 1, "claims": [STEPS]}, curve=curve)
    table = build_table(results)
    claims = other_claims(results, table)
    text = answer(table, claims)
    assert text.startswith(f" {claims_sentence(claims)} In accuracy, at 1 shot, ")
    assert f"**Answer.**{text}\n" in body(results, table, [], [])
