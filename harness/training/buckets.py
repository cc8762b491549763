"""Gradients that lie beside each other in one buffer, to be summed over the processes at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


class Bucket:
    """The gradients of some tensors, of one type on one device, by the tensors' numbers."""

    def __init__(self, tensors: Mapping[int, torch.Tensor]) -> None:
        import torch

        first = next(iter(tensors.values()))
        total = sum(t.numel() for t in tensors.values())
        self._buffer = torch.zeros(total, dtype=first.dtype, device=first.device)
        parts = self._buffer.split([t.numel() for t in tensors.values()])
        pairs = zip(tensors.items(), parts, strict=True)
        #: A gradient of each tensor, as a part of the buffer.
        self.views = {number: _laid_out(part, tensor) for (number, tensor), part in pairs}
        #: The tensors whose gradients of this step are not in the buffer yet.
        self.missing = set(self.views)
        self._work: Any = None

    def begin(self) -> None:
        """Of this step nothing is there yet."""
        self.missing = set(self.views)

    def put(self, number: int, gradient: torch.Tensor | None) -> torch.Tensor:
        """Take a gradient of this step, None for zeros; returns it as a part of the buffer."""
        view = self.views[number]
        if gradient is None:
            view.zero_()
        elif gradient is not view:
            view.copy_(gradient)
        self.missing.discard(number)
        return view

    def launch(self) -> None:
        """Begin to sum the buffer over the processes."""
        import torch.distributed as dist

        self._work = dist.all_reduce(self._buffer, async_op=True)

    def wait(self) -> None:
        """Until the sums are there."""
        if self._work is not None:
            self._work.wait()
            self._work = None


def buckets(trained: Sequence[torch.Tensor], order: Iterable[int], size: int) -> list[Bucket]:
    """Tensors in this order in buckets of about `size` bytes, each of one type and device."""
    filled: list[dict[int, torch.Tensor]] = []
    taken, kind = size, None
    for number in order:
        tensor = trained[number]
        if taken >= size or kind != (tensor.dtype, tensor.device):
            filled.append({})
            taken, kind = 0, (tensor.dtype, tensor.device)
        filled[-1][number] = tensor
        taken += tensor.numel() * tensor.element_size()
    return [Bucket(each) for each in filled]


def _laid_out(part: torch.Tensor, tensor: torch.Tensor) -> torch.Tensor:
    """A part of a buffer in the shape of a tensor, and in its layout if that has no gaps."""
    import torch

    strides = torch.empty_like(tensor, device="meta").stride()  # of tensors with gaps: others
    return part.as_strided(tensor.shape, strides, part.storage_offset())
