"""Distributed training: the work of each process, and the exchange between processes.

Batches, micro-batches and random numbers are the same as with one process; of N processes each
computes every N-th micro-batch. Embeddings are summed over processes, with zeros for the parts of
others, and gradients are summed, so N processes take the same step as one process on the whole
batch. (The paper's public code averages gradients over processes after a gather without gradients,
which scales the visual gradient by 1/N; TEXT4VIS fault 5.)
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, TypeVar

from harness.core.errors import BadInput, HarnessError
from harness.training.torch_group import first_line, torch_group

if TYPE_CHECKING:
    import torch

    from harness.training.meeting import Meeting

Value = TypeVar("Value")

#: Ports for the rendezvous without MASTER_PORT; different for the jobs of a host.
FIRST_PORT, PORTS = 20_000, 20_000


#: How long a process waits for the others to come, and at every exchange.
COMING, PATIENCE = timedelta(minutes=30), timedelta(minutes=30)


@dataclass(frozen=True)
class World:
    """The rank of this process, and the number of processes of the training."""

    rank: int = 0
    size: int = 1
    #: Where they wait without an exchange; only in what `process_group` gives.
    meeting: Meeting | None = field(default=None, compare=False, repr=False)

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

    def any_of(self, flags: Sequence[bool]) -> list[bool]:
        """For every flag whether it is set in any process. Exchanged between CPUs, so a GPU need
        not have finished what it computes.
        """
        import torch
        import torch.distributed as dist

        if self.size == 1:
            return list(flags)
        set_in_any = torch.tensor(flags, dtype=torch.uint8)
        dist.all_reduce(set_in_any, op=dist.ReduceOp.MAX)
        return [bool(flag) for flag in set_in_any.tolist()]

    def any(self, flag: bool) -> bool:
        """Whether the flag is set in any process."""
        return self.any_of([flag])[0]

    def of_first(self, value: Value) -> Value:
        """The value of process 0, in every process; it must be one that can be pickled."""
        import torch.distributed as dist

        if self.size == 1:
            return value
        values = [value]
        dist.broadcast_object_list(values, src=0)
        return values[0]

    def of_each(self, value: Value) -> list[Value]:
        """The values of all processes, in every process; they must be ones that can be pickled."""
        import torch.distributed as dist

        values = [value] * self.size
        if self.size > 1:
            dist.all_gather_object(values, value)
        return values

    def total(self, *numbers: float) -> list[float]:
        """Sums of plain numbers over the processes."""
        import torch

        if self.size == 1:
            return list(numbers)
        from harness.training.device import device

        sums = torch.tensor(numbers, dtype=torch.float64, device=device())
        self.add([sums])
        return [float(n) for n in sums]

    def maximum(self, number: int) -> int:
        """The maximum of a plain number over the processes."""
        import torch
        import torch.distributed as dist

        if self.size == 1:
            return number
        from harness.training.device import device

        largest = torch.tensor(number, device=device())
        dist.all_reduce(largest, op=dist.ReduceOp.MAX)
        return int(largest)

    def wait(self) -> None:
        """Wait until every process has reached this point: as long as the others live, or where
        there is no meeting point as long as an exchange may take.
        """
        if self.meeting is None:
            self.any(False)
        else:
            self.meeting.wait_for_all()

    @contextmanager
    def first(self) -> Iterator[None]:
        """Process 0 runs first and fills the cache; then the others run and read it. They wait for
        it as `wait` does.
        """
        turn = None if self.meeting is None else self.meeting.first()
        if self.rank > 0:
            self.any(False) if turn is None else turn.wait()
        yield
        if self.rank == 0:
            self.any(False) if turn is None else turn.arrive()


def world() -> World:
    """The processes of `process_group`; a single one outside of it."""
    import torch.distributed as dist

    if not (dist.is_available() and dist.is_initialized()):
        return World()
    return World(dist.get_rank(), dist.get_world_size())


@contextmanager
def process_group() -> Iterator[World]:
    """Join the processes of this training, which torchrun or srun started.

    Raises BadInput without an address for the rendezvous, or if it fails.
    """
    import torch.distributed as dist

    rank, size = declared()
    if size == 1 or dist.is_initialized():
        yield world()
        return
    import torch

    from harness.training.device import device

    torch_device = device()
    if torch_device.type == "cuda":
        torch.cuda.set_device(torch_device)
    address, port = _meeting_point()
    # What lies in the memory of the host is exchanged by gloo in any case.
    backend = "cpu:gloo,cuda:nccl" if torch_device.type == "cuda" else "gloo"
    where = f"tcp://{address}:{port}"
    print(f"process {rank} of {size} waits for the others at {where}", file=sys.stderr)
    with torch_group(backend, where, rank, size, COMING, PATIENCE):
        try:
            with _meeting(world(), address) as meeting:
                yield replace(world(), meeting=meeting)
            world().any(False)  # no process exits while another still communicates with it
        except RuntimeError as error:
            if not is_of_exchange(error):
                raise
            raise HarnessError(
                "a process of this training has ended or does not answer; see the messages of the "
                f"others: {first_line(error)}"
            ) from error


@contextmanager
def _meeting(group: World, address: str) -> Iterator[Meeting]:
    """The meeting point of processes that are in touch already."""
    from harness.training.meeting import Meeting

    meeting = Meeting(0, group.size, address, None) if group.rank == 0 else None
    port = group.of_first(meeting.port if meeting is not None else 0)
    meeting = meeting or Meeting(group.rank, group.size, address, port)
    group.any(False)  # all have given their first sign of life
    reason = None
    try:
        yield meeting
    except BaseException as error:
        reason = first_line(error)
        raise
    finally:
        meeting.close(reason)


def is_of_exchange(error: BaseException) -> bool:
    """Whether an exchange has failed, and not something else of torch."""
    import torch.distributed as dist

    of_torch = isinstance(error, RuntimeError)
    return of_torch and (isinstance(error, dist.DistError) or "gloo" in str(error))


def declared() -> tuple[int, int]:
    """(rank, size) from RANK and WORLD_SIZE (torchrun), or from SLURM_PROCID and
    SLURM_STEP_NUM_TASKS (srun). A batch script alone is one process, whatever it has allocated.
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
        raise BadInput("several processes were started, but MASTER_ADDR is not set")
    job = _number("SLURM_JOB_ID", os.getppid())
    return address, _number("MASTER_PORT", FIRST_PORT + job % PORTS)
