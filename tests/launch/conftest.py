"""A SLURM made of a handful of shell scripts, whose answers a test sets.

tests/slurm/ holds the tests on a real one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pytest

SCRIPTS = {
    "sbatch": """
if [ "$1" = --version ]; then echo slurm-wlm 99; exit; fi
if [ -s {0}/refusal ]; then cat {0}/refusal >&2; exit 1; fi
n=$(ls {0}/submitted | wc -l)
cp "$1" {0}/submitted/$n
echo "Submitted batch job $((70 + n))"
""",
    "squeue": 'if [ -s {0}/down ]; then cat {0}/down >&2; exit 1; fi; echo "$@" >> {0}/asked\n'
    "cat {0}/queue",
    "sacct": "cat {0}/accounts",
    "scontrol": "cat {0}/config",
    "sacctmgr": "cat {0}/limits_of_$4",
    "scancel": 'echo "$@" >> {0}/cancelled',
    "srun": "echo slurm-wlm 99",
}


@dataclass(frozen=True)
class FakeSlurm:
    folder: Path

    def answer(self, name: str, *lines: str) -> None:
        """Set what a program prints: `queue`, `accounts`; or why it fails: `refusal`, `down`."""
        (self.folder / name).write_text("".join(f"{line}\n" for line in lines))

    def received(self, name: str) -> str:
        """The arguments of a program: `cancelled`, `asked`; "" if it was not called."""
        path = self.folder / name
        return path.read_text() if path.is_file() else ""

    def submitted(self) -> list[str]:
        """The scripts given to sbatch."""
        folder = self.folder / "submitted"
        return [p.read_text() for p in sorted(folder.iterdir(), key=lambda p: int(p.name))]

    def refuse_from(self, number: int) -> None:
        """Let sbatch refuse every script after the first `number`."""
        script = self.folder / "bin" / "sbatch"
        limit = (
            f'if [ "$1" != --version ] && [ $(ls {self.folder}/submitted | wc -l) -ge {number} ]; '
            "then echo no more jobs >&2; exit 1; fi"
        )
        script.write_text(script.read_text().replace("#!/bin/sh\n", f"#!/bin/sh\n{limit}\n"))


@pytest.fixture
def fake_slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeSlurm:
    folder = tmp_path / "fake_slurm"
    (folder / "bin").mkdir(parents=True)
    (folder / "submitted").mkdir()
    for name, script in SCRIPTS.items():
        path = folder / "bin" / name
        path.write_text("#!/bin/sh\n" + script.replace("{0}", str(folder)) + "\n")
        path.chmod(0o755)
    fake = FakeSlurm(folder)
    fake.answer("queue")
    fake.answer("accounts")
    fake.answer("config", "MaxArraySize            = 1001", "MaxJobCount             = 10000")
    fake.answer("limits_of_association")
    fake.answer("limits_of_qos")
    monkeypatch.setenv("PATH", f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}")
    return fake
