"""What the tests hand to an initialisation: texts, a support set around them, cells and facts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import torch
from torch.nn import functional as F

from harness.core.cells import Cell, Choice, HeadSpec
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

C, D, K, F_DIM = 12, 32, 5, 64
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


def support_of(
    z_ND: torch.Tensor, y_N: torch.Tensor, n_classes: int, text_CD: torch.Tensor | None = None
) -> ClassifierInputs:
    """Any support set, with any number of samples of a class."""
    generator = torch.Generator().manual_seed(0)
    return ClassifierInputs(n_classes, z_ND.shape[1], generator, text_CD, z_ND, y_N)


def drawn(n_classes: int = C, dim: int = D, seed: int = 0) -> ClassifierInputs:
    """Of what is drawn: a seed alone."""
    return ClassifierInputs(n_classes, dim, torch.Generator().manual_seed(seed))


def facts(*, n_classes: int = C, per_class: int | None = K, linear: bool = False) -> CellFacts:
    encoder = EncoderFacts("w", "b", D, F_DIM, 224, 20.0, text_dim=D)
    return CellFacts(n_classes, per_class, encoder, linear_head=linear)


def cell(
    name: str,
    regime: str = "few_shot",
    shots: int | None = 2,
    on: str | None = None,
    **options: Any,
) -> Cell:
    """`on` makes it a head on frozen features of that place."""
    choice = Choice(name, tuple(options.items()))
    plain = Cell(Choice("emoji"), regime, Choice("x"), classifier=choice, shots=shots)
    return plain if on is None else replace(plain, tuning="head", head=HeadSpec(on=on))
