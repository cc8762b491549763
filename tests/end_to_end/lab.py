"""A study whose classifier can be slow or fail, and what its tests ask of a runs folder."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import body, hashes, interruptible, records

from harness.training.checkpoint import Checkpoint

#: A classifier from outside the package: slow or failing when the environment says so.
LAB = '''
import os, time
from harness.core.protocols.classifier import ClassifierOptions as Options
from harness.classifiers import text

class Slow:
    """Text, after a while."""
    Options, USES = Options, ("text", "seed")

    @staticmethod
    def build(inputs, options):
        with open("built.log", "a") as log:
            print(inputs.generator.initial_seed(), file=log)
        time.sleep(float(os.environ.get("LAB_SECONDS", "0")))
        if inputs.generator.initial_seed() % 2 and os.environ.get("LAB_FAILS"):
            raise RuntimeError("the lab burnt down")
        return text.build(inputs, options)
'''
SLOW = "laboratory.slow:Slow"
SEEDS = 6
CELLS = 2 * SEEDS
WAIT_SECONDS = 60.0

#: Key -> what a Record's file would not keep if it was written again.
Stamps = dict[str, tuple[int, int, bytes]]


def stamps(runs: Path) -> Stamps:
    return {
        p.stem: (p.stat().st_ino, p.stat().st_mtime_ns, p.read_bytes())
        for p in runs.glob("cells/*/*.json")
    }


def of_slow(found: Stamps) -> list[dict[str, Any]]:
    """The Records of the slow classifier."""
    every = [json.loads(data) for _, _, data in found.values()]
    return [record for record in every if record["cell"]["classifier"] == SLOW]


def start(
    folder: Path, environment: dict[str, str], *args: str, seconds: str
) -> subprocess.Popen[str]:
    """`python -m harness` in a process group of its own; each slow cell takes `seconds`."""
    with interruptible():
        return subprocess.Popen(
            [sys.executable, "-m", "harness", *args],
            cwd=folder, env=environment | {"LAB_SECONDS": seconds}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip


def wait_for_records(running: subprocess.Popen[str], runs: Path, number: int) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while len(list(runs.glob("cells/*/*.json"))) < number:
        assert running.poll() is None, running.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.02)


def die_at_save(monkeypatch: pytest.MonkeyPatch, number: int) -> list[tuple[str, int, int]]:
    """Save at every step, and be interrupted at the save of that number. (checkpoint, epoch, step)
    of every save, as they are made.
    """
    made: list[tuple[str, int, int]] = []
    save = Checkpoint.save

    def save_then_die(self: Checkpoint, *args: Any) -> None:
        save(self, *args)
        made.append((self.path.stem, args[2]["epoch"], args[2]["step"]))
        if len(made) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(Checkpoint, "save", save_then_die)
    monkeypatch.setenv("HARNESS_CHECKPOINT_MINUTES", "0")
    return made


def assert_equal_to(reference: Path, folder: Path) -> None:
    """Science hashes, the report's body and the rows of its csv are those of the reference."""
    runs = folder / "runs"
    assert hashes(runs) == hashes(reference)
    assert all(r["status"] == "done" for r in records(runs).values())
    whole = body(reference.parent / "whole_reports" / "tiny.md")
    assert body(folder / "reports" / "tiny.md") == whole
    table = (folder / "reports" / "tiny.csv").read_text().splitlines()
    assert len(table) == CELLS + 1
