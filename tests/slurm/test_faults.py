"""Each fault on a real cluster; afterwards `grid` again completes the study."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import records

from . import faults
from .conftest import Cluster
from .faults import Observed
from .study import BATCHES, CELLS, Profile, Study, assert_complete, make_study

#: Waits for a fault, and returns what was observed.
Drill = Callable[[Callable[..., Observed]], Observed]


@pytest.fixture(scope="module")
def reference(
    cluster: Cluster, cache: Path, tmp_path_factory: pytest.TempPathFactory
) -> Study:  # fmt: skip
    """The same task, run in one process. It fills the cache that the jobs share."""
    study = make_study(tmp_path_factory.mktemp("slurm") / "inline", cluster, cache, {})
    study.go()
    ended = study.harness("grid", "tiny.yaml")
    assert ended.code == 0, ended.err
    return study


@pytest.fixture(scope="module")
def drill(cluster: Cluster, cache: Path, reference: Study) -> Iterator[Drill]:
    """All faults at once; asking for one waits for it."""

    def make(name: str, profile: Profile, cluster: Cluster = cluster) -> Study:
        return make_study(reference.folder.parent / name, cluster, cache, profile)

    with ThreadPoolExecutor(16) as pool:
        first = pool.submit(faults.undisturbed, make)
        running = {
            faults.scancel: pool.submit(faults.scancel, make),
            faults.cancel: pool.submit(faults.cancel, make),
            faults.preempted: pool.submit(faults.preempted, make, first),
            faults.node_down: pool.submit(faults.node_down, make, first),
            faults.stepd_killed: pool.submit(faults.stepd_killed, make),
            faults.over_time: pool.submit(faults.over_time, make),
            faults.controller_down: pool.submit(faults.controller_down, make),
            faults.undisturbed: first,
        }
        yield lambda fault: running[fault].result()


# --- what must be true after each ----------------------------------------------------------------


def test_batches_on_three_nodes_give_the_records_of_one_process(
    drill: Drill, reference: Study
) -> None:
    observed = drill(faults.undisturbed)
    assert observed["nodes"] == {"n1", "n2", "n3"}
    assert_complete(observed["study"].finish(), reference)
    ours, theirs = (records(study.runs).values() for study in (observed["study"], reference))
    assert None not in {r["environment"]["slurm_job"] for r in ours}
    commits = {r["environment"]["commit"] for r in (*ours, *theirs)}
    assert len(commits) == 1, "jobs run a copy of the code, and know of which commit"


def test_what_is_in_flight_is_not_submitted_again(drill: Drill) -> None:
    observed = drill(faults.undisturbed)
    assert observed["again"].code == 0, observed["again"].err
    assert "submitted" not in observed["again"].out
    assert len(observed["study"].built()) == CELLS
    assert len({job for _, job in observed["study"].built()}) == BATCHES


def test_scancel(drill: Drill, reference: Study) -> None:
    observed = drill(faults.scancel)
    (lost,) = observed["lost"]
    assert lost["key"] == observed["victim"]["key"]
    assert (lost["state"], lost["job"]) == ("CANCELLED", observed["victim"]["job"])
    assert (observed["study"].folder / lost["log"]).is_file()
    assert_complete(observed["study"].finish(), reference, observed["before"])


def test_cancel(drill: Drill, reference: Study) -> None:
    observed = drill(faults.cancel)
    assert len(observed["waiting"]) == CELLS - 2
    assert {cell["state"] for cell in observed["waiting"]} == {"PENDING"}
    assert observed["ended"].code == 0, observed["ended"].err
    assert len(observed["lost"]) == CELLS - 1
    assert {cell["state"] for cell in observed["lost"]} == {"CANCELLED"}
    assert_complete(observed["study"].finish(), reference, observed["before"])


def test_preemption(drill: Drill, reference: Study) -> None:
    observed = drill(faults.preempted)
    assert len(observed["study"].stamps()) == CELLS, "it should have gone on by itself"
    assert_complete(observed["study"].finish(), reference, observed["before"])


def test_a_lost_node(drill: Drill, reference: Study) -> None:
    observed = drill(faults.node_down)
    assert len(observed["alone"]) == CELLS, "SLURM requeues what was on the node"
    requeued, not_requeued = observed["lost"]
    assert requeued == []
    assert [cell["state"] for cell in not_requeued] == ["NODE_FAIL"]
    for study, before in zip(observed["studies"], observed["before"], strict=True):
        assert_complete(study.finish(), reference, before)


def test_kill_of_slurmstepd_and_two_copies_at_once(drill: Drill, reference: Study) -> None:
    observed = drill(faults.stepd_killed)
    assert [cell["key"] for cell in observed["lost"]] == [observed["victim"]["key"]]
    assert observed["orphans"], "the first copy should have gone on"
    assert len(observed["copies"]) == BATCHES + 1
    assert_complete(observed["study"].finish(), reference, observed["before"])


def test_time_limit(drill: Drill, reference: Study) -> None:
    observed = drill(faults.over_time)
    assert len(observed["lost"]) == BATCHES
    assert {cell["state"] for cell in observed["lost"]} == {"TIMEOUT"}
    for study, before in zip(observed["studies"], observed["before"], strict=True):
        assert_complete(study.finish(), reference, before)


def test_restart_of_the_controller(drill: Drill, reference: Study) -> None:
    observed = drill(faults.controller_down)
    assert [done.returncode for done in observed["control"]] == [0, 0]
    assert observed["refused"].code == 2
    assert len(observed["refused"].errors()) == 1
    assert "Unable to contact slurm controller" in observed["refused"].errors()[0]
    assert observed["status"].code == 3
    assert "the queue of the launcher slurm cannot be read" in observed["status"].out
    assert_complete(observed["finished"], reference, observed["before"])


@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({"partition": "nosuch"}, "invalid partition"),
        ({"gpus": 5}, "Requested node configuration is not available"),
    ],
    ids=["partition", "gpus"],
)
def test_what_sbatch_refuses(
    profile: Profile, message: str, cluster: Cluster, cache: Path, reference: Study, tmp_path: Path
) -> None:
    study = make_study(tmp_path / "study", cluster, cache, profile)
    ended = study.grid()
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert message in ended.errors()[0]
    assert "Traceback" not in ended.err
    assert list(study.runs.glob("jobs/*.json")) == []
    assert {cell["status"] for cell in study.status()} == {"waiting"}
