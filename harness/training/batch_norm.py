"""Batch norm in training mode (`recipe.batch_norm: updated`), as the paper's public code has it.

Every micro-batch is normalised with its own statistics. The running statistics, which evaluation
uses, move once an update, towards the mean of the statistics of its micro-batches. So they do not
depend on which process computed which, and a second pass over a micro-batch does not count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.training.distributed import world

if TYPE_CHECKING:
    import torch


class BatchNorms:
    """The batch norms of a module. They are in evaluation mode except within an update."""

    def __init__(self, module: Any) -> None:
        from torch.nn.modules.batchnorm import _BatchNorm

        self._norms = [each for each in module.modules() if isinstance(each, _BatchNorm)]
        self._before: list[torch.Tensor] | None = None  # the statistics before the update
        self._sums: list[torch.Tensor] = []
        self._parts = 0

    def buffers(self) -> list[torch.Tensor]:
        """The running statistics, which training moves."""
        each = ((norm.running_mean, norm.running_var) for norm in self._norms)
        return [buffer for pair in each for buffer in pair if buffer is not None]

    def begin_part(self) -> None:
        """Before the forward pass of a micro-batch."""
        import torch

        if self._before is None:
            self._before = [buffer.clone() for buffer in self.buffers()]
            self._sums = [torch.zeros_like(buffer) for buffer in self._before]
        for norm in self._norms:
            norm.train()
        self._put(self._before)

    def end_part(self) -> None:
        """After it. A pass without a graph is repeated with one, and counts then."""
        import torch

        if torch.is_grad_enabled():
            pairs = zip(self._sums, self.buffers(), strict=True)
            self._sums = [total + buffer for total, buffer in pairs]
            self._parts += 1

    def end_step(self) -> None:
        """After the backward passes, which may have run the module again."""
        group = world()
        # A process without a micro-batch of this update adds nothing.
        sums = self._sums if self._before is not None else [0 * b for b in self.buffers()]
        group.add(sums)
        (parts,) = group.total(self._parts)
        self._put([total / parts for total in sums])
        self._before, self._parts = None, 0
        self.evaluate()

    def evaluate(self) -> None:
        """Normalise with the running statistics from now on."""
        for norm in self._norms:
            norm.eval()

    def _put(self, values: list[torch.Tensor]) -> None:
        import torch

        with torch.no_grad():
            for buffer, value in zip(self.buffers(), values, strict=True):
                buffer.copy_(value)
