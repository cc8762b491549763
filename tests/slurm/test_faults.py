"""Each fault on a real cluster, and `grid` again makes the study whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import records

from . import faults
from .conftest import Cluster
from .faults import Seen
from .study import CELLS, PACKS, Profile, Study, assert_whole, make_study

#: Waits for a fault, and says what was seen.
Drill = Callable[[Callable[..., Seen]], Seen]


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


def test_packs_on_three_nodes_give_the_records_of_one_process(
    drill: Drill, reference: Study
) -> None:
    seen = drill(faults.undisturbed)
    assert seen["nodes"] == {"n1", "n2", "n3"}
    assert_whole(seen["study"].look(), reference)
    ours, theirs = (records(study.runs).values() for study in (seen["study"], reference))
    assert None not in {r["environment"]["slurm_job"] for r in ours}
    commits = {r["environment"]["commit"] for r in (*ours, *theirs)}
    assert len(commits) == 1, "jobs run a copy of the code, and know of which commit"


def test_what_is_in_flight_is_not_submitted_again(drill: Drill) -> None:
    seen = drill(faults.undisturbed)
    assert seen["again"].code == 0, seen["again"].err
    assert "submitted" not in seen["again"].out
    assert len(seen["study"].built()) == CELLS
    assert len({job for _, job in seen["study"].built()}) == PACKS


def test_scancel(drill: Drill, reference: Study) -> None:
    seen = drill(faults.scancel)
    (lost,) = seen["lost"]
    assert lost["key"] == seen["victim"]["key"]
    assert (lost["state"], lost["job"]) == ("CANCELLED", seen["victim"]["job"])
    assert (seen["study"].folder / lost["log"]).is_file()
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_cancel(drill: Drill, reference: Study) -> None:
    seen = drill(faults.cancel)
    assert len(seen["waiting"]) == CELLS - 2
    assert {cell["state"] for cell in seen["waiting"]} == {"PENDING"}
    assert seen["ended"].code == 0, seen["ended"].err
    assert len(seen["lost"]) == CELLS - 1
    assert {cell["state"] for cell in seen["lost"]} == {"CANCELLED"}
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_preemption(drill: Drill, reference: Study) -> None:
    seen = drill(faults.preempted)
    assert len(seen["study"].stamps()) == CELLS, "it was to go on by itself"
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_a_lost_node(drill: Drill, reference: Study) -> None:
    seen = drill(faults.node_down)
    assert len(seen["alone"]) == CELLS, "SLURM requeues what was on the node"
    requeued, not_requeued = seen["lost"]
    assert requeued == []
    assert [cell["state"] for cell in not_requeued] == ["NODE_FAIL"]
    for study, before in zip(seen["studies"], seen["before"], strict=True):
        assert_whole(study.look(), reference, before)


def test_kill_of_slurmstepd_and_two_copies_at_once(drill: Drill, reference: Study) -> None:
    seen = drill(faults.stepd_killed)
    assert [cell["key"] for cell in seen["lost"]] == [seen["victim"]["key"]]
    assert seen["orphans"], "the first copy was to go on"
    assert len(seen["copies"]) == PACKS + 1
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_time_limit(drill: Drill, reference: Study) -> None:
    seen = drill(faults.over_time)
    assert len(seen["lost"]) == PACKS
    assert {cell["state"] for cell in seen["lost"]} == {"TIMEOUT"}
    for study, before in zip(seen["studies"], seen["before"], strict=True):
        assert_whole(study.look(), reference, before)


def test_restart_of_the_controller(drill: Drill, reference: Study) -> None:
    seen = drill(faults.controller_down)
    assert [done.returncode for done in seen["control"]] == [0, 0]
    assert seen["refused"].code == 2
    assert len(seen["refused"].errors()) == 1
    assert "Unable to contact slurm controller" in seen["refused"].errors()[0]
    assert seen["status"].code == 3
    assert "SLURM cannot be asked" in seen["status"].out
    assert_whole(seen["whole"], reference, seen["before"])


@pytest.mark.parametrize(
    ("profile", "said"),
    [
        ({"partition": "nosuch"}, "invalid partition"),
        ({"gpus": 5}, "Requested node configuration is not available"),
    ],
    ids=["partition", "gpus"],
)
def test_what_sbatch_refuses(
    profile: Profile, said: str, cluster: Cluster, cache: Path, reference: Study, tmp_path: Path
) -> None:
    study = make_study(tmp_path / "study", cluster, cache, profile)
    ended = study.grid()
    assert ended.code == 2
    assert len(ended.errors()) == 1
    assert said in ended.errors()[0]
    assert "Traceback" not in ended.err
    assert list(study.runs.glob("jobs/*.json")) == []
    assert {cell["status"] for cell in study.status()} == {"waiting"}
