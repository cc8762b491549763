"""What would be submitted: batches of a useful length, their hours, and how they are described."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cells import KeyedCell
from harness.launch.slurm.layout import SubmissionLayout, forecast, lay_out
from harness.launch.slurm.limits import Limits
from harness.launch.slurm.profile import NamedProfile, Profile
from harness.launch.slurm.requeues import START_SECONDS

from ..examples import invented

CELLS = invented(100)
CELL_SECONDS = 60.0


def laid_out(
    cells: list[KeyedCell] = CELLS, limits: Limits | None = None, **keys: Any
) -> SubmissionLayout:
    profile = NamedProfile(Profile.model_validate(keys), "p.yaml")
    return lay_out(cells, profile, lambda cell: CELL_SECONDS, limits or Limits())


def test_a_batch_is_as_long_as_the_profile_says() -> None:
    layout = laid_out(pack="10m")
    assert [len(b.cells) for b in layout.batches] == [10] * 10
    assert [layout.seconds(b) for b in layout.batches] == [START_SECONDS + 600] * 10
    assert sorted(c.key for b in layout.batches for c in b.cells) == sorted(c.key for c in CELLS)
    wide = laid_out(pack="10m", cpus=4)
    assert [len(b.cells) for b in wide.batches] == [34, 33, 33], "four cells at once"
    assert wide.seconds(wide.batches[0]) == START_SECONDS + 34 * CELL_SECONDS / 4


@pytest.mark.parametrize("limits", [Limits(array=4), Limits(array=1000, jobs=4)])
def test_batches_are_longer_where_there_would_be_too_many(limits: Limits) -> None:
    assert [len(b.cells) for b in laid_out(limits=limits, pack="1m", time="1d").batches] == [25] * 4
    short = laid_out(limits=limits, pack="1m", time="20m")
    assert max(len(b.cells) for b in short.batches) == 15, "80% of the time limit at most"
    assert short.too_long == 0


def test_hours_count_all_cores_and_all_gpus() -> None:
    cores = laid_out(pack="10m", cpus=4, tasks_per_node=2, nodes=3)
    jobs = 10 * (START_SECONDS + 600) / 3600
    assert (cores.unit, cores.hours) == ("core-hours", pytest.approx(24 * jobs))
    assert cores.gpu_hours == 0
    gpus = laid_out(pack="10m", cpus=8, gpus=2, nodes=3)
    assert (gpus.unit, gpus.hours) == ("GPU-hours", pytest.approx(6 * jobs))
    assert gpus.core_hours == pytest.approx(24 * jobs)


def test_a_plan_in_words() -> None:
    layout = laid_out(CELLS[:26], pack="10m", cpus=2, gpus=1, memory="8G", parallel=7, time="10m")
    lines = forecast(layout, 26 * CELL_SECONDS).lines
    assert lines == [
        "  3 batches of 8 to 9 cells, at most 7 at once, the longest about 9.2 min",
        "  about 0.44 GPU-hours in all",
        "  p.yaml: --cpus-per-task=2 --gpus-per-node=1 --mem=8G --nodes=1 --ntasks-per-node=1 "
        "--requeue --signal=USR2@90 --time=10",
    ]
    note = forecast(laid_out(CELLS[:2], time="2m", grace=30, pack="2m"), 2 * CELL_SECONDS).lines[-1]
    assert note == ("  note: 1 batch may not end within the time limit: requeued up to 10 times")
    assert forecast(laid_out([]), 0.0).lines == []


def test_the_limits_of_the_cluster_in_words() -> None:
    assert laid_out(limits=Limits(array=3, jobs=5), pack="1m", time="20m").limits.wanted == 3
    limits = Limits(3, 5, ("an assumption",))
    lines = forecast(laid_out(limits=limits, pack="1m", time="20m"), 100 * CELL_SECONDS).lines
    assert lines[-3:] == [
        "  note: an assumption",
        "  note: 7 batches are 3 job arrays",
        "  note: 7 batches are more than the 5 jobs that SLURM takes of you at once; it may refuse "
        "them: give batches more time (time, pack)",
    ]


def test_a_plan_as_data() -> None:
    layout = laid_out(CELLS[:20], pack="10m", partition="gpu")
    found = forecast(layout, 20 * CELL_SECONDS)
    document = found.document
    assert found.seconds == 1200.0
    assert (document["hours"], document["unit"]) == (found.hours, "core-hours")
    assert document["core_hours"] == found.hours > document["gpu_hours"] == 0
    assert (document["profile"], document["sbatch"]["partition"]) == ("p.yaml", "gpu")
    assert [len(p["cells"]) for p in document["packs"]] == [10, 10]
    assert {p["seconds"] for p in document["packs"]} == {START_SECONDS + 600}
