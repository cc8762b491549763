"""What the exchange of gradients costs: a step of two processes over gloo, 86M parameters.

    make bench

The baseline is torch's DistributedDataParallel on the same model, with the loss scaled so that it
sums gradients too. See exchange_steps.py, which every process runs.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from pytest_benchmark.fixture import BenchmarkFixture

PROCESSES = 2
#: As a multiple of a step of DistributedDataParallel.
TARGET = 1.15


def bench_exchange(benchmark: BenchmarkFixture, tmp_path: Path) -> None:
    """The time of a step is in the information; that of the benchmark is of the whole program."""
    found = benchmark.pedantic(lambda: run(tmp_path), rounds=1)
    benchmark.extra_info |= {**found, "target": TARGET}


def run(folder: Path) -> dict[str, float]:
    """Seconds of a step with each exchange, and the number of parameters."""
    program = str(Path(__file__).with_name("exchange_steps.py"))
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
    running = [
        subprocess.Popen(
            [sys.executable, program, str(folder / f"{rank}.json")],
            env={
                **os.environ, "RANK": str(rank), "WORLD_SIZE": str(PROCESSES),
                "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port,
            },
        )
        for rank in range(PROCESSES)
    ]  # fmt: skip
    assert [process.wait(timeout=1200) for process in running] == [0] * PROCESSES
    found: dict[str, float] = json.loads((folder / "0.json").read_text(encoding="utf-8"))
    return found
