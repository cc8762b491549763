"""Work in parallel threads with one core each, so that results do not depend on their number.

Threads inside one operator split its sums by their number, which changes last bits, and two
processes on two cores would compete for them.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor


def cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_core_pool(workers: int) -> ThreadPoolExecutor:
    """A pool whose threads run torch on one core each."""
    return ThreadPoolExecutor(max_workers=workers, initializer=_one_core)


def _one_core() -> None:
    import torch

    torch.set_num_threads(1)
