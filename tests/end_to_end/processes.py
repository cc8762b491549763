"""Runs of a task by several processes, as torchrun or srun start them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from conftest import ROOT

PROCESSES = 2
#: After which a process hangs. Several of them on few cores take long to import torch.
SECONDS = 120


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


def start(
    folder: Path, keys: Sequence[str], program: tuple[str, ...] = ("harness",)
) -> list[subprocess.Popen[str]]:
    """`run FOLDER/t.yaml --cell KEYS` in every process."""
    port = _free_port()
    return [
        subprocess.Popen(
            [sys.executable, "-m", *program, "run", str(folder / "t.yaml"), "--cell", *keys,
             "--runs", str(folder / "runs")],
            cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            env={
                **os.environ, "RANK": str(rank), "WORLD_SIZE": str(PROCESSES),
                "OMP_NUM_THREADS": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port),
            },
        )
        for rank in range(PROCESSES)
    ]  # fmt: skip


def ended(running: Sequence[subprocess.Popen[str]], code: int) -> list[tuple[str, str]]:
    """What every process printed; all end with this code."""
    try:
        printed = [process.communicate(timeout=SECONDS) for process in running]
    finally:
        for process in running:
            process.kill()  # those that still wait for another
    assert [process.returncode for process in running] == [code] * len(running), printed
    return printed


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
