"""The slurm launcher as the study sees it: through the Protocol, against a SLURM of scripts."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.core import registry
from harness.core.cells import KeyedCell
from harness.core.errors import BadInput
from harness.core.protocols.launcher import Cancelled, Launched, Launcher, LaunchOptions
from harness.core.records import Record
from harness.core.store import Store
from harness.launch._batch_file import read_batches
from harness.launch.slurm import lock
from harness.launch.slurm.profile import NamedProfile, Profile
from harness.launch.slurm.queue import QueueError

from .examples import invented, request

SLURM = registry.load(Launcher, "slurm")
#: Cells of a resolution are a batch: two batches of three.
CELLS = [*invented(3, 48), *invented(3, 64)]
KEYS = [c.key for c in CELLS]
SETTINGS = NamedProfile(Profile(), "p.yaml")


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "runs")


def submit(store: Store, cells: Sequence[KeyedCell] = CELLS, **changes: Any) -> Launched:
    return SLURM.submit(request(store, cells, SETTINGS, **changes))


def put_record(store: Store, cell: KeyedCell, status: str = "done") -> None:
    store.write(Record(key=cell.key, cell=cell.cell.plain(), status=status))


def keys_of_jobs(store: Store) -> list[set[str]]:
    return [set(b.keys) for b in read_batches(store)]


def name_of_job(store: Store) -> str:
    """Of the last submission."""
    return read_batches(store)[-1].submission


def test_settings_are_the_profile_with_its_changes(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text("cpus: 2\n")
    file = str(tmp_path / "p.yaml")
    found = SLURM.settings(LaunchOptions(profile=file, changes=["memory=8G"]))
    assert found == NamedProfile(Profile(cpus=2, memory="8G"), file)
    assert SLURM.DETACHED is True


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (LaunchOptions(), "needs --profile FILE, or the name of one in slurm/: a100, cpu, test"),
        (LaunchOptions(profile="test", jobs=2), "--jobs belongs to inline and local; .*parallel=N"),
        (LaunchOptions(profile="tset"), "Did you mean 'test'"),
        (LaunchOptions(profile="test", changes=["cpu=2"]), "Did you mean 'cpus'"),
    ],
)
def test_options_that_are_refused(options: LaunchOptions, message: str) -> None:
    with pytest.raises(BadInput, match=message):
        SLURM.settings(options)


def test_a_forecast_submits_nothing(store: Store, fake_slurm: Any) -> None:
    found = SLURM.forecast(CELLS, lambda cell: 60.0, SETTINGS)
    assert (found.seconds, found.unit) == (360.0, "core-hours")
    assert found.hours == found.document["hours"] == pytest.approx((2 * 10 + 360) / 3600)
    assert "2 batches of 3 cells" in found.lines[0]
    assert fake_slurm.submitted() == []
    assert not store.root.exists()


def test_a_message_for_every_array(store: Store, fake_slurm: Any) -> None:
    launched = submit(store)
    name = name_of_job(store)
    assert launched == Launched((f"submitted job 70: 2 batches, 6 cells ({name})",))
    assert keys_of_jobs(store) == [set(KEYS[:3]), set(KEYS[3:])]
    assert not (store.root / "jobs" / "submitting").exists()


def test_cells_in_jobs_and_cells_done_meanwhile_are_not_submitted(
    store: Store, fake_slurm: Any
) -> None:
    """Another command may have submitted or run them since these cells were planned."""
    submit(store, CELLS[:2])
    fake_slurm.answer("queue", f"70|0|PENDING|Priority||{name_of_job(store)}")
    put_record(store, CELLS[2])
    put_record(store, CELLS[3], "failed")
    again = submit(store, CELLS)
    assert again.messages[0].startswith("submitted job 71: 1 batch, 3 cells")
    assert keys_of_jobs(store)[-1] == set(KEYS[3:]), "a failed cell is tried again"


def test_what_does_not_end_within_a_job_is_told(store: Store, fake_slurm: Any) -> None:
    told = submit(store, cost=lambda cell: 6 * 3600.0).messages[-1]
    assert told == (
        "note: 6 batches have a training longer than the 14400 s of a job (the longest takes about "
        "21600 s): it goes on from checkpoints over 2 jobs, one after the other"
    )


def test_where_nothing_is_left_there_is_no_message(store: Store, fake_slurm: Any) -> None:
    for cell in CELLS:
        put_record(store, cell)
    assert submit(store) == Launched()
    assert fake_slurm.submitted() == []


def test_done_cells_that_are_to_be_replaced_are_submitted(store: Store, fake_slurm: Any) -> None:
    for cell in CELLS:
        put_record(store, cell)
    store.replacing.update(KEYS[:3])
    assert "1 batch, 3 cells" in submit(store).messages[0]
    (batch,) = read_batches(store)
    assert set(batch.replacing) == set(KEYS[:3])


def test_slurm_that_does_not_answer_gets_no_jobs(store: Store, fake_slurm: Any) -> None:
    """Without its answer nobody knows whether the cells are in jobs."""
    submit(store)
    fake_slurm.answer("down", "slurm_load_jobs error: Unable to contact slurm controller")
    for call in (lambda: submit(store), lambda: SLURM.cancel(store, KEYS, "tiny")):
        with pytest.raises(QueueError, match=r"^squeue: Unable to contact slurm controller$"):
            call()
    assert len(fake_slurm.submitted()) == 1
    assert fake_slurm.received("cancelled") == ""
    assert not (store.root / "jobs" / "submitting").exists()


def test_one_submission_at_a_time(
    store: Store, fake_slurm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "WAIT_SECONDS", 0.0)
    path = store.root / "jobs" / "submitting"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": "elsewhere", "pid": os.getpid()}))
    with pytest.raises(BadInput, match="another process submits to this runs folder"):
        submit(store)
    assert fake_slurm.submitted() == []


def test_the_status_of_submitted_cells(store: Store, fake_slurm: Any) -> None:
    submit(store)
    fake_slurm.answer("queue", f"70|0|RUNNING|None|n1|{name_of_job(store)}")
    report = SLURM.status(store, KEYS, ())
    assert report.in_flight() == set(KEYS[:3])
    assert {report.jobs[key].state for key in KEYS[3:]} == {"CANCELLED"}
    assert report.problem is None


def test_only_jobs_of_the_task_are_cancelled(store: Store, fake_slurm: Any) -> None:
    submit(store, CELLS[:3])
    first = name_of_job(store)
    submit(store, CELLS[3:], task_name="other")
    other = name_of_job(store)
    queue = (f"70|0|RUNNING|None|n1|{first}", f"71|0|RUNNING|None|n2|{other}")
    fake_slurm.answer("queue", *queue)
    put_record(store, CELLS[0])
    assert SLURM.cancel(store, KEYS, "tiny") == Cancelled(jobs=1, cells=2)
    assert fake_slurm.received("cancelled") == "70_0\n"
    fake_slurm.answer("queue", queue[0].replace("RUNNING", "CANCELLED"), queue[1])
    assert SLURM.cancel(store, KEYS, "tiny") == Cancelled()
