"""What process 0 has read from a file, in every process: tensors in the midst of plain values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.training.distributed import World

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class _Place:
    """Where a tensor was in a state that is sent."""

    number: int


def from_first(value: Any, group: World) -> Any:
    """The value of process 0, of dicts, lists, tuples, tensors on the CPU and what can be pickled.

    Tensors go one by one, so that no copy of the whole is made.
    """
    import torch
    import torch.distributed as dist

    if group.size == 1:
        return value
    tensors: list[torch.Tensor] = []
    plain = _without_tensors(value, tensors)
    kinds = [(tuple(t.shape), t.dtype) for t in tensors]
    plain, kinds = group.of_first((plain, kinds))
    if group.rank > 0:
        tensors = [torch.empty(shape, dtype=kind) for shape, kind in kinds]
    for number, tensor in enumerate(tensors):
        tensors[number] = tensor.contiguous()
        # As bytes, which are exchanged for every type.
        dist.broadcast(tensors[number].reshape(-1).view(torch.uint8), src=0)
    return _with_tensors(plain, tensors)


def _without_tensors(value: Any, tensors: list[torch.Tensor]) -> Any:
    import torch

    if isinstance(value, torch.Tensor):
        tensors.append(value)
        return _Place(len(tensors) - 1)
    if isinstance(value, dict):
        return {key: _without_tensors(each, tensors) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_without_tensors(each, tensors) for each in value)
    return value


def _with_tensors(value: Any, tensors: list[torch.Tensor]) -> Any:
    if isinstance(value, _Place):
        return tensors[value.number]
    if isinstance(value, dict):
        return {key: _with_tensors(each, tensors) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(_with_tensors(each, tensors) for each in value)
    return value
