"""Where tensors are computed: a GPU where there is one, else the CPU.

Random numbers are drawn on the CPU and moved, so that a seed means the same on every device.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from harness.core.errors import BadInput

if TYPE_CHECKING:
    import torch


def device() -> torch.device:
    """HARNESS_DEVICE (`cpu`, `cuda`, `cuda:1`), or the GPU of this process, or the CPU.

    Raises BadInput for a device that is not there.
    """
    import torch

    wanted = os.environ.get("HARNESS_DEVICE", "")
    if not wanted:
        local = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
        there = torch.cuda.device_count()
        return torch.device("cuda", int(local) % there) if there else torch.device("cpu")
    allowed = "allowed: cpu, cuda, cuda:N"
    try:
        found = torch.device(wanted)
    except RuntimeError as error:
        raise BadInput(f"HARNESS_DEVICE: '{wanted}' is no device; {allowed}") from error
    if found.type not in ("cpu", "cuda"):
        raise BadInput(f"HARNESS_DEVICE: '{wanted}' is not supported; {allowed}")
    if found.type == "cuda" and (found.index or 0) >= torch.cuda.device_count():
        raise BadInput(f"HARNESS_DEVICE: there is no device '{wanted}' on this machine")
    return found


def device_name(place: torch.device) -> str:
    """`cpu`, or what the GPU is called."""
    import torch

    return "cpu" if place.type == "cpu" else torch.cuda.get_device_name(place)


def synchronise(place: torch.device) -> None:
    """Wait until the device has done what it was told, so that seconds are those of the work."""
    import torch

    if place.type == "cuda":
        torch.cuda.synchronize(place)


def peak_memory(place: torch.device) -> int | None:
    """Bytes that tensors took at most on a GPU since the last `forget_peak`; None on the CPU."""
    import torch

    return torch.cuda.max_memory_allocated(place) if place.type == "cuda" else None


def forget_peak(place: torch.device) -> None:
    import torch

    if place.type == "cuda":
        torch.cuda.reset_peak_memory_stats(place)
