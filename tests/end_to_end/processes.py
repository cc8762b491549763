"""Runs of a task by several processes, as torchrun or srun start them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from forked import Program, together

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
) -> list[Program]:
    """`run FOLDER/t.yaml --cell KEYS` in every process."""
    module, *first = program
    arguments = [
        *first, "run", str(folder / "t.yaml"), "--cell", *keys, "--runs", str(folder / "runs"),
    ]  # fmt: skip
    return together(PROCESSES, module, [arguments] * PROCESSES, folder)


def ended(running: Sequence[Program], code: int) -> list[tuple[str, str]]:
    """What every process printed; all end with this code."""
    try:
        printed = [process.communicate(SECONDS) for process in running]
    finally:
        for process in running:
            process.kill()  # those that still wait for another
    assert [process.returncode for process in running] == [code] * len(running), printed
    return printed
