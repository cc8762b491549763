"""Killed, interrupted, run twice at once or from cold caches: what is finished stays finished, and
the end is that of an undisturbed run.
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest
from conftest import Call, hashes, leftovers

from harness.core.seeding import stream_seed

from .lab import CELLS, SEEDS, assert_equal_to, of_slow, stamps, start, wait_for_records


def test_kill_and_run_again(
    task: str, reference: Path, cli: Call, tmp_path: Path, environment: dict[str, str]
) -> None:
    running = start(tmp_path, environment, "grid", task, "--jobs", "1", seconds="0.4")
    wait_for_records(running, tmp_path / "runs", 2)
    os.killpg(running.pid, signal.SIGKILL)
    running.communicate()
    assert running.returncode == -signal.SIGKILL
    before = stamps(tmp_path / "runs")
    assert 2 <= len(before) < CELLS, "it was to be killed in the middle"
    (tmp_path / "built.log").unlink()

    ended = cli("grid", task)
    assert ended.code == 0
    assert f"{CELLS - len(before)} to run" in ended.err
    done = {r["cell"]["seed"] for r in of_slow(before)}
    assert set((tmp_path / "built.log").read_text().split()) == {
        str(stream_seed(seed, "init")) for seed in range(SEEDS) if seed not in done
    }, "no finished cell is run twice"
    after = stamps(tmp_path / "runs")
    assert {key: after[key] for key in before} == before
    assert_equal_to(reference, tmp_path)

    again = cli("grid", task)
    assert again.code == 0
    assert "0 to run" in again.err
    assert stamps(tmp_path / "runs") == after


def test_interrupt(task: str, cli: Call, tmp_path: Path, environment: dict[str, str]) -> None:
    running = start(tmp_path, environment, "grid", task, "--jobs", "1", seconds="0.4")
    wait_for_records(running, tmp_path / "runs", 1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=20)
    assert running.returncode == 130
    assert len([line for line in err.splitlines() if "interrupted" in line]) == 1
    assert err.splitlines()[-1].startswith("interrupted")
    assert "Traceback" not in err + out
    assert leftovers(tmp_path) == []
    before = stamps(tmp_path / "runs")
    assert 1 <= len(before) < CELLS
    assert cli("grid", task).code == 0
    after = stamps(tmp_path / "runs")
    assert len(after) == CELLS
    assert {key: after[key] for key in before} == before


@pytest.mark.slow
def test_interrupt_of_a_local_pool(task: str, tmp_path: Path, environment: dict[str, str]) -> None:
    """The same message, nothing from the jobs' own processes, and none of them goes on."""
    arguments = ("grid", task, "--launch", "local", "--jobs", "2", "seeds=60")
    running = start(tmp_path, environment, *arguments, seconds="0.4")
    wait_for_records(running, tmp_path / "runs", 1)
    running.send_signal(signal.SIGINT)
    out, err = running.communicate(timeout=30)
    assert running.returncode == 130
    before = stamps(tmp_path / "runs")
    time.sleep(1.5)
    assert stamps(tmp_path / "runs") == before
    assert "Traceback" not in err + out
    assert err.splitlines()[-1].startswith("interrupted")


def test_two_runs_from_cold_caches(
    task: str, reference: Path, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No result depends on what was cached."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cold"))
    ended = cli("grid", task, "--jobs", "1")
    assert ended.code == 0, ended.err
    assert (tmp_path / "cold" / "features").is_dir()
    assert_equal_to(reference, tmp_path)


@pytest.mark.slow
def test_local_pool_gives_the_same(task: str, reference: Path, cli: Call, tmp_path: Path) -> None:
    """No result depends on the process."""
    ended = cli("grid", task, "--launch", "local", "--jobs", "2")
    assert ended.code == 0, ended.err
    assert len(list((tmp_path / "runs" / "jobs").glob("*.json"))) == 2
    assert_equal_to(reference, tmp_path)


def test_two_grids_at_once(
    task: str, reference: Path, tmp_path: Path, environment: dict[str, str]
) -> None:
    both = [
        start(tmp_path, environment, "grid", task, "--reports", f"reports{i}", seconds="0.02")
        for i in range(2)
    ]
    for running in both:
        _, err = running.communicate(timeout=120)
        assert running.returncode == 0, err
        assert "Traceback" not in err
    assert hashes(tmp_path / "runs") == hashes(reference)
    assert leftovers(tmp_path) == []
