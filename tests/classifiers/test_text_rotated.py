"""text_rotated: the correlations of the text without its directions."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from harness.classifiers import text_rotated
from harness.core.protocols.classifier import ClassifierInputs

from .inputs import PLAIN, D, gram, inputs


def test_it_keeps_the_correlations_and_loses_the_directions(text_CD: torch.Tensor) -> None:
    w_CD = text_rotated.build(inputs(text_CD), PLAIN)
    torch.testing.assert_close(gram(w_CD), gram(text_CD), atol=1e-5, rtol=0)
    assert F.cosine_similarity(w_CD, text_CD).abs().mean() < 0.4


def test_one_seed_rotates_all_classes_alike(text_CD: torch.Tensor) -> None:
    """Zero-shot replaces the classes after training: both sets must turn the same way."""
    few = ClassifierInputs(3, D, torch.Generator().manual_seed(0), text_CD[:3])
    all_of_them = text_rotated.build(inputs(text_CD), PLAIN)
    torch.testing.assert_close(text_rotated.build(few, PLAIN), all_of_them[:3])
