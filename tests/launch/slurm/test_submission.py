"""Job arrays: what sbatch is given, and nothing left of a submission that it does not accept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core.protocols.launcher import LaunchRequest
from harness.core.store import Store
from harness.launch._batch_file import read_batches
from harness.launch.slurm.layout import lay_out
from harness.launch.slurm.limits import Limits
from harness.launch.slurm.profile import NamedProfile, Profile
from harness.launch.slurm.queue import QueueError
from harness.launch.slurm.submission import Submission, submit_arrays

from ..examples import invented, request

#: Cells of a resolution are a batch: two batches.
CELLS = [*invented(2, 48), *invented(3, 64)]
PROFILE = Profile.model_validate({"partition": "gpu", "cpus": 2, "requeue": False, "timeouts": 3})


def submit(asked: LaunchRequest, limits: Limits | None = None) -> list[Submission]:
    return submit_arrays(
        lay_out(asked.cells, asked.settings, asked.cost, limits or Limits()), asked
    )


@pytest.fixture
def asked(tmp_path: Path) -> LaunchRequest:
    made: LaunchRequest = request(
        Store(tmp_path / "runs"), CELLS, NamedProfile(PROFILE, "p.yaml"), logs=["jsonl"]
    )
    return made


def left_over(asked: LaunchRequest) -> list[str]:
    """Batch files, and folders of logs."""
    logs = asked.store.root / "logs"
    return [*(b.id for b in read_batches(asked.store)), *(p.name for p in logs.glob("*"))]


def test_an_array_of_batches(asked: LaunchRequest, fake_slurm: Any) -> None:
    (submission,) = submit(asked)
    assert (submission.job, submission.batches, submission.cells) == ("70", 2, 5)
    first, second = read_batches(asked.store)
    assert (len(first.keys), len(second.keys)) == (3, 2), "the longest first"
    assert {first.submission, second.submission} == {submission.name}
    assert (first.launcher, first.threads, first.requeue) == ("slurm", 2, False)
    assert first.logs == ("jsonl",)
    (script,) = fake_slurm.submitted()
    for line in ("--array=0-1%2", f"--job-name={submission.name}", "--partition=gpu",
                 "--no-requeue", "--time=240"):  # fmt: skip
        assert f"#SBATCH {line}\n" in script
    (code,) = (asked.store.root / "jobs").glob("code-*")
    assert f"export PYTHONPATH={code.resolve()}" in script
    assert "wckey" not in script


def test_nothing_is_submitted_for_no_cells(asked: LaunchRequest, fake_slurm: Any) -> None:
    assert submit_arrays(lay_out([], asked.settings, asked.cost), asked) == []
    assert fake_slurm.submitted() == []
    assert not asked.store.root.exists()


def test_a_refusal_leaves_nothing(asked: LaunchRequest, fake_slurm: Any) -> None:
    fake_slurm.answer("refusal", "sbatch: error: invalid partition specified: gpu")
    with pytest.raises(QueueError) as caught:
        submit(asked)
    assert str(caught.value) == ("p.yaml: sbatch refused the job: invalid partition specified: gpu")
    assert left_over(asked) == []
    assert fake_slurm.received("cancelled") == ""


def test_all_arrays_or_none(asked: LaunchRequest, fake_slurm: Any) -> None:
    """The second of two arrays is refused: the first is cancelled."""
    fake_slurm.refuse_from(1)
    with pytest.raises(QueueError, match="no more jobs"):
        submit(asked, Limits(array=1))
    assert fake_slurm.received("cancelled") == "70\n"
    assert left_over(asked) == []


def test_an_interrupted_submission_is_taken_back(
    asked: LaunchRequest, fake_slurm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C after sbatch has accepted and before its answer is known."""

    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("submitit.core.utils.JobPaths.move_temporary_file", interrupt)
    with pytest.raises(KeyboardInterrupt):
        submit(asked)
    assert len(fake_slurm.submitted()) == 1
    assert fake_slurm.received("cancelled").startswith("--name=tiny-")
    assert left_over(asked) == []


def test_without_slurm_nothing_is_written(
    asked: LaunchRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(QueueError, match="there is no sbatch here"):
        submit(asked)
    assert not asked.store.root.exists()
