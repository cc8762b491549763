"""Where a tensor says that it is. Its storage holds the mark, so that views, detached tensors and
parameters made of it are on the same device.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch

CUDA = torch.device("cuda", 0)
CPU = torch.device("cpu")
_MARK = "_pretended_device"


def marked(tensor: torch.Tensor) -> torch.device | None:
    """None for a storage that was never marked: made outside of the mode, or by autograd."""
    real = tensor.device
    if real.type != "cpu":  # meta
        return real
    try:
        return getattr(tensor.untyped_storage(), _MARK, None)
    except NotImplementedError:  # sparse tensors have no storage
        return None


def mark(tensor: torch.Tensor, device: torch.device, *, again: bool = False) -> None:
    """Say where a tensor is; a storage that is marked keeps its mark, unless `again`."""
    if tensor.device.type == "cpu" and (again or marked(tensor) is None):
        try:
            setattr(tensor.untyped_storage(), _MARK, device)
        except NotImplementedError:
            return


def tensors_in(value: Any) -> Iterator[torch.Tensor]:
    """The tensors of arguments or of a result, however they are nested."""
    if isinstance(value, torch.Tensor):
        yield value
    elif isinstance(value, (list, tuple)):
        for each in value:
            yield from tensors_in(each)
    elif isinstance(value, dict):
        for each in value.values():
            yield from tensors_in(each)


def as_device(value: Any) -> torch.device | None:
    """A device as torch's functions take it; None for anything else. The GPU is always cuda:0."""
    if isinstance(value, bool) or not isinstance(value, (torch.device, str, int)):
        return None
    try:
        device = torch.device("cuda", value) if isinstance(value, int) else torch.device(value)
    except RuntimeError:  # another text
        return None
    return CUDA if device.type == "cuda" else device
