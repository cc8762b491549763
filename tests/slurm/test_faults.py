"""What happens to jobs on a cluster, on a real one: each fault, and `grid` again makes it whole.

All faults run side by side, each a study in a thread of its own, because most of their time is
waiting for SLURM. A fault keeps to nodes and partitions where it hits nobody else.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from conftest import records

from .conftest import Cluster, start_cluster
from .study import CELLS, PACKS, Profile, Study, assert_whole, make_study, wait_for

#: Where a fault hits nodes, it is this one; studies of other faults stay away from it.
FRAIL, STURDY = "n3", "n1|n2"

Make = Callable[..., Study]
Seen = dict[str, Any]
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


# --- the faults: each returns its study and what was seen meanwhile ------------------------------


def _undisturbed(make: Make) -> Seen:
    study = make("undisturbed", {"gpus": 3})  # of the four of a node: a pack a node
    study.go()
    study.submit()
    again = study.grid()
    nodes: set[str] = set()

    def ended() -> bool:
        jobs = study.queue()
        nodes.update(job[2] for job in jobs if len(job) > 2)
        return not jobs

    wait_for(ended, "three packs")
    return {"study": study, "again": again, "nodes": nodes}


def _scancel(make: Make) -> Seen:
    study = make("scancel", {"constraint": STURDY})
    study.submit()
    before = study.wait_for_the_middle()
    (victim, *_) = study.with_status("running")
    study.cluster.ask("scancel", victim["job"])
    wait_for(lambda: len(study.queue()) == PACKS - 1, "the end of the job")
    study.go()
    study.wait_for_the_end()
    lost = study.with_status("lost")
    study.submit()
    study.wait_for_the_end()
    return {"study": study, "before": before, "victim": victim, "lost": lost}


def _cancel(make: Make) -> Seen:
    study = make("cancel", {"constraint": STURDY, "parallel": 1})
    study.submit()
    before = study.wait_for_the_middle(1)
    waiting = study.with_status("waiting")
    ended = study.harness("cancel", "tiny.yaml")
    study.wait_for_the_end()
    lost = study.with_status("lost")
    study.go()
    study.submit()
    study.wait_for_the_end()
    return {"study": study, "before": before, "waiting": waiting, "ended": ended, "lost": lost}


def _preempted(make: Make, undisturbed: Future[Seen]) -> Seen:
    """All GPUs of a node are taken for something more important; the pack comes back by itself."""
    undisturbed.exception()  # it needs a node's GPUs too
    study = make("preempted", {"partition": "low", "gpus": 4, "constraint": "n1"})
    job = study.submit()
    before = study.wait_for_the_middle(1)
    study.cluster.ask("sbatch", "-p", "high", "-C", "n1", "--gpus-per-node=4", "-o", "/dev/null",
                      "--wrap", "sleep 1")  # fmt: skip
    wait_for(lambda: study.restarts(job) == 1, "the requeued pack")
    study.go()
    study.wait_for_the_end()
    return {"study": study, "before": before}


def _node_down(make: Make, undisturbed: Future[Seen]) -> Seen:
    """One of two studies may be requeued by SLURM, one may not."""
    undisturbed.exception()  # it needs three nodes
    studies = [
        make(f"node_down_{requeue}", {"constraint": FRAIL, "requeue": requeue, "parallel": 1})
        for requeue in (True, False)
    ]
    jobs = [study.submit() for study in studies]
    before = [study.wait_for_the_middle(1) for study in studies]
    control = ("scontrol", "update", f"nodename={FRAIL}")
    studies[0].cluster.ask(*control, "state=down", "reason=test")
    wait_for(lambda: studies[0].restarts(jobs[0]) == 1, "the requeued pack")
    lost = [study.with_status("lost") for study in studies]
    studies[0].cluster.ask(*control, "state=resume")
    for study in studies:
        study.go()
        study.wait_for_the_end()
    alone = studies[0].stamps()
    studies[1].submit()
    studies[1].wait_for_the_end()
    return {"studies": studies, "before": before, "lost": lost, "alone": alone}


def _stepd_killed(make: Make) -> Seen:
    """The job ends, but its process goes on without the one that watched over it."""
    study = make("stepd_killed", {"constraint": STURDY})
    study.submit()
    before = study.wait_for_the_middle()
    (victim, *_) = study.with_status("running")
    told = study.cluster.ask("scontrol", "show", "job", victim["job"], "-o")
    number = told.split("JobId=")[1].split()[0]
    for pid in processes(f"slurmstepd: [{number}.0]"):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(study.queue()) == PACKS - 1, "the end of the job")
    lost = study.with_status("lost")
    study.submit()
    wait_for(lambda: len(study.built()) == CELLS + 1, "a second copy")
    copies = [job for seed, job in study.built() if seed == "1"]
    orphans = job_processes(number)
    study.go()
    study.wait_for_the_end()
    wait_for(lambda: not job_processes(number), "the end of the first copy")
    return {"study": study, "before": before, "victim": victim, "lost": lost, "orphans": orphans,
            "copies": copies}  # fmt: skip


def processes(command: str) -> list[int]:
    """Processes whose command begins so."""
    return [pid for pid, told in _read("cmdline").items() if told.startswith(command)]


def job_processes(number: str) -> list[int]:
    """Processes that were started in a job."""
    return [pid for pid, told in _read("environ").items() if f"\0SLURM_JOB_ID={number}\0" in told]


def _read(what: str) -> dict[int, str]:
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found[int(process.name)] = (process / what).read_text(errors="replace")
    return found


def _over_time(make: Make) -> Seen:
    """No pack ends within its minute. One study may be requeued, one may not."""
    short = {"time": "1m", "grace": 10, "constraint": STURDY}
    studies = [
        make(f"over_time_{requeue}", short | {"requeue": requeue}) for requeue in (True, False)
    ]
    jobs = [study.submit() for study in studies]
    before = [study.wait_for_the_middle() for study in studies]
    studies[1].wait_for_the_end()
    lost = studies[1].with_status("lost")
    wait_for(lambda: studies[0].restarts(jobs[0]) >= PACKS, "the requeued packs")
    for study in studies:
        study.go()
    studies[1].submit()
    for study in studies:
        study.wait_for_the_end()
    return {"studies": studies, "before": before, "lost": lost}


def _controller_down(make: Make) -> Seen:
    """On a cluster of its own. Jobs go on meanwhile; nothing can be asked or submitted."""
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:
        own = start_cluster(Path(folder) / "c")
        try:
            study = make("controller", {}, own)
            study.submit()
            before = study.wait_for_the_middle()
            control = [own.control("down", "slurmctld")]
            refused = study.grid()
            status = study.harness("status", "tiny.yaml")
            study.go()
            wait_for(lambda: len(study.stamps()) == CELLS, "all Records")
            control.append(own.control("up", "slurmctld"))
            wait_for(own.is_up, "the controller")
            study.wait_for_the_end()
            whole = study.look()
        finally:
            own.control("stop")
    return {"study": study, "before": before, "control": control, "refused": refused,
            "status": status, "whole": whole}  # fmt: skip


@pytest.fixture(scope="module")
def drill(cluster: Cluster, cache: Path, reference: Study) -> Iterator[Drill]:
    """All faults at once; asking for one waits for it."""

    def make(name: str, profile: Profile, cluster: Cluster = cluster) -> Study:
        return make_study(reference.folder.parent / name, cluster, cache, profile)

    with ThreadPoolExecutor(16) as pool:
        first = pool.submit(_undisturbed, make)
        running = {
            _scancel: pool.submit(_scancel, make),
            _cancel: pool.submit(_cancel, make),
            _preempted: pool.submit(_preempted, make, first),
            _node_down: pool.submit(_node_down, make, first),
            _stepd_killed: pool.submit(_stepd_killed, make),
            _over_time: pool.submit(_over_time, make),
            _controller_down: pool.submit(_controller_down, make),
            _undisturbed: first,
        }
        yield lambda fault: running[fault].result()


# --- what must be true after each ----------------------------------------------------------------


def test_packs_on_three_nodes_give_the_records_of_one_process(
    drill: Drill, reference: Study
) -> None:
    seen = drill(_undisturbed)
    assert seen["nodes"] == {"n1", "n2", "n3"}
    assert_whole(seen["study"].look(), reference)
    ours, theirs = (records(study.runs).values() for study in (seen["study"], reference))
    assert None not in {r["environment"]["slurm_job"] for r in ours}
    commits = {r["environment"]["commit"] for r in (*ours, *theirs)}
    assert len(commits) == 1
    assert None not in commits


def test_what_is_in_flight_is_not_submitted_again(drill: Drill) -> None:
    seen = drill(_undisturbed)
    assert seen["again"].code == 0, seen["again"].err
    assert "submitted" not in seen["again"].out
    assert len(seen["study"].built()) == CELLS
    assert len({job for _, job in seen["study"].built()}) == PACKS


def test_scancel(drill: Drill, reference: Study) -> None:
    seen = drill(_scancel)
    (lost,) = seen["lost"]
    assert lost["key"] == seen["victim"]["key"]
    assert (lost["state"], lost["job"]) == ("CANCELLED", seen["victim"]["job"])
    assert (seen["study"].folder / lost["log"]).is_file()
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_cancel(drill: Drill, reference: Study) -> None:
    seen = drill(_cancel)
    assert len(seen["waiting"]) == CELLS - 2
    assert {cell["state"] for cell in seen["waiting"]} == {"PENDING"}
    assert seen["ended"].code == 0, seen["ended"].err
    assert len(seen["lost"]) == CELLS - 1
    assert {cell["state"] for cell in seen["lost"]} == {"CANCELLED"}
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_preemption(drill: Drill, reference: Study) -> None:
    seen = drill(_preempted)
    assert len(seen["study"].stamps()) == CELLS, "it was to go on by itself"
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_a_lost_node(drill: Drill, reference: Study) -> None:
    seen = drill(_node_down)
    assert len(seen["alone"]) == CELLS, "SLURM requeues what was on the node"
    requeued, not_requeued = seen["lost"]
    assert requeued == []
    assert [cell["state"] for cell in not_requeued] == ["NODE_FAIL"]
    for study, before in zip(seen["studies"], seen["before"], strict=True):
        assert_whole(study.look(), reference, before)


def test_kill_of_slurmstepd_and_two_copies_at_once(drill: Drill, reference: Study) -> None:
    seen = drill(_stepd_killed)
    assert [cell["key"] for cell in seen["lost"]] == [seen["victim"]["key"]]
    assert seen["orphans"], "the first copy was to go on"
    assert len(seen["copies"]) == PACKS + 1
    assert_whole(seen["study"].look(), reference, seen["before"])


def test_time_limit(drill: Drill, reference: Study) -> None:
    seen = drill(_over_time)
    assert len(seen["lost"]) == PACKS
    assert {cell["state"] for cell in seen["lost"]} == {"TIMEOUT"}
    for study, before in zip(seen["studies"], seen["before"], strict=True):
        assert_whole(study.look(), reference, before)


def test_restart_of_the_controller(drill: Drill, reference: Study) -> None:
    seen = drill(_controller_down)
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
