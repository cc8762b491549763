"""Whether a training changed anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.core.protocols.solver import TrainableModel

if TYPE_CHECKING:
    import torch

#: Two sums over the elements of every trained tensor.
Fingerprint = list[tuple[float, float]]


def fingerprint(model: TrainableModel) -> Fingerprint:
    """Of all that training may change, without a copy of it."""
    return [_sums(tensor) for tensor in model.tensors()]


def _sums(tensor: torch.Tensor) -> tuple[float, float]:
    exact = tensor.detach().double()
    return exact.sum().item(), exact.square().sum().item()


def why_unmoved(
    before: Fingerprint, model: TrainableModel, curve: Sequence[Mapping[str, Any]]
) -> tuple[str, ...]:
    """What a reader of the result should know of a training that did not train."""
    if fingerprint(model) == before:
        return ("Training changed nothing: every weight is as it was before.",)
    losses = [point["loss"] for point in curve if "loss" in point]
    if losses and not any(losses):
        return ("The loss was 0 in every epoch: only weight decay moved the weights.",)
    return ()
