"""Backbones in training that note how long their device waits for data; with clips, or without."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import torch

from harness.training.tuned import TunedBackbone

#: What torch says of a wait in its mode for debugging.
WAITED = "called a synchronizing"
Parts = Iterable[tuple[int, torch.Tensor]]
Inputs = Generator[torch.Tensor, None, None]


class Real(TunedBackbone):
    """With clips as the harness' reader gives them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._epoch = 0
        self._marks: dict[int, list[tuple[Any, Any]]] = {}

    def begin_epoch(self, epoch: int) -> None:
        super().begin_epoch(epoch)
        self._epoch = epoch

    def ahead(self, parts: Parts) -> Inputs:
        with closing(self._inputs(parts)) as inputs:
            while True:
                before = self._mark()
                x_NCHW = next(inputs, None)
                if x_NCHW is None:
                    return
                self._marks.setdefault(self._epoch, []).append((before, self._mark()))
                yield x_NCHW

    def _inputs(self, parts: Parts) -> Inputs:
        return super().ahead(parts)

    def waited(self, epoch: int) -> float:
        """Seconds of a finished epoch between the end of the device's work and its next input."""
        pairs = self._marks.get(epoch, [])
        if self._device.type == "cpu":
            return float(sum(after - before for before, after in pairs))
        # Events pass in the order of the device's work: a device that has more to do when the host
        # asks for data does not wait, however long the host does.
        return float(sum(before.elapsed_time(after) for before, after in pairs)) / 1000

    def _mark(self) -> Any:
        if self._device.type == "cpu":
            return time.perf_counter()
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        return event


class Synthetic(Real):
    """With random pixels that are on the device already, the same in every step."""

    def _inputs(self, parts: Parts) -> Inputs:
        side, stream = self._views.pictures.resolution, torch.Generator().manual_seed(0)
        made: dict[int, torch.Tensor] = {}
        for _, part_B in parts:
            images = len(part_B) * (self.frames or 1)
            if images not in made:
                drawn = torch.randint(
                    256, (images, 3, side, side), generator=stream, dtype=torch.uint8
                )
                made[images] = drawn.to(self._device)
            yield made[images]


@contextmanager
def host_waits(device: torch.device) -> Iterator[Callable[[], int]]:
    """A function that says how often the host has waited for the device so far."""
    if device.type == "cpu":
        yield lambda: 0
        return
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        torch.cuda.set_sync_debug_mode("warn")
        try:
            yield lambda: sum(WAITED in str(warning.message) for warning in caught)
        finally:
            torch.cuda.set_sync_debug_mode("default")
