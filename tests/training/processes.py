"""Several processes as one training, as torchrun or srun start them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def begin(number: int, program: str, folder: Path, *arguments: str) -> list[subprocess.Popen[str]]:
    """`python -m tests.training.PROGRAM FOLDER/RANK.json ...` in each of `number` processes."""
    port = str(free_port())
    return [
        subprocess.Popen(
            [
                sys.executable, "-m", f"tests.training.{program}", str(folder / f"{rank}.json"),
                *arguments,
            ],
            env={
                **os.environ, "RANK": str(rank), "WORLD_SIZE": str(number),
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1",
            },
            stderr=subprocess.PIPE, text=True,
        )
        for rank in range(number)
    ]  # fmt: skip


def in_processes(number: int, folder: Path, program: str = "examples") -> list[dict[str, Any]]:
    """What the program leaves in every one of `number` processes, which all end well."""
    running = begin(number, program, folder)
    errors = [process.communicate(timeout=100)[1] for process in running]
    assert [process.returncode for process in running] == [0] * number, "\n".join(errors)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(number)]
