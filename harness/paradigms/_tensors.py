"""What every head needs of torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def moved(tensor: torch.Tensor, place: Any) -> torch.Tensor:
    """A leaf on a device that asks for a gradient as the tensor did; the same where it is there."""
    if tensor.device == place:
        return tensor
    return tensor.detach().to(place).requires_grad_(tensor.requires_grad)
