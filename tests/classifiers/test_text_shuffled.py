"""text_shuffled: every class has the text of another."""

from __future__ import annotations

import pytest
import torch

from harness.classifiers import text_shuffled

from .inputs import PLAIN, cell, facts, inputs


@pytest.mark.parametrize("seed", range(20))
def test_it_is_the_text_and_no_class_keeps_its_own(text_CD: torch.Tensor, seed: int) -> None:
    w_CD = text_shuffled.build(inputs(text_CD, seed), PLAIN)
    same_CC = (w_CD[:, None] == text_CD[None]).all(dim=-1)
    assert same_CC.sum(dim=0).eq(1).all()
    assert not same_CC.diagonal().any()


def test_one_class_is_infeasible() -> None:
    assert text_shuffled.check(cell("text_shuffled"), facts()) is None
    reason = text_shuffled.check(cell("text_shuffled"), facts(n_classes=1))
    assert reason == "one class cannot be given another's text"
