"""Tensors of a head on their way to a device."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def moved(tensor: torch.Tensor, device: Any) -> torch.Tensor:
    """A leaf on the device `device` that requires a gradient if the tensor did.

    A tensor that is there already is returned itself.
    """
    if tensor.device == device:
        return tensor
    return tensor.detach().to(device).requires_grad_(tensor.requires_grad)
