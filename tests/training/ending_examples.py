"""How a training of several processes ends: `ending_examples.py FILE`.

Threads of gloo are counted while the processes are in touch, after a first step of an optimiser,
and after an error in the midst of an exchange, which is kept.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from forked import free_port

from harness.training.distributed import World, process_group


def workers() -> int:
    """The threads of this process that belong to an exchange."""
    names = [name.read_text() for name in Path("/proc/self/task").glob("*/comm")]
    return sum("gloo" in name for name in names)


def step(group: World) -> None:
    """The first one of an optimiser imports much of torch."""
    weight = torch.nn.Parameter(torch.ones(2))
    weight.grad = torch.ones(2)
    group.add([weight.grad])
    torch.optim.AdamW([weight]).step()


def interrupted_exchange(group: World) -> None:
    wait = dist.ProcessGroup.allreduce

    def interrupted(*arguments: object) -> None:
        wait(*arguments)
        raise KeyboardInterrupt

    dist.ProcessGroup.allreduce = interrupted
    try:
        group.any(False)
    finally:
        dist.ProcessGroup.allreduce = wait


def main(file: Path) -> None:
    found = {}
    with process_group() as group:
        found["during"] = workers()
        step(group)
        os.environ["MASTER_PORT"] = str(group.of_first(free_port()))
    found["after"] = workers()
    kept = None
    try:
        with process_group() as group:
            interrupted_exchange(group)
    except KeyboardInterrupt as error:
        kept = error
    found["after an error"] = workers()
    assert kept is not None
    file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
