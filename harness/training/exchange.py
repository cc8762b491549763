"""Gradients summed over the processes while backward still runs.

Gradients lie in buckets, in the order in which backward makes them. A bucket whose gradients are
all there is summed over the processes at once, beside the rest of backward. Every process sums the
same buckets in the same order, whatever its own backward does: one that has nothing to add to a
bucket adds zeros.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from harness.training.agreement import agreement, shared_error
from harness.training.buckets import Bucket, buckets
from harness.training.distributed import World, is_of_exchange

if TYPE_CHECKING:
    import torch

#: Bytes of gradients that are exchanged together: few messages, the first of them early.
BUCKET = 25 * 2**20


class GradientExchange:
    """The gradients of some tensors, summed over the processes in every step.

        with exchange.step(backwards):
            ...  # as many backward passes in this process; 0 is possible. No other exchange.

    A tensor may be reached by fewer backward passes than that, not by more. Tensors that do not
    require gradients yet take part once they do.
    """

    def __init__(self, tensors: Sequence[torch.Tensor], group: World, size: int = BUCKET) -> None:
        self._tensors, self._group, self._size = list(tensors), group, size
        self._trained: list[torch.Tensor] = []
        self._buckets: list[Bucket] = []
        self._hooks: list[Any] = []
        self._next_order: list[int] | None = None  # for the buckets of the next step
        self._is_settled = False  # the order is that of a backward pass
        self._backwards: int | None = None  # of this process in the step that is running
        self._reached: dict[int, int] = {}  # backward passes of this step, by tensor
        self._launched = 0

    @contextmanager
    def step(self, backwards: int) -> Iterator[None]:
        """`begin`, the work inside, and `finish`, which tells the others of an error in it."""
        self.begin(backwards)
        failed = None
        try:
            yield
        except (Exception, KeyboardInterrupt) as error:
            self._backwards = None
            if is_of_exchange(error):
                raise
            failed = error
        self.finish(failed)

    def begin(self, backwards: int) -> None:
        """Before the first of so many backward passes of this process in this step.

        Raises OutOfMemory in all processes if one of them has no memory for its buckets, or what
        one of them met since the last agreement, if the buckets are new.
        """
        if self._group.size == 1:
            return
        trained = [t for t in self._tensors if t.requires_grad]
        if [id(t) for t in trained] != [id(t) for t in self._trained]:
            self._trained, self._is_settled = trained, False
            self._next_order = list(reversed(range(len(trained))))
        if self._next_order is not None:
            self._arrange(self._next_order)
            self._next_order = None
        for bucket in self._buckets:
            bucket.begin()
        self._backwards, self._reached, self._launched = backwards, {}, 0

    def finish(self, failed: BaseException | None = None) -> None:
        """After the last backward pass: exchange the rest and wait. Every `grad` is then the sum
        over the processes; a tensor that no process used keeps none.

        Raises the same error in all processes if one of them has `failed`; see `agreement`.
        """
        if self._group.size == 1:
            if failed is not None:
                raise failed
            return
        self._backwards = None
        used = [t.grad is not None for t in self._trained]
        for bucket in self._buckets:
            for number in sorted(bucket.missing):
                bucket.put(number, self._trained[number].grad)
        self._launch()
        one_has_failed, *used = self._group.any_of([failed is not None, *used])
        for bucket in self._buckets:
            bucket.wait()
        if one_has_failed:
            raise shared_error(self._group, failed) from failed
        for bucket in self._buckets:
            for number, view in bucket.views.items():
                self._trained[number].grad = view if used[number] else None
        if not self._is_settled:
            self._settle()

    def close(self) -> None:
        """Let go of the tensors, which keep their gradients, and of the buckets."""
        for hook in self._hooks:
            hook.remove()
        self._hooks, self._buckets, self._trained = [], [], []

    def _arrange(self, order: Sequence[int]) -> None:
        """Put the trained tensors into buckets, in this order."""
        trained = self._trained
        self.close()
        self._trained = trained
        with agreement(self._group):
            self._buckets = buckets(trained, order, self._size)
        self._hooks = [
            trained[number].register_post_accumulate_grad_hook(self._hook(number, bucket))
            for bucket in self._buckets
            for number in bucket.views
        ]

    def _hook(self, number: int, bucket: Bucket) -> Callable[[torch.Tensor], None]:
        def reached(tensor: torch.Tensor) -> None:
            if self._backwards is None:
                return
            passes = self._reached[number] = self._reached.get(number, 0) + 1
            if number not in bucket.missing:
                raise RuntimeError("more backward passes than were announced for this step")
            if passes == self._backwards:
                tensor.grad = bucket.put(number, tensor.grad)
                self._launch()

        return reached

    def _launch(self) -> None:
        """Begin the exchange of buckets that are full, none before its predecessor."""
        while self._launched < len(self._buckets) and not self._buckets[self._launched].missing:
            self._buckets[self._launched].launch()
            self._launched += 1

    def _settle(self) -> None:
        """From the next step on buckets are in the order in which process 0's first step reached
        the tensors; those that it did not reach are last.
        """
        rest = [n for bucket in self._buckets for n in bucket.views if n not in self._reached]
        order = self._group.of_first([*self._reached, *rest])
        self._is_settled, self._next_order = True, order
