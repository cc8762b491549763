"""The device of the computation: a GPU if there is one, else the CPU.

Random numbers are drawn on the CPU and moved, so that a seed means the same on every device.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from harness.core.errors import BadInput

if TYPE_CHECKING:
    import torch

#: Variables that name the GPUs of a process, and values of them that name none.
RESERVES = ("SLURM_STEP_GPUS", "SLURM_JOB_GPUS", "CUDA_VISIBLE_DEVICES")
NO_GPU = ("", "-1", "NoDevFiles")
#: Where a GPU shows on a machine: NVIDIA's driver, also under Windows, and AMD's.
GPU_FILES = ("/proc/driver/nvidia", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
#: What cuBLAS needs to add in a fixed order, unless the user has set it.
CUBLAS = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")


def device() -> torch.device:
    """HARNESS_DEVICE (`cpu`, `cuda`, `cuda:1`), or the GPU of this process, or the CPU.

    Raises BadInput for a device that does not exist, and where a GPU was reserved and none is seen.
    """
    import torch

    wanted = os.environ.get("HARNESS_DEVICE", "")
    if not wanted:
        local = os.environ.get("LOCAL_RANK") or os.environ.get("SLURM_LOCALID") or "0"
        count = torch.cuda.device_count()
        if not count:
            _refuse_an_unseen_gpu()
        return _gpu(torch.device("cuda", int(local) % count)) if count else torch.device("cpu")
    allowed = "allowed: cpu, cuda, cuda:N"
    try:
        parsed = torch.device(wanted)
    except RuntimeError as error:
        raise BadInput(f"HARNESS_DEVICE: '{wanted}' is not a device; {allowed}") from error
    if parsed.type not in ("cpu", "cuda"):
        raise BadInput(f"HARNESS_DEVICE: '{wanted}' is not supported; {allowed}")
    if parsed.type == "cuda" and (parsed.index or 0) >= torch.cuda.device_count():
        raise BadInput(f"HARNESS_DEVICE: there is no device '{wanted}' on this machine")
    return parsed if parsed.type == "cpu" else _gpu(parsed)


def _gpu(torch_device: torch.device) -> torch.device:
    """CuBLAS reads its setting when it begins: with this one its products have a fixed order."""
    os.environ.setdefault(*CUBLAS)
    return torch_device


def _refuse_an_unseen_gpu() -> None:
    for name in RESERVES:
        value = os.environ.get(name, "")
        if value not in NO_GPU:
            raise BadInput(
                f"{name}={value} gives this process a GPU, but torch sees none (is its driver or "
                "torch without CUDA?); HARNESS_DEVICE=cpu computes on the CPU"
            )


def gpu_shares() -> list[str]:
    """The GPUs of this machine for processes that compute at once: for each of them the value of
    CUDA_VISIBLE_DEVICES. Empty on the CPU; one share of all if HARNESS_DEVICE names a GPU.

    Raises BadInput as `device` does.
    """
    if _surely_without_gpu():
        return []
    import torch

    if device().type == "cpu":
        return []
    count = torch.cuda.device_count()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES", "").split(",")[:count]
    names = visible if visible[0] else [str(number) for number in range(count)]
    return [",".join(names)] if os.environ.get("HARNESS_DEVICE") else names


def _surely_without_gpu() -> bool:
    """Whether this is known without torch, which costs a plan 450 MB."""
    asked = [os.environ.get(name, "") for name in ("HARNESS_DEVICE", *RESERVES)]
    if "torch" in sys.modules or any(value not in NO_GPU for value in asked):
        return False
    return not any(Path(file).exists() for file in GPU_FILES)


def device_name(torch_device: torch.device) -> str:
    """`cpu`, or the name of the GPU."""
    import torch

    return "cpu" if torch_device.type == "cpu" else torch.cuda.get_device_name(torch_device)


def synchronise(torch_device: torch.device) -> None:
    """Wait until the device has finished, so that measured seconds include its work."""
    import torch

    if torch_device.type == "cuda":
        torch.cuda.synchronize(torch_device)


def peak_memory(torch_device: torch.device) -> int | None:
    """Peak bytes of tensors on a GPU since the last `forget_peak`; None on the CPU."""
    import torch

    return torch.cuda.max_memory_allocated(torch_device) if torch_device.type == "cuda" else None


def forget_peak(torch_device: torch.device) -> None:
    import torch

    if torch_device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(torch_device)
