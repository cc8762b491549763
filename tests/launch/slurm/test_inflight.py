"""Batch files joined with what SLURM knows: the job of every cell, its state and its log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.store import Store
from harness.launch._batch_file import JobSettings, write_batches
from harness.launch.slurm.inflight import find_jobs, log_of, report
from harness.plan.batches import Batch

from ..examples import invented, request

CELLS = invented(4)
KEYS = [c.key for c in CELLS]


def submitted(store: Store, name: str, *sizes: int, launcher: str = "slurm") -> None:
    """Batches of the first cells, as one array."""
    cells = iter(CELLS)
    parts = [Batch(tuple(next(cells) for _ in range(size)), 1.0) for size in sizes]
    write_batches(parts, request(store, CELLS, None), name, JobSettings(launcher))


def end(store: Store, key: str) -> None:
    """Write something like a Record."""
    store.path(key).parent.mkdir(parents=True, exist_ok=True)
    store.path(key).write_text("{}")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


def test_every_cell_has_the_job_of_its_batch(store: Store, fake_slurm: Any) -> None:
    submitted(store, "tiny-a", 2, 1)
    fake_slurm.answer("queue", "70|0|RUNNING|None|n1|tiny-a", "70|1|PENDING|Priority||tiny-a")
    jobs = report(store, KEYS).jobs
    assert jobs.keys() == set(KEYS[:3]), "the last cell was never submitted"
    first, second, third = (jobs[key] for key in KEYS[:3])
    assert first == second
    assert (first.batch, first.task, first.id) == ("tiny-a-0", "tiny", "70_0")
    assert (first.live, first.waiting, first.over) == (True, False, False)
    assert (first.state, first.node) == ("RUNNING", "n1")
    assert (third.live, third.waiting, third.id) == (True, True, "70_1")
    assert (third.node, third.reason) == (None, "job 70_1 PENDING: Priority")
    assert report(store, KEYS).in_flight() == set(KEYS[:3])


def test_a_live_job_counts_before_a_later_one_and_else_the_last(
    store: Store, fake_slurm: Any
) -> None:
    for name in ("tiny-a", "tiny-b", "tiny-c"):
        submitted(store, name, 1)
    ended = [f"7{n}|0|TIMEOUT|None|n1|tiny-{name}" for n, name in enumerate("abc")]
    fake_slurm.answer("queue", *ended)
    assert report(store, KEYS).jobs[KEYS[0]].id == "72_0"
    fake_slurm.answer("queue", ended[0].replace("TIMEOUT", "RUNNING"), *ended[1:])
    assert report(store, KEYS).jobs[KEYS[0]].id == "70_0"


def test_whether_a_job_has_written_its_cell(store: Store, fake_slurm: Any) -> None:
    end(store, KEYS[0])  # before the submission, and to be replaced
    submitted(store, "tiny-a", 3)
    end(store, KEYS[1])
    fake_slurm.answer("queue", "70|0|RUNNING|None|n1|tiny-a")
    jobs = report(store, KEYS, done=KEYS[:2]).jobs
    assert [jobs[key].over for key in KEYS[:3]] == [False, True, False]


def test_the_end_of_the_log_without_empty_lines(store: Store, fake_slurm: Any) -> None:
    submitted(store, "tiny-a", 1, 1)
    fake_slurm.answer("queue", "70|0|RUNNING|None|n1|tiny-a", "70|1|PENDING|Priority||tiny-a")
    log = log_of(store, "tiny-a", "70_0")
    log.parent.mkdir(parents=True)
    log.write_text("x" * 9000 + "\n" + "".join(f"line {n}\n\n" for n in range(30)))
    jobs = report(store, KEYS).jobs
    assert jobs[KEYS[0]].log == log
    assert list(jobs[KEYS[0]].tail) == [f"line {n}" for n in range(20, 30)]
    assert (jobs[KEYS[1]].log, list(jobs[KEYS[1]].tail)) == (None, [])


def test_slurm_that_does_not_answer_is_a_problem_of_the_report(
    store: Store, fake_slurm: Any
) -> None:
    submitted(store, "tiny-a", 2)
    fake_slurm.answer("down", "slurm_load_jobs error: Unable to contact slurm controller")
    found = report(store, KEYS)
    assert found.problem == "squeue: Unable to contact slurm controller"
    assert found.in_flight() == set()
    job = found.jobs[KEYS[0]]
    assert (job.reason, job.id, job.state) == (found.problem, None, "UNKNOWN")


def test_slurm_is_asked_about_unfinished_batches_of_these_cells_only(
    store: Store, fake_slurm: Any
) -> None:
    submitted(store, "tiny-a", 2)
    submitted(store, "tiny-b", 3)
    submitted(store, "tiny-local", 3, launcher="local")
    assert report(store, KEYS[3:]).jobs == {}
    assert fake_slurm.received("asked") == ""
    for key in KEYS[:2]:
        end(store, key)
    jobs = find_jobs(store, KEYS, done=KEYS[:2])
    (asked,) = fake_slurm.received("asked").splitlines()
    assert "--name=tiny-b " in asked
    assert {found.batch.submission for found in jobs.by_key.values()} == {"tiny-b"}


def test_without_submissions_slurm_need_not_be_installed(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert report(store, KEYS).problem is None
