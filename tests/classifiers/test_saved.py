"""saved: the rows of saved weights as they are; tests/end_to_end begins from them."""

from __future__ import annotations

import pytest
import torch

from harness.classifiers import saved
from harness.core.errors import BadInput
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import PLAIN, cell, facts


def test_it_is_the_saved_w_and_a_copy() -> None:
    before_CD = torch.tensor([[3.0, 4.0], [0.0, 2.0]])
    inputs = ClassifierInputs(2, 2, torch.Generator(), saved_CD=before_CD)
    w_CD = saved.build(inputs, PLAIN)
    assert torch.equal(w_CD, before_CD)
    w_CD.zero_()
    assert before_CD[0, 0] == 3


def test_without_init_there_is_no_w() -> None:
    with pytest.raises(BadInput, match="name them under init"):
        saved.check(cell("saved"), facts())
