"""What a job does, on this machine or on a cluster: the cells of one pack to Records.

A job is killed, started again and run twice at once without harm: every cell is written whole, the
first done Record wins, and what has a Record is left out. A long cell goes on from its checkpoint.
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
from harness.launch._batch_file import PackFile, parse

if TYPE_CHECKING:
    from harness.plan.plan import Planned

#: Ports at which the tasks of a job may meet: below those that systems give out.
FIRST_PORT, PORTS = 18000, 12000
#: How long a task waits for the first to say which cells are to be run.
AGREE_SECONDS = 120.0


class RunPack:
    """Called by submitit in the job; `checkpoint` says that the same call may follow a requeue."""

    def __call__(self, pack_file: str, runs: str) -> None:
        import submitit

        job = submitit.JobEnvironment()
        if job.num_tasks > 1:
            os.environ.update(meeting_place(job.hostnames[0], job.raw_job_id))
        try:
            run_pack(Path(pack_file), Path(runs), rank=job.global_rank, ranks=job.num_tasks)
        except HarnessError as error:  # the last line of the log, not a traceback
            print(f"error: {error}", file=sys.stderr, flush=True)
            raise SystemExit(error.exit_code) from error

    def checkpoint(self, pack_file: str, runs: str) -> Any:
        from submitit.helpers import DelayedSubmission

        return DelayedSubmission(self, pack_file, runs)


def run_pack(pack_file: Path, runs: Path, *, rank: int = 0, ranks: int = 1) -> None:
    """Run the cells of a pack that have no Record since it was submitted.

    Raises BadInput if what they read is no more what it was then.
    """
    from harness.run.runner import run_cells

    pack = parse(json.loads(pack_file.read_bytes()))
    if not pack.requeue:  # submitit would ask SLURM to requeue, which refuses: use the time left
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
    store = Store(runs)
    if ranks == 1:
        missing = [key for key in pack.keys if not pack.is_over(key, store)]
    else:
        missing = _agreed(pack_file, pack, store, rank)
    store.replacing.update(key for key in pack.replacing if key in missing)
    cells = _planned(pack, missing, store)
    if cells:
        limit_memory()
        run_cells(cells, store, jobs=pack.threads, save=pack.save, logs=pack.logs)


def _planned(pack: PackFile, keys: list[str], store: Store) -> list[Planned]:
    from harness.core.cells import cell_from
    from harness.plan.plan import make_plan

    wanted = dict.fromkeys(keys)
    cells = [cell_from(c) for key, c in zip(pack.keys, pack.cells, strict=True) if key in wanted]
    found = [p for p in make_plan(cells, store, pack.task_name).cells if p.key in wanted]
    if len(found) < len(wanted):
        raise BadInput(
            f"{len(wanted) - len(found)} of {len(wanted)} cells read what has changed since they "
            "were submitted (data, class names, texts or weights): submit the task again"
        )
    return found


def _agreed(pack_file: Path, pack: PackFile, store: Store, rank: int) -> list[str]:
    """The cells to run, as the first task found them: all tasks must run the same ones, and by the
    time that the last has started the first may have written a Record.
    """
    start = f"{os.environ.get('SLURM_JOB_ID', '')}-{os.environ.get('SLURM_RESTART_COUNT', '0')}"
    path = pack_file.with_suffix(f".{start}.cells")
    if rank == 0:
        missing = [key for key in pack.keys if not pack.is_over(key, store)]
        data = json.dumps(missing).encode()
        write_atomically(path, lambda f: f.write(data))
        return missing
    _wait_until(path.is_file, f"task 0 did not write {path.name}")
    found: list[str] = json.loads(path.read_bytes())
    return found


def _wait_until(ready: Callable[[], bool], problem: str) -> None:
    deadline = time.monotonic() + AGREE_SECONDS
    while not ready():
        if time.monotonic() > deadline:
            raise HarnessError(f"{problem} within {AGREE_SECONDS:.0f} s")
        time.sleep(0.1)


def limit_memory() -> None:
    """Let an allocation beyond the job's memory fail as such. It then is the reason in a cell's
    Record; the kernel would kill the whole job, with all its cells, and say nothing to them.

    Not with GPUs: their drivers map memory that is never used.
    """
    megabytes = os.environ.get("SLURM_MEM_PER_NODE", "")
    if not megabytes.isdecimal() or int(megabytes) == 0 or os.environ.get("SLURM_JOB_GPUS"):
        return
    import resource

    import torch  # noqa: F401 - what it maps and never touches is not to be counted

    tasks = int(os.environ.get("SLURM_NTASKS_PER_NODE") or 1)
    used = _memory()
    limit = used["VmData"] + max(0, int(megabytes) * 2**20 // tasks - used["VmRSS"])
    _, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))


def _memory() -> dict[str, int]:
    """Bytes that this process has mapped for data (VmData), and those that are there (VmRSS)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    words = {line.split()[0].rstrip(":"): line.split()[1] for line in lines if line[:2] == "Vm"}
    return {name: int(words[name]) * 1024 for name in ("VmData", "VmRSS")}


def meeting_place(first_node: str, job_id: str) -> dict[str, str]:
    """MASTER_ADDR and MASTER_PORT of torch.distributed: the first node of the job, and a port that
    follows from the number of the job, so that two jobs on a node take different ones.
    """
    port = FIRST_PORT + int(job_id) % PORTS
    return {"MASTER_ADDR": address_of(first_node), "MASTER_PORT": str(port)}


def address_of(node: str) -> str:
    """A name that resolves; else what SLURM knows of the node, else this host."""
    with suppress(OSError):
        return socket.gethostbyname(node)
    with suppress(OSError, subprocess.SubprocessError):
        done = subprocess.run(
            ["scontrol", "show", "node", node, "-o"],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        known = [w.removeprefix("NodeAddr=") for w in done.stdout.split() if "NodeAddr=" in w]
        if known and known[0] != node:
            return known[0]
    return "127.0.0.1"
