"""A real SLURM on this host for these tests, started once by slurm/test_cluster.sh.

Where it is not installed they are skipped with the reason; HARNESS_REQUIRE_SLURM=1 makes that a
failure. HARNESS_SLURM_BASE names a cluster that runs already, which is used as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import ROOT

SCRIPT = ROOT / "slurm" / "test_cluster.sh"
PROGRAMS = ("slurmctld", "slurmd", "slurmdbd", "munged", "mariadbd", "sbatch", "sacct")
NODES = 3


@dataclass(frozen=True)
class Cluster:
    """A cluster by the folder of its files."""

    base: Path

    @property
    def environment(self) -> dict[str, str]:
        """What makes sbatch, sacct and the others mean this cluster."""
        return {"SLURM_CONF": str(self.base / "etc" / "slurm.conf")}

    def control(self, *arguments: str, port0: str = "") -> subprocess.CompletedProcess[str]:
        """start, stop, up NAME, down NAME of slurm/test_cluster.sh."""
        settings = {"BASE": str(self.base), "PORT0": port0, "NODES": str(NODES)}
        return subprocess.run(
            [SCRIPT, *arguments], env=os.environ | settings,
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip

    def ask(self, *command: str) -> str:
        """What a SLURM command prints; it must succeed."""
        done = subprocess.run(
            command, env=os.environ | self.environment, capture_output=True, text=True,
            timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"{command}: {done.stderr}"
        return done.stdout

    def is_up(self) -> bool:
        """Whether the controller answers."""
        done = subprocess.run(
            ["scontrol", "ping"], env=os.environ | self.environment,
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        return " is UP" in done.stdout

    def pid(self, daemon: str) -> int | None:
        """Of a daemon that runs, None while it does not."""
        try:
            return int((self.base / "run" / "pids" / daemon).read_text())
        except (FileNotFoundError, ValueError):  # it ended, or the file is about to be written
            return None


def why_absent() -> str | None:
    """Why no cluster can be started here."""
    folders = os.environ.get("PATH", os.defpath) + os.pathsep + "/usr/sbin"
    absent = [program for program in PROGRAMS if shutil.which(program, path=folders) is None]
    if absent:
        return f"SLURM is not installed: no {', '.join(absent)} (slurm/test_cluster.sh install)"
    if os.geteuid() != 0:
        return "the test cluster must be started by root"
    return None


def start_cluster(base: Path) -> Cluster:
    cluster = Cluster(base)
    done = cluster.control("start")
    assert done.returncode == 0, done.stderr
    return cluster


def require_slurm() -> None:
    """Skip where SLURM cannot be started, or fail where it is required."""
    reason = why_absent()
    if reason and os.environ.get("HARNESS_REQUIRE_SLURM"):
        pytest.fail(reason)
    if reason:
        pytest.skip(reason)


@pytest.fixture(scope="session")
def slurm_required() -> None:
    require_slurm()


@pytest.fixture(scope="session")
def cluster(slurm_required: None) -> Iterator[Cluster]:
    """Nodes n1 to n3, each with four fake GPUs; partitions main, low and high; accounting."""
    running = os.environ.get("HARNESS_SLURM_BASE")
    if running:
        yield Cluster(Path(running))
        return
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:  # short: it holds a socket
        started = start_cluster(Path(folder) / "c")
        yield started
        stopped = started.control("stop")
        assert stopped.returncode == 0, stopped.stderr
