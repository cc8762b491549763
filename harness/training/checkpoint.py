"""Checkpoints: the state of a long training, every so many minutes, to continue it later.

All processes of a training have the same state after a step, so process 0 saves alone. It alone
decides too whether a training goes on from a checkpoint, and sends what it read to the others: a
file that only some of them see plays no part.
"""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.errors import BadInput, HarnessError
from harness.training.agreement import agreement
from harness.training.broadcast import from_first
from harness.training.checkpoint_files import CheckpointFiles, Unreadable
from harness.training.distributed import world

if TYPE_CHECKING:
    import torch

    from harness.core.protocols.solver import TrainableModel

#: Between two checkpoints, unless HARNESS_CHECKPOINT_MINUTES says otherwise.
MINUTES = 10.0


def minutes() -> float:
    """HARNESS_CHECKPOINT_MINUTES, or 10. Raises BadInput for what is no number of minutes."""
    text = os.environ.get("HARNESS_CHECKPOINT_MINUTES", str(MINUTES))
    try:
        wanted = float(text)
    except ValueError:
        wanted = math.nan
    if not 0 <= wanted < math.inf:
        raise BadInput(
            f"the variable HARNESS_CHECKPOINT_MINUTES must be a number of 0 or more, not '{text}'"
        )
    return wanted


@dataclass
class Checkpoint:
    """The last two states of one training; removed when the cell is done."""

    path: Path
    minutes: float = field(default_factory=minutes)
    clock: Callable[[], float] = time.monotonic

    def __post_init__(self) -> None:
        self._files, self._last = CheckpointFiles(self.path), self.clock()

    def due(self) -> bool:
        """Whether process 0 has not saved or loaded for so many minutes; False in the others."""
        return world().rank == 0 and self.clock() - self._last >= 60 * self.minutes

    def save(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer, progress: dict[str, Any]
    ) -> None:
        """Save in process 0, whose state is that of the others.

        Raises DiskFull or OutputError.
        """
        if world().rank > 0:
            return
        state = {"tensors": [t.detach() for t in model.tensors()]}
        self._files.write({**state, "optimiser": optimiser.state_dict(), **progress})
        self._last = self.clock()

    def load(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer
    ) -> dict[str, Any] | None:
        """Load the last state that is readable into model and optimiser; its progress, or None.

        Raises in all processes: HarnessError if there is one that cannot be read just now, and a
        lack of memory.
        """
        group = world()
        with agreement(group):
            state = self._read(model, optimiser) if group.rank == 0 else None
        state = from_first(state, group)
        self._last = self.clock()
        if state is None:
            return None
        if group.rank > 0:
            _put(state, model, optimiser)
        return {k: v for k, v in state.items() if k not in ("tensors", "optimiser")}

    def _read(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer
    ) -> dict[str, Any] | None:
        """What process 0 finds, and puts into its model."""
        try:
            return self._files.read(lambda state: _put(state, model, optimiser))
        except MemoryError as error:
            reason = str(error) or "too little memory to load a checkpoint"
            raise HarnessError(reason) from error

    def remove(self) -> None:
        """Remove the files, and their folder unless something else is in it."""
        self._files.remove()


def _put(state: dict[str, Any], model: TrainableModel, optimiser: torch.optim.Optimizer) -> None:
    """Raises Unreadable, before it changes the model, for a state of another one."""
    import torch

    try:
        pairs = list(zip(model.tensors(), state["tensors"], strict=True))
        if any(tensor.shape != value.shape for tensor, value in pairs):
            raise Unreadable("it has tensors of other shapes")
        optimiser.load_state_dict(state["optimiser"])
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Unreadable(f"it does not fit: {error}") from error
    with torch.no_grad():
        for tensor, value in pairs:
            tensor.copy_(value)
