"""What happens to jobs on a cluster. Each fault returns its study and what was observed meanwhile.

They are made to run side by side, because most of their time is waiting for SLURM: a fault keeps to
nodes and partitions where it affects no other study.
"""

from __future__ import annotations

import contextlib
import os
import signal
import tempfile
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from .conftest import start_cluster
from .study import BATCHES, CELLS, Study, wait_for

#: Where a fault hits a node, it is this one; studies of other faults stay away from it.
FRAIL, STURDY = "n3", "n1|n2"

#: A new study by name, profile and, if it is another, cluster.
Make = Callable[..., Study]
Observed = dict[str, Any]


def undisturbed(make: Make) -> Observed:
    study = make("undisturbed", {"gpus": 3})  # of the four of a node: one batch on each node
    study.go()
    study.submit()
    again = study.grid()
    nodes: set[str] = set()

    def ended() -> bool:
        jobs = study.queue()
        nodes.update(job[2] for job in jobs if len(job) > 2)
        return not jobs

    wait_for(ended, "three batches")
    return {"study": study, "again": again, "nodes": nodes}


def scancel(make: Make) -> Observed:
    study = make("scancel", {"constraint": STURDY})
    study.submit()
    before = study.wait_for_the_middle()
    (victim, *_) = study.with_status("running")
    study.cluster.ask("scancel", victim["job"])
    wait_for(lambda: len(study.queue()) == BATCHES - 1, "the end of the job")
    study.go()
    study.wait_for_the_end()
    lost = study.with_status("lost")
    study.submit()
    study.wait_for_the_end()
    return {"study": study, "before": before, "victim": victim, "lost": lost}


def cancel(make: Make) -> Observed:
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


def preempted(make: Make, undisturbed: Future[Observed]) -> Observed:
    """A job of higher priority takes all GPUs of a node; SLURM requeues the batch by itself."""
    undisturbed.exception()  # it needs a node's GPUs too
    study = make("preempted", {"partition": "low", "gpus": 4, "constraint": "n1"})
    job = study.submit()
    before = study.wait_for_the_middle(1)
    study.cluster.ask("sbatch", "-p", "high", "-C", "n1", "--gpus-per-node=4", "-o", "/dev/null",
                      "--wrap", "sleep 1")  # fmt: skip
    wait_for(lambda: study.restarts(job) == 1, "the requeued batch")
    study.go()
    study.wait_for_the_end()
    return {"study": study, "before": before}


def node_down(make: Make, undisturbed: Future[Observed]) -> Observed:
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
    wait_for(lambda: studies[0].restarts(jobs[0]) == 1, "the requeued batch")
    lost = [study.with_status("lost") for study in studies]
    studies[0].cluster.ask(*control, "state=resume")
    for study in studies:
        study.go()
        study.wait_for_the_end()
    alone = studies[0].stamps()
    studies[1].submit()
    studies[1].wait_for_the_end()
    return {"studies": studies, "before": before, "lost": lost, "alone": alone}


def stepd_killed(make: Make) -> Observed:
    """The job ends, but its process goes on without the slurmstepd that supervised it."""
    study = make("stepd_killed", {"constraint": STURDY})
    study.submit()
    before = study.wait_for_the_middle()
    (victim, *_) = study.with_status("running")
    shown = study.cluster.ask("scontrol", "show", "job", victim["job"], "-o")
    number = shown.split("JobId=")[1].split()[0]
    for pid in processes(f"slurmstepd: [{number}.0]"):
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: len(study.queue()) == BATCHES - 1, "the end of the job")
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
    return [pid for pid, text in _read("cmdline").items() if text.startswith(command)]


def job_processes(number: str) -> list[int]:
    """Processes that were started in a job."""
    return [pid for pid, text in _read("environ").items() if f"\0SLURM_JOB_ID={number}\0" in text]


def _read(what: str) -> dict[int, str]:
    texts = {}
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            texts[int(process.name)] = (process / what).read_text(errors="replace")
    return texts


def over_time(make: Make) -> Observed:
    """No batch ends within its time. One study may be requeued, one may not."""
    # SLURM warns up to a minute early. Of one minute a busy host might have nothing left to start.
    short = {"time": "2m", "grace": 10, "constraint": STURDY}
    studies = [
        make(f"over_time_{requeue}", short | {"requeue": requeue}) for requeue in (True, False)
    ]
    jobs = [study.submit() for study in studies]
    before = [study.wait_for_the_middle() for study in studies]
    studies[1].wait_for_the_end()
    lost = studies[1].with_status("lost")
    wait_for(lambda: studies[0].restarts(jobs[0]) >= BATCHES, "the requeued batches")
    for study in studies:
        study.go()
    studies[1].submit()
    for study in studies:
        study.wait_for_the_end()
    return {"studies": studies, "before": before, "lost": lost}


def controller_down(make: Make) -> Observed:
    """On a cluster of its own. Jobs go on meanwhile; SLURM cannot be asked, nothing submitted."""
    with tempfile.TemporaryDirectory(prefix="slurm") as folder:
        second = start_cluster(Path(folder) / "c")
        try:
            study = make("controller", {}, second)
            study.submit()
            before = study.wait_for_the_middle()
            control = [second.control("down", "slurmctld")]
            refused = study.grid()
            status = study.harness("status", "tiny.yaml")
            study.go()
            wait_for(lambda: len(study.stamps()) == CELLS, "all Records")
            control.append(second.control("up", "slurmctld"))
            wait_for(second.is_up, "the controller")
            study.wait_for_the_end()
            finished = study.finish()
        finally:
            second.control("stop")
    return {"study": study, "before": before, "control": control, "refused": refused,
            "status": status, "finished": finished}  # fmt: skip
