"""A cell that several processes share, as torchrun or srun start them, ends as one process does."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import pytest
import torch
import yaml
from conftest import plan_of, run_study
from encoders import tiny

from harness.core.store import Store

from .processes import PROCESSES, ended, start, task


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"open_clip:{tiny.open_clip_model(tmp_path_factory.mktemp('vit'), tiny.VIT)}"


def test_two_processes_end_as_one(tmp_path: Path, encoder: str) -> None:
    """Gather with gradients, an online text tower, evaluation of every sample exactly once, and
    one Record.
    """
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(task(encoder)))
    one = run_study(task(encoder), tmp_path / "one")
    (alone,) = one.records
    (first, _), (second, _) = ended(start(tmp_path, [alone.key]), 0)
    assert json.loads(first)["key"] == alone.key
    assert second == "", "the first process prints"
    several = Store(tmp_path / "runs")
    shared = several.read(alone.key)
    assert shared is not None
    assert shared.status == "done", shared.error
    assert shared.cost["processes"] == PROCESSES
    assert len(list((tmp_path / "runs" / "cells").rglob("*.json"))) == 1
    assert shared.n == alone.n == 8
    assert shared.test == alone.test
    assert shared.support == alone.support
    for mine, theirs in zip(alone.curve, shared.curve, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], abs=1e-5)
        assert mine["train_top1"] == theirs["train_top1"]
    probability = [s.arrays(r)["probability"] for s, r in ((one.store, alone), (several, shared))]
    assert probability[0] == pytest.approx(probability[1], abs=1e-4)
    support = tmp_path / "runs" / "support" / f"{shared.support}.json"
    assert json.loads(support.read_text())["items"]


@pytest.mark.parametrize("where", ["first", "later", "optimiser"])
def test_of_processes_that_are_short_of_memory_all_take_smaller_micro_batches(
    tmp_path: Path, encoder: str, where: str
) -> None:
    """Only process 1 is, in its first step, in a later one, or in the optimiser."""
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(task(encoder)))
    smaller = task(encoder)
    smaller["recipe"] |= {"micro_batch": 2}
    (undisturbed,) = run_study(smaller, tmp_path / "one").records
    (planned,) = plan_of(task(encoder), tmp_path / "runs").cells
    ended(start(tmp_path, [planned.key], ("tests.end_to_end.short_of_memory", where)), 0)
    found = Store(tmp_path / "runs").read(planned.key)
    assert found is not None
    assert found.status == "done", found.error
    assert found.diagnostics["micro_batch"] == 2
    assert [p["loss"] for p in found.curve] == pytest.approx(
        [p["loss"] for p in undisturbed.curve], abs=1e-5
    )
    assert found.test == undisturbed.test


def test_a_signal_to_one_process_ends_all_at_a_checkpoint(
    tmp_path: Path, encoder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the midst of an epoch; the training that goes on from there ends as an undisturbed one."""
    longer = task(encoder)
    longer["recipe"] |= {"epochs": 40, "batch": 4, "micro_batch": 2, "lr": 1e-4, "lr_new": 1e-4}
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(longer))
    (undisturbed,) = run_study(longer, tmp_path / "one").records
    folder = tmp_path / "runs" / "checkpoints" / str(undisturbed.train_key)
    monkeypatch.setenv("HARNESS_CHECKPOINT_MINUTES", "0")  # so that one says that it has begun
    running = start(tmp_path, [undisturbed.key])
    deadline = time.monotonic() + 100
    while not (folder / "0.previous.pt").is_file() and time.monotonic() < deadline:
        time.sleep(0.01)
    running[1].send_signal(signal.SIGTERM)
    ended(running, 130)
    state = torch.load(folder / "0.pt", weights_only=True)
    assert 0 < state["epoch"] * 3 + state["step"] < 120
    ended(start(tmp_path, [undisturbed.key]), 0)
    resumed = Store(tmp_path / "runs").read(undisturbed.key)
    assert resumed is not None
    assert [p["loss"] for p in resumed.curve] == pytest.approx(
        [p["loss"] for p in undisturbed.curve], abs=1e-4
    )
