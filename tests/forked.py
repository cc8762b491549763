"""Programs in processes of their own, forked from one that has imported what takes long to import.

`python -m` takes seconds to import torch and open_clip, and tests of several processes start many.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import socket
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from conftest import ROOT

IMPORTED = ("torch", "open_clip", "harness.cli", "harness.run.runner", "harness.training.loop")
#: A process with a GPU cannot be forked: beside the pretended one each program starts anew.
_METHOD = "spawn" if "pretended_gpu.plugin" in sys.modules else "forkserver"
_CONTEXT = multiprocessing.get_context(_METHOD)
if _METHOD == "forkserver":
    _CONTEXT.set_forkserver_preload(list(IMPORTED))


class Program:
    """`python -m MODULE ARGUMENTS` in the checkout, with what it printed in a new folder in
    `folder`; its end as subprocess.Popen has it.
    """

    def __init__(
        self, module: str, arguments: Sequence[str], environment: Mapping[str, str], folder: Path
    ) -> None:
        self._printed = Path(tempfile.mkdtemp(dir=folder))
        self._process = _CONTEXT.Process(
            target=_run, args=(module, list(arguments), dict(environment), self._printed)
        )
        self._process.start()

    @property
    def returncode(self) -> int | None:
        """None while it runs; below 0 the signal that ended it."""
        return self._process.exitcode

    def communicate(self, timeout: float) -> tuple[str, str]:
        """Standard output and standard error, once it has ended.

        Raises TimeoutError if it has not.
        """
        self._process.join(timeout)
        out, err = ((self._printed / name).read_text() for name in ("out", "err"))
        if self._process.exitcode is None:
            raise TimeoutError(f"runs after {timeout} s: {out}{err}")
        return out, err

    def send_signal(self, number: int) -> None:
        assert self._process.pid is not None
        os.kill(self._process.pid, number)

    def kill(self) -> None:
        self._process.kill()


def together(
    number: int, module: str, arguments: Sequence[Sequence[str]], folder: Path
) -> list[Program]:
    """One program in each of `number` processes of a training, as torchrun or srun start them."""
    shared = {
        **os.environ, "WORLD_SIZE": str(number), "OMP_NUM_THREADS": "1",
        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()),
    }  # fmt: skip
    return [
        Program(module, of_rank, shared | {"RANK": str(rank)}, folder)
        for rank, of_rank in zip(range(number), arguments, strict=True)
    ]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def _run(module: str, arguments: list[str], environment: dict[str, str], printed: Path) -> None:
    # Also what a library or a child prints, and the traceback of what ends the program.
    for descriptor, name in ((1, "out"), (2, "err")):
        os.dup2(os.open(printed / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND), descriptor)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    sys.argv[1:] = arguments
    runpy.run_module(module, run_name="__main__", alter_sys=True)
