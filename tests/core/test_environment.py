"""What a Record says of where it was made."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

import harness
from harness.core.environment import PACKAGES, environment, peak_bytes


def test_every_package_is_known_by_the_name_that_installs_it() -> None:
    found = environment()["versions"]
    assert set(PACKAGES) < set(found)
    others = {name: version for name, version in found.items() if name != "classifier-init-harness"}
    assert all(version[:1].isdigit() for version in others.values()), others


def test_a_copy_of_the_code_names_the_commit_it_was_taken_from(tmp_path: Path) -> None:
    """As jobs on a cluster run it."""
    shutil.copytree(Path(harness.__file__).parent, tmp_path / "harness")
    (tmp_path / "commit.json").write_text('{"commit": "abc", "dirty": true}')
    program = (
        "import harness.core.environment as e; f = e.environment(); print(f['commit'], f['dirty'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(tmp_path)}, cwd=tmp_path,
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.split() == ["abc", "True"]


def test_what_is_noted_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLURM_JOB_ID", "42")
    found = environment("cuda")
    assert (found["device"], found["slurm_job"]) == ("cuda", "42")
    age = datetime.now(UTC) - datetime.fromisoformat(found["started"])
    assert timedelta(0) <= age < timedelta(minutes=1)
    monkeypatch.delenv("SLURM_JOB_ID")
    assert environment()["slurm_job"] is None


def test_the_peak_of_memory_is_in_bytes() -> None:
    """A Python process that has loaded numpy takes some ten MiB, and no TiB."""
    assert 2**23 < peak_bytes() < 2**40


def test_the_type_of_the_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    """One name of a cloud stands for several generations, whose last bits differ."""
    info = {"vendor_id": "V", "cpu family": "25", "model": "1", "flags": "sse2 avx avx2 fma"}
    monkeypatch.setattr("harness.core.environment._cpuinfo", lambda: info)
    assert environment()["cpu"] == "V family 25 model 1 avx2"
    monkeypatch.setattr("harness.core.environment._cpuinfo", lambda: {"model name": "ARM"})
    assert (environment()["cpu"], environment()["processor"]) == (None, "ARM")
