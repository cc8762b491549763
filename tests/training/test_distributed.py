"""N processes over gloo take the steps of one process on the whole batch."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import BadInput
from harness.training.distributed import World, declared, process_group, world
from tests.training import problem


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def in_processes(number: int, folder: Path, *arguments: str) -> list[dict[str, Any]]:
    """What problem.py leaves in every one of `number` processes."""
    port = str(free_port())
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "tests.training.problem", str(folder / f"{rank}.json"),
             *arguments],
            env={
                **os.environ, "RANK": str(rank), "WORLD_SIZE": str(number),
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1",
            },
            stderr=subprocess.PIPE, text=True,
        )
        for rank in range(number)
    ]  # fmt: skip
    for process in running:
        _, errors = process.communicate(timeout=100)
        assert process.returncode == 0, errors
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(number)]


@pytest.mark.parametrize("number", [2, 4])
def test_processes_take_the_steps_of_one(number: int, tmp_path: Path) -> None:
    """Loss and weights after some steps, of every kind of head; micro-batches that do not divide
    among the processes, dropout, and texts that are trained.
    """
    one = problem.solve_all()
    for found in in_processes(number, tmp_path):
        assert found.keys() == one.keys()
        for kind, (losses, weights) in found.items():
            torch.testing.assert_close(
                torch.tensor(losses), torch.tensor(one[kind][0]), atol=1e-5, rtol=1e-5, msg=kind
            )
            torch.testing.assert_close(
                torch.tensor(weights), torch.tensor(one[kind][1]), atol=1e-5, rtol=1e-5, msg=kind
            )
    assert len({tuple(losses) for losses, _ in one.values()}) == len(one), "kinds must differ"


def test_without_the_gather_less_is_contrasted() -> None:
    found = problem.solve_all()
    assert found["gathered"][0][0] > found["apart"][0][0], "fewer negatives are easier to tell"


def test_one_process_needs_no_meeting_point(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("RANK", "WORLD_SIZE", "SLURM_STEP_NUM_TASKS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLURM_NTASKS", "8")  # of a batch script, which is one process all the same
    assert declared() == (0, 1)
    with process_group() as group:
        assert group == world() == World(0, 1)


def test_what_srun_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    monkeypatch.setenv("SLURM_STEP_NUM_TASKS", "4")
    monkeypatch.setenv("SLURM_PROCID", "3")
    assert declared() == (3, 4)
    monkeypatch.delenv("MASTER_ADDR", raising=False)
    with pytest.raises(BadInput, match="MASTER_ADDR"), process_group():
        pass
