"""Encoders leave the device when nobody needs them, and a cell leaves no tensor there."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import TINY, run_study

from harness.run import runner
from harness.run.encoders import load_encoder, load_text_encoder
from harness.training.extraction import Extraction
from harness.training.transfer import moved
from pretended_gpu import pretended_gpu
from pretended_gpu.tags import CUDA, marked

ALL = {"tuning": "all", "classifier": "text"}
RECIPE = {"epochs": 1, "batch": 4}
KINDS: dict[str, dict[str, Any]] = {
    "zero-shot": {"tuning": "none", "classifier": "text"},
    "head": {"tuning": "head", "paradigm": "vision_only"},
    "projection": {"classifier": "text"},
    "all": ALL | {"recipe": RECIPE},
    "text tower": ALL
    | {"paradigm": "matching", "text_tower": "online", "recipe": RECIPE | {"micro_batch": 2}},
    "context": {"prompt": "learnable", "classifier": "text", "recipe": RECIPE},
    "failed": ALL | {"recipe": RECIPE | {"lr": 1e30, "lr_new": 1e30, "warmup_epochs": 0}},
}


def on_the_gpu() -> list[torch.Tensor]:
    """All tensors that are alive there."""
    tensors = (o for o in gc.get_objects() if issubclass(type(o), torch.Tensor))
    return [tensor for tensor in tensors if marked(tensor) == CUDA]


@pytest.fixture(autouse=True)
def _pools_of_this_test() -> None:
    for pool in (load_encoder, load_text_encoder):
        pool.cache_clear()
    gc.collect()


def test_living_tensors_are_found() -> None:
    with pretended_gpu():
        tensor, module = torch.ones(3).to("cuda"), torch.nn.Linear(2, 2).to("cuda")
        assert len(on_the_gpu()) == 3
        del tensor, module
        assert on_the_gpu() == []


@pytest.mark.parametrize("kind", KINDS)
def test_a_cell_leaves_nothing_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    """Seen after each cell, with no collector but the harness's own."""
    left: list[int] = []
    real = runner._run_group

    def run_group(*args: Any) -> None:
        real(*args)
        left.append(len(on_the_gpu()))

    monkeypatch.setattr(runner, "_run_group", run_group)
    with pretended_gpu():
        gc.disable()
        try:
            changes = {"seeds": 2, "resolution": 32} | KINDS[kind]
            ran = run_study(TINY | changes, tmp_path, failing=True)
        finally:
            gc.enable()
        assert {r.status for r in ran.records} == {"failed" if kind == "failed" else "done"}
        assert left
        assert set(left) == {0}


def test_an_encoder_is_there_while_it_runs() -> None:
    module = torch.nn.Linear(2, 2)
    device, cpu = torch.device("cuda", 0), torch.device("cpu")
    with pretended_gpu():
        with moved(module, device):
            assert module.weight.device == device
        assert module.weight.device == cpu
        with pytest.raises(ZeroDivisionError), moved(module, device):
            raise ZeroDivisionError
        assert module.weight.device == cpu
        with moved(None, device), moved(module, cpu):
            assert module.weight.device == cpu


def test_without_features_to_compute_it_is_back() -> None:
    class Encoder:
        module = torch.nn.Linear(2, 2)

    with pretended_gpu():
        encoder = Encoder()
        extraction = Extraction(None, encoder, 8, torch.device("cuda", 0))  # type: ignore[arg-type]
        assert list(extraction.rows(iter(()))) == []
        assert encoder.module.weight.device.type == "cpu"
