"""What a job does, on this machine or on a cluster: it turns the cells of one batch into Records.

A job may be killed, started again or run twice at once without harm: every Record is written whole,
the first done Record wins, and cells that have one are left out. A long cell goes on from its
checkpoint.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import BadInput, HarnessError
from harness.core.files import write_atomically
from harness.core.store import Store
from harness.launch._batch_file import BatchFile, parse

if TYPE_CHECKING:
    from harness.plan.resolve import ResolvedCell
    from harness.run.interruption import Interruption

#: Ports at which the tasks of a job may meet: below those that systems assign to clients.
FIRST_PORT, PORTS = 18000, 12000
#: The part of the time between the warning and the end that a training may take to save its state.
SAVING = 2 / 3
#: How long a task waits for the list of cells that task 0 writes.
AGREE_SECONDS = 120.0


class RunBatch:
    """Called by submitit in the job; `checkpoint` says that the same call may follow a requeue.

    `gpus`: CUDA_VISIBLE_DEVICES of the job; None: as it is, which is none in submitit's local jobs.
    """

    def __init__(self, gpus: str | None = None) -> None:
        self._gpus = gpus
        self._interruption: Interruption | None = None  # of the call

    def __call__(self, batch_file: str, runs: str) -> None:
        import submitit

        from harness.run.interruption import Interruption

        self._interruption = interruption = Interruption()
        # Of a preemption; SLURM kills the job some time after it. submitit would ignore it.
        before = signal.signal(signal.SIGTERM, lambda *_: interruption.ask())

        if self._gpus is not None:
            os.environ["CUDA_VISIBLE_DEVICES"] = self._gpus
        job = submitit.JobEnvironment()
        if job.num_tasks > 1:
            os.environ.update(rendezvous(job.hostnames[0], job.raw_job_id))
        try:
            run_batch(
                Path(batch_file), Path(runs), rank=job.global_rank, ranks=job.num_tasks,
                interruption=interruption,
            )  # fmt: skip
        except HarnessError as error:  # the last line of the log, not a traceback
            print(f"error: {error}", file=sys.stderr, flush=True)
            raise SystemExit(error.exit_code) from error
        except KeyboardInterrupt:
            if job.global_rank > 0:
                # The end of a task ends the first one, which has yet to ask for a requeue.
                time.sleep(_batch(batch_file).grace)
            raise
        finally:
            signal.signal(signal.SIGTERM, before)

    def checkpoint(self, batch_file: str, runs: str) -> Any:
        """Called in the first task at the warning before the end, before it asks for a requeue,
        which may kill the job at once: so the training saves its state first.
        """
        from submitit.helpers import DelayedSubmission

        if self._interruption is not None:
            self._interruption.stop(_batch(batch_file).grace * SAVING)
        return DelayedSubmission(RunBatch(), batch_file, runs)


def _batch(path: str | Path) -> BatchFile:
    return parse(json.loads(Path(path).read_bytes()))


def run_batch(
    batch_file: Path,
    runs: Path,
    *,
    rank: int = 0,
    ranks: int = 1,
    interruption: Interruption | None = None,
) -> None:
    """Run the cells of a batch that have had no new Record since it was submitted.

    Raises BadInput if the content that they read has changed since then.
    """
    from harness.run.plugins import run_plugins
    from harness.run.runner import run_cells

    batch = _batch(batch_file)
    if not batch.requeue:
        # submitit would answer the warning by asking SLURM to requeue, which SLURM refuses here.
        # Without its handler the job uses the time that is left.
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    store = Store(runs)
    if ranks == 1:
        missing = [key for key in batch.keys if not batch.is_over(key, store)]
    else:
        missing = _agreed(batch_file, batch, store, rank)
    store.replacing.update(key for key in batch.replacing if key in missing)
    cells = _planned_again(batch, missing, store)
    if not cells:
        return
    limit_memory()
    plugins = run_plugins(batch.logs, batch.measures)
    run_cells(
        cells, store, jobs=batch.threads, save=batch.save, plugins=plugins, workers=batch.workers,
        interruption=interruption,
    )  # fmt: skip


def _planned_again(batch: BatchFile, keys: list[str], store: Store) -> list[ResolvedCell]:
    """These cells of the batch, planned anew. Keys hash the content that cells read: where it has
    changed, the plan has other keys.

    Raises BadInput then.
    """
    from harness.core.cell_json import cell_from
    from harness.plan.plan import make_plan

    wanted = dict.fromkeys(keys)
    cells = [cell_from(c) for key, c in zip(batch.keys, batch.cells, strict=True) if key in wanted]
    planned = [c for c in make_plan(cells, store, batch.task_name).cells if c.key in wanted]
    if len(planned) < len(wanted):
        raise BadInput(
            f"{len(wanted) - len(planned)} of {len(wanted)} cells read content that has changed "
            "since they were submitted (data, class names, texts or weights): submit the task again"
        )
    return planned


def _agreed(batch_file: Path, batch: BatchFile, store: Store, rank: int) -> list[str]:
    """The cells to run, as task 0 found them. All tasks must run the same ones, and by the time
    that the last task has started the first may have written a Record.
    """
    # One list for each start of the job: after a requeue fewer cells are missing.
    start = f"{os.environ.get('SLURM_JOB_ID', '')}-{os.environ.get('SLURM_RESTART_COUNT', '0')}"
    path = batch_file.with_suffix(f".{start}.cells")
    if rank == 0:
        missing = [key for key in batch.keys if not batch.is_over(key, store)]
        data = json.dumps(missing).encode()
        write_atomically(path, lambda f: f.write(data))
        return missing
    _wait_until(path.is_file, f"task 0 did not write {path.name}")
    agreed: list[str] = json.loads(path.read_bytes())
    return agreed


def _wait_until(ready: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + AGREE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise HarnessError(f"{problem} within {AGREE_SECONDS:.0f} s")
        time.sleep(0.1)


def limit_memory() -> None:
    """Let an allocation beyond the job's memory fail as such. It then is the reason in a cell's
    Record; otherwise the kernel would kill the whole job with all its cells, without a reason.

    Not with GPUs: their drivers map memory that is never used.
    """
    megabytes = os.environ.get("SLURM_MEM_PER_NODE", "")
    if not megabytes.isdecimal() or int(megabytes) == 0 or os.environ.get("SLURM_JOB_GPUS"):
        return
    import resource

    import torch  # noqa: F401 - what it maps and never touches must not count

    tasks = int(os.environ.get("SLURM_NTASKS_PER_NODE") or 1)
    used = _memory()
    # The limit counts mapped memory, SLURM counts resident memory: allow for the difference now.
    limit = used["VmData"] + max(0, int(megabytes) * 2**20 // tasks - used["VmRSS"])
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _memory() -> dict[str, int]:
    """Bytes that this process has mapped for data (VmData), and resident bytes (VmRSS)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    words = {line.split()[0].rstrip(":"): line.split()[1] for line in lines if line[:2] == "Vm"}
    return {name: int(words[name]) * 1024 for name in ("VmData", "VmRSS")}


def rendezvous(first_node: str, job_id: str) -> dict[str, str]:
    """MASTER_ADDR and MASTER_PORT of torch.distributed: the first node of the job, and a port that
    follows from the number of the job, so that two jobs on a node use different ones.
    """
    port = FIRST_PORT + int(job_id) % PORTS
    return {"MASTER_ADDR": address_of(first_node), "MASTER_PORT": str(port)}


def address_of(node: str) -> str:
    """The address of a node by its name; else as SLURM knows it; else that of this host."""
    with suppress(OSError):
        return socket.gethostbyname(node)
    with suppress(OSError, subprocess.SubprocessError):
        shown = subprocess.run(
            ["scontrol", "show", "node", node, "-o"],
            capture_output=True, text=True, check=True, timeout=60,
        ).stdout  # fmt: skip
        known = [w.removeprefix("NodeAddr=") for w in shown.split() if "NodeAddr=" in w]
        if known and known[0] != node:
            return known[0]
    return "127.0.0.1"
