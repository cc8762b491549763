"""The precision of a training: autocast; in float16 a scaled loss (Micikevicius et al. 2018)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

#: Precisions that a forward pass is cast to; in `tf32` numbers are float32.
AUTOCAST = ("bfloat16", "float16")


def autocast(name: str, device_type: str) -> AbstractContextManager[object]:
    """Autocast to bfloat16 or float16, else nothing: to enter one that is off costs a tenth of a
    small step. TF32 is a switch for forward and backward passes: see `numerics.float32_as`.
    """
    import torch

    if name not in AUTOCAST:
        return nullcontext()
    return torch.autocast(device_type, dtype=getattr(torch, name))


class Precision:
    """Forward passes in the precision of a recipe, and steps of the optimiser that fit it."""

    def __init__(self, name: str, device_type: str) -> None:
        import torch

        self._name, self._device_type = name, device_type
        self._scaler = torch.amp.GradScaler(device_type) if name == "float16" else None

    def forward(self) -> AbstractContextManager[object]:
        """Within it a forward pass is computed in this precision."""
        return autocast(self._name, self._device_type)

    def backward(self, loss: torch.Tensor) -> None:
        """Gradients of a loss; in float16 of a multiple, so that small ones do not become 0."""
        (loss if self._scaler is None else self._scaler.scale(loss)).backward()

    def unscale(self, optimiser: torch.optim.Optimizer) -> None:
        """Before anything reads or adds to the gradients."""
        if self._scaler is not None:
            self._scaler.unscale_(optimiser)

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """An update; in float16 none if a gradient is not finite, and the factor is halved."""
        if self._scaler is None:
            optimiser.step()
            return
        self._scaler.step(optimiser)
        self._scaler.update()

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps."""
        return {} if self._scaler is None else self._scaler.state_dict()

    def restore(self, state: dict[str, Any]) -> None:
        if self._scaler is not None and state:
            self._scaler.load_state_dict(state)
