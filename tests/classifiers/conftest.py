"""Text embeddings of a few classes, which most initialisations are made of."""

from __future__ import annotations

import pytest
import torch

from .inputs import C, D


@pytest.fixture(name="text_CD")
def text_of_classes() -> torch.Tensor:
    return torch.randn(C, D, generator=torch.Generator().manual_seed(7)) + 0.5
