"""Checkpoints: the state of a long training after every epoch, to continue it later."""

from __future__ import annotations

import contextlib
import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.files import write_atomically
from harness.training.distributed import world

if TYPE_CHECKING:
    import torch

    from harness.core.protocols.solver import TrainableModel


@dataclass(frozen=True)
class Checkpoint:
    """One file, replaced after every epoch and removed when the cell is done."""

    path: Path

    def save(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer, progress: dict[str, Any]
    ) -> None:
        """Save in process 0; the others wait. Raises DiskFull or OutputError."""
        import torch

        group = world()
        if group.rank > 0:
            group.wait()
            return
        state = {
            "tensors": [t.detach() for t in model.tensors()],
            "optimiser": optimiser.state_dict(),
            **progress,
        }
        write_atomically(self.path, lambda f: torch.save(state, f))
        group.wait()

    def load(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer
    ) -> dict[str, Any] | None:
        """Load the saved state into model and optimiser; None if there is no readable one."""
        import torch

        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, weights_only=True, map_location="cpu")
            pairs = list(zip(model.tensors(), state.pop("tensors"), strict=True))
            if any(tensor.shape != value.shape for tensor, value in pairs):
                raise ValueError("tensors of other shapes")
            optimiser.load_state_dict(state.pop("optimiser"))
            with (
                torch.no_grad()
            ):  # last, so that a state that does not fit does not change the model
                for tensor, value in pairs:
                    tensor.copy_(value)
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError):
            self.path.unlink(missing_ok=True)  # of an older format or truncated: start again
            return None
        return state

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # the folder may hold saved weights
            self.path.parent.rmdir()
