"""vision_text: W from the registry; frozen, trained, or released at an epoch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.errors import CellError
from harness.core.protocols.plugin import NoOptions
from harness.paradigms import vision_text

from .inputs import B, C, D, inputs, noise


def head(**changes: Any) -> vision_text.VisionTextHead:
    return vision_text.build(inputs(**changes), NoOptions())


def test_the_loss_is_the_cross_entropy_of_the_logits() -> None:
    z_BD, y_B = noise(B, D), torch.tensor([0, 1, 5, 3, 3])
    own = head()
    log_likelihood_B = own.logits(z_BD).log_softmax(dim=1)[torch.arange(B), y_B]
    torch.testing.assert_close(own.loss(z_BD, y_B), -log_likelihood_B.mean())
    assert not own.whole_batch


def test_rows_begin_at_length_one_unless_their_length_counts() -> None:
    w_CD = inputs().w_CD
    assert w_CD is not None
    torch.testing.assert_close(head().weight(), F.normalize(w_CD, dim=-1))
    torch.testing.assert_close(head(normalise=False).weight(), w_CD)


def test_a_saved_head_comes_back_exactly() -> None:
    """Trained rows are not of length 1, and the next step depends on their length."""
    before = head(schedule="trained")
    with torch.no_grad():
        for tensor in before.pretrained():  # the logarithm of the scale, and W
            tensor.mul_(1.37)
    state = before.state()
    scale = state["logit_scale"].item()
    inputs_of = inputs(w_CD=state["classifier"], saved=state, schedule="trained")
    after = vision_text.build(replace(inputs_of, logit_scale=scale), NoOptions())
    for new, old in zip(after.pretrained(), before.pretrained(), strict=True):
        assert torch.equal(new, old)


def trained(own: vision_text.VisionTextHead) -> bool:
    return any(tensor.shape == (C, D) and tensor.requires_grad for tensor in own.pretrained())


def test_a_frozen_classifier_is_not_trained_and_a_trained_one_is() -> None:
    assert not trained(head())
    assert not trained(head(schedule="frozen"))
    assert trained(head(schedule="trained"))
    assert head(schedule="trained").new() == []


def test_a_released_classifier_is_trained_from_its_epoch_on() -> None:
    own = head(schedule="released:2")
    seen = []
    for epoch in range(4):
        own.begin_epoch(epoch)
        seen.append(trained(own))
    assert seen == [False, False, True, True]


def test_the_initial_classifier_itself_is_not_changed() -> None:
    given = inputs(normalise=False, schedule="trained")
    assert given.w_CD is not None
    before_CD = given.w_CD.clone()
    own = vision_text.build(given, NoOptions())
    with torch.no_grad():
        own.pretrained()[1].add_(1.0)
    assert torch.equal(given.w_CD, before_CD)


@pytest.mark.parametrize("value", [0.0, float("nan")])
def test_a_row_without_a_direction_is_named(value: float) -> None:
    w_CD = noise(C, D)
    w_CD[3] = value
    with pytest.raises(CellError, match="has no direction for class number 3"):
        head(w_CD=w_CD)


def test_it_needs_a_classifier() -> None:
    with pytest.raises(CellError, match="needs a classifier"):
        head(w_CD=None)
