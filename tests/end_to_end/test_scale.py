"""`plan` and `status` of a hundred thousand cells: under 10 s of CPU, and nothing is written."""

from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from conftest import Call, WriteTask

CELLS = 100_000
SECONDS = 10.0


@pytest.fixture
def big(tiny: WriteTask) -> str:
    return tiny("big.yaml", name="big", shots=[1, 2, 3, 4, 5], seeds=10_000)


def spent() -> float:
    """Seconds of computing of the commands that ended: what else runs here does not count."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.slow
def test_plan(big: str, run_cli: Call, tmp_path: Path) -> None:
    before = spent()
    ended = run_cli("plan", big)
    assert ended.code == 0, ended.err
    assert f"{CELLS} to run" in ended.out
    assert spent() - before < SECONDS
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_status(big: str, run_cli: Call) -> None:
    before = spent()
    ended = run_cli("status", big, "--json")
    assert ended.code == 3, ended.err
    assert json.loads(ended.out)["counts"]["waiting"] == CELLS
    assert spent() - before < SECONDS
