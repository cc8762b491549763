"""TF32 is on within where it is declared, else off, and afterwards as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from pretended_gpu import pretended_gpu

from harness.training.numerics import float32_as, has_tf32

GPU, CPU = torch.device("cuda", 0), torch.device("cpu")


def settings() -> tuple[bool, bool]:
    return torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32


def put(switches: tuple[bool, bool]) -> None:
    torch.backends.cuda.matmul.allow_tf32, torch.backends.cudnn.allow_tf32 = switches


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    before = settings()
    yield
    put(before)


@pytest.mark.parametrize("before", [(False, True), (True, False)])
def test_both_switches_are_set_within_and_restored(before: tuple[bool, bool]) -> None:
    put(before)
    with float32_as("float32", GPU):
        assert settings() == (False, False)
        with float32_as("tf32", GPU):
            assert settings() == (True, True)
        with float32_as("bfloat16", GPU):
            assert settings() == (False, False)
    with pytest.raises(ZeroDivisionError), float32_as("tf32", GPU):
        raise ZeroDivisionError
    assert settings() == before
    with float32_as("tf32", CPU):
        assert settings() == before


def test_which_devices_have_it(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not has_tf32(CPU)
    with pretended_gpu():
        assert has_tf32(GPU)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda *_: (7, 5))
        assert not has_tf32(GPU)
