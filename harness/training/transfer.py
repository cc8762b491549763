"""Tensors from the host to the device without waiting for it, and modules for a while."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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


@contextmanager
def moved(module: torch.nn.Module | None, torch_device: torch.device) -> Iterator[None]:
    """A module that cells share is on the device meanwhile, and then on the CPU again. For the CPU,
    and for None, nothing is done.
    """
    if module is None or torch_device.type == "cpu":
        yield
        return
    try:
        module.to(torch_device)  # where memory is short a part of it
        yield
    finally:
        module.to("cpu")
