"""What squeue and sacct print, as the state of every job; a SLURM that fails in one line."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.launch.slurm import queue
from harness.launch.slurm.queue import NO_JOB, Job, QueueError


def test_the_queue_comes_before_the_accounting(fake_slurm: Any) -> None:
    fake_slurm.answer(
        "queue", "71|0|RUNNING|None|n1|few-a", "71|1|PENDING|Priority||few-a",
        "72|N/A|COMPLETED|None|n2|few-b",
    )  # fmt: skip
    fake_slurm.answer(
        "accounts", "71_0|NODE_FAIL|n3|few-a", "71_[2-3,5%4]|CANCELLED by 0|None assigned|few-a",
        "73|OUT_OF_MEMORY|n1|few-c", "74|RUNNING|n1|few-d",
    )  # fmt: skip
    jobs = queue.ask({"few-a", "few-b", "few-c", "few-d"}, 1e9)
    known = {
        ("few-a", 0): Job("71_0", "RUNNING", "None", "n1"),
        ("few-a", 1): Job("71_1", "PENDING", "Priority", ""),
        ("few-a", 2): Job("71_2", "CANCELLED"),
        ("few-a", 3): Job("71_3", "CANCELLED"),
        ("few-a", 4): Job("71_4", "CANCELLED", "before it began"),
        ("few-a", 5): Job("71_5", "CANCELLED"),
        ("few-b", 0): Job("72", "COMPLETED", "None", "n2"),
        ("few-c", 0): Job("73", "OUT_OF_MEMORY", "", "n1"),
        ("few-d", 0): Job("74", "UNKNOWN", "", "n1"),
        ("few-e", 0): NO_JOB,
    }
    jobs_of = {element: jobs.of(*element) for element in known}
    assert jobs_of == known
    assert {element for element in known if jobs_of[element].live} == {("few-a", 0), ("few-a", 1)}
    assert str(jobs_of["few-a", 1]) == "job 71_1 PENDING: Priority"
    assert str(jobs_of["few-a", 4]) == "job 71_4 CANCELLED: before it began"
    assert "does not know it" in str(jobs_of["few-d", 0])


def test_slurm_is_not_asked_about_no_job(fake_slurm: Any) -> None:
    assert queue.ask([], 0.0).of("few", 0) == NO_JOB
    assert fake_slurm.received("asked") == ""


def test_a_cluster_without_accounts(fake_slurm: Any) -> None:
    bin_folder = fake_slurm.folder / "bin"
    (bin_folder / "sacct").write_text("#!/bin/sh\necho no accounting >&2\nexit 1\n")
    fake_slurm.answer("queue", "71|0|RUNNING|None|n1|few")
    assert queue.ask({"few"}, 0.0).of("few", 0).live


def test_a_controller_that_does_not_answer(fake_slurm: Any) -> None:
    fake_slurm.answer("down", "slurm_load_jobs error: Unable to contact slurm controller")
    with pytest.raises(QueueError, match=r"squeue: .*Unable to contact"):
        queue.ask({"few"}, 0.0)


def test_a_program_that_hangs(fake_slurm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (fake_slurm.folder / "bin" / "squeue").write_text("#!/bin/sh\nexec sleep 30\n")
    monkeypatch.setattr(queue, "TIMEOUT_SECONDS", 0.2)
    with pytest.raises(QueueError, match="squeue did not answer within 0 s"):
        queue.ask({"few"}, 0.0)


def test_jobs_are_cancelled_in_one_call(fake_slurm: Any) -> None:
    queue.cancel([])
    assert fake_slurm.received("cancelled") == ""
    queue.cancel(["71_0", "72"])
    assert fake_slurm.received("cancelled") == "71_0 72\n"


def test_no_slurm_at_all(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueError, match="there is no squeue here"):
        queue.ask({"few"}, 0.0)


def test_errors_in_one_line() -> None:
    text = "sbatch: error: invalid partition\nsbatch: error: Batch job submission failed: x\n"
    assert queue.error_line(text) == "invalid partition; Batch job submission failed: x"
    assert queue.error_line("") == "failed without a message"
