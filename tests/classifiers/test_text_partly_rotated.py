"""text_partly_rotated: from the text to text_rotated, with the same correlations all along."""

from __future__ import annotations

import math

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from harness.classifiers import text_partly_rotated, text_rotated
from harness.classifiers._rotations import part_of, random_rotation
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import PLAIN, D, gram, inputs

Options = text_partly_rotated.Options


def test_it_begins_at_the_text_and_ends_at_the_rotated_text(text_CD: torch.Tensor) -> None:
    at_0 = text_partly_rotated.build(inputs(text_CD), Options(amount=0))
    at_1 = text_partly_rotated.build(inputs(text_CD), Options(amount=1))
    assert torch.equal(at_0, text_CD)
    assert torch.equal(at_1, text_rotated.build(inputs(text_CD), PLAIN))


@pytest.mark.parametrize("amount", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("seed", range(3))
def test_lengths_and_correlations_stay(text_CD: torch.Tensor, amount: float, seed: int) -> None:
    w_CD = text_partly_rotated.build(inputs(text_CD, seed), Options(amount=amount))
    torch.testing.assert_close(gram(w_CD), gram(text_CD), atol=1e-5, rtol=0)
    torch.testing.assert_close(w_CD.norm(dim=1), text_CD.norm(dim=1), atol=1e-5, rtol=1e-5)


def test_the_cosine_with_the_text_falls_as_the_docstring_says() -> None:
    t_CD = torch.randn(200, 128, generator=torch.Generator().manual_seed(3))
    for amount in (0.25, 0.5, 0.75):
        given = ClassifierInputs(200, 128, torch.Generator().manual_seed(0), t_CD)
        w_CD = text_partly_rotated.build(given, Options(amount=amount))
        cosine = float(F.cosine_similarity(w_CD, t_CD).mean())
        assert cosine == pytest.approx(math.sin(math.pi * amount) / (math.pi * amount), abs=0.03)


@pytest.mark.parametrize("dim", [2, 7, 32])
def test_two_halves_are_the_whole(dim: int) -> None:
    """Also where the rotation mirrors a direction: but that is mirrored at once, from 0.5 on."""
    for seed in range(4):
        q_DD = random_rotation(dim, torch.Generator().manual_seed(seed)).double()
        if torch.linalg.det(q_DD) < 0:
            q_DD[:, 0] *= -1
        half_DD, third_DD = part_of(q_DD, 0.5), part_of(q_DD, 1 / 3)
        torch.testing.assert_close(half_DD @ half_DD, q_DD, atol=1e-5, rtol=0)
        torch.testing.assert_close(third_DD @ third_DD @ third_DD, q_DD, atol=1e-5, rtol=0)


def test_parts_of_reflections() -> None:
    """diag(1, -1): one direction is mirrored. -I in the plane: half a circle."""
    mirror_DD = torch.diag(torch.tensor([1.0, -1.0]))
    torch.testing.assert_close(part_of(mirror_DD, 0.4), torch.eye(2))
    torch.testing.assert_close(part_of(mirror_DD, 0.5), mirror_DD)
    quarter_DD = part_of(-torch.eye(2), 0.5)
    assert float(quarter_DD[0, 0]) == pytest.approx(0, abs=1e-6)
    assert abs(float(quarter_DD[0, 1])) == pytest.approx(1)


def test_one_seed_rotates_all_classes_alike(text_CD: torch.Tensor) -> None:
    """Zero-shot replaces the classes after training: both sets must turn the same way."""
    few = ClassifierInputs(3, D, torch.Generator().manual_seed(0), text_CD[:3])
    part = Options(amount=0.3)
    all_of_them = text_partly_rotated.build(inputs(text_CD), part)
    torch.testing.assert_close(text_partly_rotated.build(few, part), all_of_them[:3])
    assert not torch.equal(text_partly_rotated.build(inputs(text_CD, 1), part), all_of_them)


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_amounts_are_between_0_and_1(amount: float) -> None:
    with pytest.raises(ValidationError):
        Options(amount=amount)
    with pytest.raises(ValidationError, match="amount"):
        Options.model_validate({})
