"""text_noise: the text with noise of a level, in the lengths of the text."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from harness.classifiers import text_noise
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import inputs

Options = text_noise.Options


def test_without_noise_it_is_the_text(text_CD: torch.Tensor) -> None:
    assert torch.equal(text_noise.build(inputs(text_CD), Options(sigma=0)), text_CD)


@pytest.mark.parametrize("sigma", [0.5, 1, 2])
def test_lengths_stay_and_the_cosine_falls_as_the_docstring_says(sigma: float) -> None:
    t_CD = 3 * torch.randn(100, 512, generator=torch.Generator().manual_seed(3))
    given = ClassifierInputs(100, 512, torch.Generator().manual_seed(0), t_CD)
    w_CD = text_noise.build(given, Options(sigma=sigma))
    torch.testing.assert_close(w_CD.norm(dim=1), t_CD.norm(dim=1))
    cosine = float(F.cosine_similarity(w_CD, t_CD).mean())
    assert cosine == pytest.approx((1 + sigma**2) ** -0.5, abs=0.01)


def test_noise_is_of_the_seed_and_levels_share_it(text_CD: torch.Tensor) -> None:
    """At one seed a higher level adds more of the same noise."""
    small, again = (text_noise.build(inputs(text_CD), Options(sigma=0.5)) for _ in range(2))
    assert torch.equal(small, again)
    assert not torch.equal(text_noise.build(inputs(text_CD, 1), Options(sigma=0.5)), small)
    large = text_noise.build(inputs(text_CD), Options(sigma=8))
    towards_CD = F.normalize(small, dim=-1) - F.normalize(text_CD, dim=-1)
    assert F.cosine_similarity(towards_CD, large).min() > 0


@pytest.mark.parametrize("sigma", [-0.1, float("inf"), float("nan")])
def test_levels_are_0_or_above(sigma: float) -> None:
    with pytest.raises(ValidationError):
        Options(sigma=sigma)
