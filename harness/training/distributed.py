"""Several processes on one training: what each computes, and how their parts become the whole.

The batches, their micro-batches and every random number are those of one process; a process takes
every N-th micro-batch. Embeddings are exchanged as sums with zeros elsewhere, gradients as sums,
so N processes take the step that one process takes on the whole batch. (The paper's public code
averages gradients over processes after a gather that carries none, which scales the visual
gradient by 1/N; TEXT4VIS fault 5.)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from harness.core.errors import BadInput

if TYPE_CHECKING:
    import torch

#: Where processes meet if MASTER_PORT does not say it: apart for every job of a host.
FIRST_PORT, PORTS = 20_000, 20_000


#: How long a process waits for another, at the beginning and at every exchange.
PATIENCE = timedelta(minutes=30)


@dataclass(frozen=True)
class World:
    """A process among those of a training."""

    rank: int = 0
    size: int = 1

    def mine(self, number: int) -> bool:
        """Whether this process computes micro-batch `number`."""
        return number % self.size == self.rank

    def add(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor by its sum over the processes."""
        import torch.distributed as dist

        if self.size == 1:
            return
        for tensor in tensors:
            dist.all_reduce(tensor)

    def add_gradients(self, tensors: Iterable[torch.Tensor]) -> None:
        """Sum gradients over the processes; a tensor that no process used keeps none."""
        import torch
        import torch.distributed as dist

        if self.size == 1:
            return
        trained = [t for t in tensors if t.requires_grad]
        if not trained:
            return
        used = torch.tensor([t.grad is not None for t in trained], device=trained[0].device).int()
        dist.all_reduce(used, op=dist.ReduceOp.MAX)
        reached = [t for t, was in zip(trained, used.tolist(), strict=True) if was]
        for t in reached:
            if t.grad is None:
                t.grad = torch.zeros_like(t)
        flat = torch.cat([t.grad.flatten() for t in reached if t.grad is not None])
        dist.all_reduce(flat)
        for t, part in zip(reached, flat.split([t.numel() for t in reached]), strict=True):
            t.grad = part.view_as(t)

    def total(self, *numbers: float) -> list[float]:
        """Sums of plain numbers over the processes."""
        import torch

        if self.size == 1:
            return list(numbers)
        from harness.training.device import device

        found = torch.tensor(numbers, dtype=torch.float64, device=device())
        self.add([found])
        return [float(n) for n in found]

    def maximum(self, number: int) -> int:
        """The largest of a plain number over the processes."""
        import torch
        import torch.distributed as dist

        if self.size == 1:
            return number
        from harness.training.device import device

        found = torch.tensor(number, device=device())
        dist.all_reduce(found, op=dist.ReduceOp.MAX)
        return int(found)

    def wait(self) -> None:
        """Until every process is here."""
        import torch.distributed as dist

        if self.size > 1:
            dist.barrier()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Process 0 does it, then the others, who find in the cache what it left."""
        if self.rank > 0:
            self.wait()
        yield
        if self.rank == 0:
            self.wait()


def world() -> World:
    """The processes that `process_group` joined; one if there is none."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return World()
    return World(dist.get_rank(), dist.get_world_size())


@contextmanager
def process_group() -> Iterator[World]:
    """Join the processes of this training, as torchrun or srun started them.

    Raises BadInput if it is not said where they meet, or if they do not.
    """
    import torch.distributed as dist

    rank, size = declared()
    if size == 1 or dist.is_initialized():
        yield world()
        return
    import torch

    from harness.training.device import device

    place = device()
    if place.type == "cuda":
        torch.cuda.set_device(place)
    address, port = _meeting_point()
    backend = "nccl" if place.type == "cuda" else "gloo"
    where = f"tcp://{address}:{port}"
    print(f"process {rank} of {size} waits for the others at {where}", file=sys.stderr)
    try:
        dist.init_process_group(
            backend, init_method=where, rank=rank, world_size=size, timeout=PATIENCE
        )
    except dist.DistError as error:
        first = str(error).splitlines()[0][:200]
        raise BadInput(f"{size} processes did not meet at {where}: {first}") from error
    try:
        yield world()
        dist.barrier()  # none goes while another still hears from it
    finally:
        dist.destroy_process_group()


def declared() -> tuple[int, int]:
    """(rank, size) from RANK and WORLD_SIZE (torchrun), or from SLURM_PROCID and
    SLURM_STEP_NUM_TASKS (srun); a batch script alone is one process, whatever it reserved.
    """
    if "WORLD_SIZE" in os.environ:
        return _number("RANK", 0), _number("WORLD_SIZE", 1)
    size = _number("SLURM_STEP_NUM_TASKS", 1)
    return (_number("SLURM_PROCID", 0), size) if size > 1 else (0, 1)


def _number(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal():
        raise BadInput(f"the variable {name} must be a whole number, not '{text}'")
    return int(text)


def _meeting_point() -> tuple[str, int]:
    address = os.environ.get("MASTER_ADDR")
    if not address:
        raise BadInput(
            "several processes were started, and MASTER_ADDR does not say where they meet"
        )
    job = _number("SLURM_JOB_ID", os.getppid())
    return address, _number("MASTER_PORT", FIRST_PORT + job % PORTS)
