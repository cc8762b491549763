"""Scaled cosines: the logits, the scale, and rows that are put in."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from harness.paradigms._cosine_head import CosineHead

from .inputs import SCALE, B, C, D, noise


def head(**settings: bool) -> CosineHead:
    return CosineHead(noise(C, D, seed=1), SCALE, **({"train_scale": True} | settings))


def test_logits_are_the_scaled_cosine() -> None:
    z_BD = noise(B, D)
    expected = SCALE * F.normalize(z_BD, dim=-1) @ F.normalize(head().weight(), dim=-1).T
    torch.testing.assert_close(head().logits(z_BD), expected, atol=1e-5, rtol=1e-5)


def test_without_normalisation_the_length_of_a_row_counts() -> None:
    z_BD, own = noise(B, D), head(normalise=False)
    expected = SCALE * F.normalize(z_BD, dim=-1) @ own.weight().T
    torch.testing.assert_close(own.logits(z_BD), expected, atol=1e-5, rtol=1e-5)


def test_the_scale_is_trained_as_its_logarithm_where_that_is_asked() -> None:
    (log_scale,) = head().pretrained()
    assert float(log_scale.detach()) == torch.tensor(math.log(SCALE))
    assert log_scale.requires_grad
    assert not head(train_scale=False).pretrained()[0].requires_grad
    assert head().new() == []


def test_rows_that_are_put_in_leave_a_gradient_where_they_are_trained() -> None:
    own = head()
    rows_UD, classes_U = noise(2, D, seed=3), torch.tensor([4, 1])
    before_CD = own.weight().clone()
    own.put_rows(classes_U, rows_UD, trained=True)
    assert torch.equal(own.weight()[classes_U], rows_UD)
    others = [0, 2, 3, 5]
    assert torch.equal(own.weight()[others], before_CD[others])
    own.logits(noise(B, D)).square().sum().backward()
    gradient_CD = own.weight_gradient()
    assert gradient_CD is not None
    assert (gradient_CD.abs().sum(dim=1) > 0).all()
    own.put_rows(classes_U, rows_UD, trained=False)
    own.logits(noise(B, D)).square().sum().backward()
    assert own.weight_gradient() is None


def test_other_classes_take_the_trained_scale() -> None:
    own = head()
    with torch.no_grad():
        own.pretrained()[0].add_(1.0)
    other_CD = noise(3, D, seed=5)
    other = own.with_classifier(other_CD)
    assert torch.equal(other.weight(), other_CD)
    assert other.pretrained()[0] is own.pretrained()[0]
    assert len(own.weight()) == C, "the head itself stays as it is"


def test_a_head_moves_to_a_device() -> None:
    own = head()
    own.to(torch.device("meta"))
    assert own.weight().device.type == "meta"
    assert own.pretrained()[0].device.type == "meta"
    assert own.pretrained()[0].requires_grad
