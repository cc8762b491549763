"""A cell that several processes share, as torchrun or srun start them, ends as one process does."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, run_study
from encoders import tiny

from harness.core.store import Store

PROCESSES = 2


def task(encoder: str) -> dict[str, Any]:
    return {
        "name": "shared",
        "dataset": {"name": "emoji_motion", "objects": 2, "motions": ["left", "right"],
                    "size": 48, "clips": 1},
        "regime": "few_shot",
        "shots": 3,
        "encoder": encoder,
        "temporal": "t_trans",
        "frames": 2,
        "paradigm": "matching",
        "text_tower": "online",
        "tuning": "all",
        "recipe": {"epochs": 2, "batch": 12, "micro_batch": 4, "lr": 1e-2, "lr_new": 1e-2,
                   "warmup_epochs": 0, "dropout": 0.2, "optimiser": "sgd"},
        "seeds": 1,
    }  # fmt: skip


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"open_clip:{tiny.open_clip_model(tmp_path_factory.mktemp('vit'), tiny.VIT)}"


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def start(folder: Path, key: str, rank: int, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "run", str(folder / "t.yaml"), "--cell", key,
         "--runs", str(folder / "runs")],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={
            **os.environ, "RANK": str(rank), "WORLD_SIZE": str(PROCESSES), "OMP_NUM_THREADS": "1",
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
        },
    )  # fmt: skip


def test_two_processes_end_as_one(tmp_path: Path, encoder: str) -> None:
    """Gather with gradients, an online text tower, evaluation of every sample exactly once, and
    one Record.
    """
    (tmp_path / "t.yaml").write_text(yaml.safe_dump(task(encoder)))
    one = run_study(task(encoder), tmp_path / "one")
    (alone,) = one.records
    port = free_port()
    running = [start(tmp_path, alone.key, rank, port) for rank in range(PROCESSES)]
    printed = []
    for process in running:
        out, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
        printed.append(out)
    assert json.loads(printed[0])["key"] == alone.key
    assert printed[1] == "", "the first process prints"
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
