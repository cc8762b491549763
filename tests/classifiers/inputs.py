"""What the tests hand to an initialisation: texts, a support set around them, cells and facts."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from harness.core.cells import Cell, Choice
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

C, D, K = 12, 32, 5
PLAIN = ClassifierOptions()


def inputs(text_CD: torch.Tensor, seed: int = 0) -> ClassifierInputs:
    """K samples a class near its text."""
    noise = torch.Generator().manual_seed(seed + 100)
    y_N = torch.arange(C).repeat_interleave(K)
    z_ND = text_CD[y_N] + 0.3 * torch.randn(C * K, D, generator=noise)
    generator = torch.Generator().manual_seed(seed)
    return ClassifierInputs(C, D, generator, text_CD, z_ND, y_N)


def gram(w_CD: torch.Tensor) -> torch.Tensor:
    """Cosines between classes, (C, C)."""
    w_CD = F.normalize(w_CD, dim=-1)
    return w_CD @ w_CD.T


def facts(*, n_classes: int = C, per_class: int | None = K) -> CellFacts:
    return CellFacts(n_classes, per_class, EncoderFacts("w", "b", D, 64, 224, 20.0, text_dim=D))


def cell(name: str, regime: str = "few_shot", shots: int | None = 2) -> Cell:
    return Cell(Choice("emoji"), regime, Choice("x"), classifier=Choice(name), shots=shots)
