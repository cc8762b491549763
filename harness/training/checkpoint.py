"""Where a long cell stands, on disk after every epoch, so that a killed one goes on from there."""

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
    """One file, replaced after every epoch and taken away when the cell is done."""

    path: Path

    def save(
        self, model: TrainableModel, optimiser: torch.optim.Optimizer, progress: dict[str, Any]
    ) -> None:
        """By process 0, for all. Raises DiskFull or OutputError."""
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
        """Put the saved state into model and optimiser; None if there is none that can be read."""
        import torch

        if not self.path.is_file():
            return None
        try:
            state: dict[str, Any] = torch.load(self.path, weights_only=True, map_location="cpu")
            pairs = list(zip(model.tensors(), state.pop("tensors"), strict=True))
            if any(tensor.shape != value.shape for tensor, value in pairs):
                raise ValueError("tensors of other shapes")
            optimiser.load_state_dict(state.pop("optimiser"))
            with torch.no_grad():  # last: a state that does not fit must leave the model alone
                for tensor, value in pairs:
                    tensor.copy_(value)
        except (OSError, RuntimeError, ValueError, KeyError, EOFError, pickle.UnpicklingError):
            self.path.unlink(missing_ok=True)  # of an older layout or cut short: begin again
            return None
        return state

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)
        with contextlib.suppress(OSError):  # weights that are kept lie beside it, or nothing does
            self.path.parent.rmdir()
