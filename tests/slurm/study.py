"""A small study on a cluster, half of whose cells wait until the test lets them go on."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from conftest import ROOT, TINY, Ended, body, hashes, leftovers, records

from .conftest import Cluster

#: A classifier from outside the package. Cells of seed 1 begin and do not end before the file `go`
#: exists, so that a fault comes when one cell of every batch is done and the other runs.
LAB = '''
import os, time
from pathlib import Path
from harness.core.seeding import stream_seed

class Slow:
    """Text, after a while."""
    USES = ("text", "seed")

    @staticmethod
    def build(inputs, options):
        seed = int(inputs.generator.initial_seed() == stream_seed(1, "init"))
        with open("built.log", "a") as log:
            print(seed, os.environ.get("SLURM_JOB_ID"), file=log, flush=True)
        while seed == 1 and not Path("go").exists():
            time.sleep(0.05)
        return inputs.text()
'''
#: Cells of one resolution share features and so are a batch: three batches of two cells.
TASK = TINY | {"classifier": "laboratory.slow:Slow", "resolution": [48, 64, 80], "seeds": 2}
BATCHES, CELLS = 3, 6
TIMEOUT_SECONDS = 400.0

Profile = dict[str, Any]
#: Key -> what of a Record's file would not stay if it was written again.
Stamps = dict[str, tuple[int, int]]


def wait_for(true: Callable[[], Any], what: str, seconds: float = TIMEOUT_SECONDS) -> Any:
    """What `true` returns, once that is true."""
    deadline = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.3)
    return value


@dataclass(frozen=True)
class Study:
    """A task, a profile and their results, in a folder of their own."""

    folder: Path
    cluster: Cluster
    cache: Path

    @property
    def runs(self) -> Path:
        return self.folder / "runs"

    def harness(self, *arguments: object) -> Ended:
        """`python -m harness`."""
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "HARNESS_CACHE": str(self.cache),
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": "1",
            "HARNESS_DEVICE": "cpu",  # the GPUs of the cluster are files
        }
        ended = subprocess.run(
            [sys.executable, "-m", "harness", *map(str, arguments)],
            cwd=self.folder, env=environment | self.cluster.environment,
            capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False,
        )  # fmt: skip
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    def grid(self, *arguments: object) -> Ended:
        """What a user types to begin, and again to go on."""
        profile = ("--launch", "slurm", "--profile", "profile.yaml")
        return self.harness("grid", "tiny.yaml", *profile, *arguments)

    def submit(self, *arguments: object) -> str:
        """The number of the job; it must be submitted."""
        ended = self.grid(*arguments)
        assert ended.code == 0, ended.err
        assert ended.out.startswith("submitted job "), (ended.out, ended.err)
        return ended.out.removeprefix("submitted job ").partition(":")[0]

    def status(self) -> list[dict[str, Any]]:
        """What `status --json` says of every cell."""
        ended = self.harness("status", "tiny.yaml", "--json")
        assert ended.code in (0, 1, 3), ended.err
        cells: list[dict[str, Any]] = json.loads(ended.out)["cells"]
        assert (ended.code == 0) == all(cell["status"] == "done" for cell in cells)
        return cells

    def with_status(self, status: str) -> list[dict[str, Any]]:
        return [cell for cell in self.status() if cell["status"] == status]

    def stamps(self) -> Stamps:
        files = {path: path.stat() for path in self.runs.glob("cells/*/*.json")}
        return {path.stem: (s.st_ino, s.st_mtime_ns) for path, s in files.items()}

    def go(self) -> None:
        """Let the cells of seed 1 end."""
        (self.folder / "go").touch()

    def built(self) -> list[tuple[str, str]]:
        """(seed, job) of every cell that was begun, in order."""
        path = self.folder / "built.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [(seed, job) for seed, job in map(str.split, lines)]

    def wait_for_the_middle(self, batches: int = BATCHES) -> Stamps:
        """Until in so many batches one cell is done and the other runs."""
        wait_for(lambda: [seed for seed, _ in self.built()].count("1") >= batches, "running cells")
        stamps = self.stamps()
        assert len(stamps) == batches
        return stamps

    def queue(self) -> list[list[str]]:
        """[id, state, node] of every job of this study that has not ended."""
        batches = [json.loads(path.read_bytes()) for path in self.runs.glob("jobs/*-*-*.json")]
        names = ",".join({batch["submission"] for batch in batches})
        lines = self.cluster.ask("squeue", "-h", "-r", f"--name={names}", "-o", "%i %T %N")
        return [line.split() for line in lines.splitlines()]

    def restarts(self, job: str) -> int:
        """How often SLURM has started parts of a job again."""
        shown = self.cluster.ask("scontrol", "show", "job", job)
        return sum(int(word) for word in re.findall(r"Restarts=(\d+)", shown))

    def wait_for_the_end(self) -> None:
        """Until no job is left."""
        wait_for(lambda: not self.queue(), f"the end of the jobs of {self.folder.name}")

    def finish(self) -> Finished:
        """What `grid` and `status` say when no job is left."""
        ended = self.grid()
        assert ended.code == 0, ended.err
        return Finished(self, ended.err, [cell["status"] for cell in self.status()], self.queue())


@dataclass(frozen=True)
class Finished:
    """A study after its last `grid`."""

    study: Study
    messages: str
    states: list[str]
    queue: list[list[str]]


def make_study(
    folder: Path, cluster: Cluster, cache: Path, profile: Profile, **changes: Any
) -> Study:
    """Write task, profile and laboratory. A key of the task that is None is left out."""
    (folder / "laboratory").mkdir(parents=True)
    (folder / "laboratory" / "__init__.py").touch()
    (folder / "laboratory" / "slow.py").write_text(LAB)
    (folder / "tiny.yaml").write_text(
        yaml.safe_dump({k: v for k, v in (TASK | changes).items() if v is not None})
    )
    full = {"partition": "main", "time": "30m", "pack": "1m"} | profile
    (folder / "profile.yaml").write_text(yaml.safe_dump(full))
    return Study(folder, cluster, cache)


def assert_complete(finished: Finished, reference: Study, before: Stamps | None = None) -> None:
    """Every cell done once, Records and report those of the undisturbed run, and none of `before`
    written again.
    """
    study = finished.study
    assert "0 to run" in finished.messages
    assert finished.queue == []
    assert set(finished.states) == {"done"}
    assert hashes(study.runs) == hashes(reference.runs)
    assert all(record["status"] == "done" for record in records(study.runs).values())
    report = Path("reports") / "tiny.md"
    assert body(study.folder / report) == body(reference.folder / report)
    assert len((study.folder / "reports" / "tiny.csv").read_text().splitlines()) == CELLS + 1
    assert leftovers(study.runs) == []
    after = study.stamps()
    assert {key: after[key] for key in before or {}} == (before or {})
