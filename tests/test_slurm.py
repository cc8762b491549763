"""slurm/cells.sbatch as bash, with the variables that SLURM sets: the jobs share the cells out."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent


def job(number: int, count: int, task: str, folder: Path, environment: dict[str, str]) -> None:
    ids = {"SLURM_ARRAY_TASK_ID": number + 3, "SLURM_ARRAY_TASK_MIN": 3,
           "SLURM_ARRAY_TASK_COUNT": count}  # fmt: skip
    path = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        ["bash", str(ROOT / "slurm" / "cells.sbatch"), task, "seeds=3"],
        cwd=folder,
        env={**environment, "PATH": path, **{k: str(v) for k, v in ids.items()}},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
def test_the_jobs_of_an_array_run_every_cell(
    tiny: Any, tmp_path: Path, environment: dict[str, str], cli: Any
) -> None:
    task = tiny()

    def records() -> set[str]:
        return {p.stem for p in (tmp_path / "runs" / "cells").rglob("*.json")}

    job(0, 2, task, tmp_path, environment)
    assert 0 < len(records()) < 6
    job(1, 2, task, tmp_path, environment)
    job(0, 2, task, tmp_path, environment)  # what the first two left: half of what was missing
    job(1, 2, task, tmp_path, environment)
    job(0, 1, task, tmp_path, environment)
    assert len(records()) == 6
    assert cli("status", task, "seeds=3").code == 0
