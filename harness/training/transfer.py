"""Tensors from the host to the device, without waiting for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def to_device(tensor: torch.Tensor, torch_device: torch.device) -> torch.Tensor:
    """The tensor on the device. A GPU copies from pinned memory while the host goes on; for the CPU
    nothing is done.
    """
    if torch_device.type == "cpu" or tensor.device == torch_device:
        return tensor
    pinned = tensor if tensor.device.type != "cpu" or tensor.is_pinned() else tensor.pin_memory()
    return pinned.to(torch_device, non_blocking=True)
