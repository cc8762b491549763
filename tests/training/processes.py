"""Several processes as one training, as torchrun or srun start them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from forked import Program, together


def begin(number: int, program: str, folder: Path, *arguments: str) -> list[Program]:
    """`python -m tests.training.PROGRAM FOLDER/RANK.json ...` in each of `number` processes."""
    of_ranks = [[str(folder / f"{rank}.json"), *arguments] for rank in range(number)]
    return together(number, f"tests.training.{program}", of_ranks, folder)


def in_processes(number: int, folder: Path, program: str = "examples") -> list[dict[str, Any]]:
    """What the program leaves in every one of `number` processes, which all end well."""
    running = begin(number, program, folder)
    errors = [process.communicate(100)[1] for process in running]
    assert [process.returncode for process in running] == [0] * number, "\n".join(errors)
    return [json.loads((folder / f"{rank}.json").read_text()) for rank in range(number)]
