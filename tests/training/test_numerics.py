"""TF32 is off within, and afterwards as it was; nothing is set for the CPU."""

from __future__ import annotations

import pytest
import torch

from harness.training.numerics import without_tf32


def settings() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def test_tf32_is_off_within_and_as_before_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", True)
    before = settings()
    with without_tf32(torch.device("cuda", 0)):
        assert settings() == (False, False)
    assert settings() == before
    with without_tf32(torch.device("cpu")):
        assert settings() == before
