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

from harness.core.store import Store
from harness.plan.plan import make_plan
from harness.run.runner import run_cells
from harness.task.grid import expand
from harness.task.read import validate
from tests.encoders import tiny

ROOT = Path(__file__).parent.parent
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


def start(folder: Path, key: str, rank: int, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "harness", "run", str(folder / "t.yaml"), "--cell", key,
         "--runs", str(folder / "runs")],
        cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
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
    one = Store(tmp_path / "one")
    (planned,) = make_plan(expand(validate(task(encoder), "t.yaml")), one).cells
    run_cells([planned], one)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = int(taken.getsockname()[1])
    running = [start(tmp_path, planned.key, rank, port) for rank in range(PROCESSES)]
    for process in running:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    several = Store(tmp_path / "runs")
    a, b = one.read(planned.key), several.read(planned.key)
    assert a is not None
    assert b is not None
    assert b.status == "done", b.error
    assert b.cost["processes"] == PROCESSES
    assert len(list((tmp_path / "runs" / "cells").rglob("*.json"))) == 1
    assert b.n == a.n == 8
    assert a.test == b.test
    assert a.support == b.support
    for mine, theirs in zip(a.curve, b.curve, strict=True):
        assert mine["loss"] == pytest.approx(theirs["loss"], abs=1e-5)
        assert mine["train_top1"] == theirs["train_top1"]
    probability = [store.arrays(r)["probability"] for store, r in ((one, a), (several, b))]
    assert probability[0] == pytest.approx(probability[1], abs=1e-4)
    assert json.loads((tmp_path / "runs" / "support" / f"{b.support}.json").read_text())["items"]
