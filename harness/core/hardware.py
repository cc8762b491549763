"""What a training runs on, as far as it is known without torch."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

#: A folder for each GPU, in which NVIDIA's driver says what it is.
DRIVER = Path("/proc/driver/nvidia")


@dataclass(frozen=True)
class Hardware:
    """The devices that one training has."""

    device: str  # cpu | cuda
    name: str | None = None  # of its GPUs: their product name, or a part of it; None: not known
    processes: int = 1  # that share each training, a device each
    cores: int = 1  # of each process


def device_here() -> str:
    """The device of this machine as far as it is known without torch."""
    wanted = os.environ.get("HARNESS_DEVICE", "").partition(":")[0]
    return wanted or ("cuda" if (DRIVER / "version").exists() else "cpu")


def hardware_here(device: str | None = None) -> Hardware:
    """The machine that this process is on, with one process for a training."""
    chosen = device or device_here()
    known = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if known else os.cpu_count() or 1
    return Hardware(chosen, _gpu_here() if chosen == "cuda" else None, cores=cores)


def _gpu_here() -> str | None:
    """The product name of the first GPU, as the driver tells it."""
    for file in sorted(DRIVER.glob("gpus/*/information")):
        try:
            found = re.search(r"^Model:\s*(\S.*?)\s*$", file.read_text(), re.MULTILINE)
        except OSError:
            continue
        if found:
            return found[1]
    return None
