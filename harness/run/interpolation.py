"""Weights between before and after a training (WiSE-FT, Wortsman et al. 2022): `interpolate: a`.

theta(a) = (1 - a) theta_before + a theta_after for everything that was trained: backbone,
projection, module over time, text tower or context, logit scale (its logarithm) and W. Adapters are
a change of weights, and between them is a share a of that change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.protocols.solver import TrainableModel
from harness.plan.resolve import ResolvedCell
from harness.run.build import build_model
from harness.run.evaluate import Trained
from harness.run.resources import Resources
from harness.training.texts import TowerTexts
from harness.training.tower_parts import TowerPart
from harness.training.tuned import TunedBackbone

if TYPE_CHECKING:
    import torch


@contextmanager
def interpolated(resolved: ResolvedCell, trained: Trained, resources: Resources) -> Iterator[None]:
    """The trained model as the cell evaluates it, while the context lasts.

    Raises CellError or EncoderError if the model before training cannot be built again.
    """
    share, model = resolved.cell.interpolate, trained.model
    if share is None or model is None or resolved.cell.recipe is None:
        yield
        return
    # It is built once more, as it began: to keep it would take its memory throughout the training.
    recipe = replace(resolved.cell.recipe, **trained.chosen)
    before = build_model(resolved, recipe, resources).model
    with ExitStack() as stack:
        for part in _parts(model):
            stack.enter_context(part.between(share))
        stack.enter_context(_between(_weights(before), _weights(model), share))
        yield


def _parts(model: TrainableModel) -> list[TowerPart]:
    """What of the towers is trained."""
    holders = (model.source, model.texts)
    return [each.part for each in holders if isinstance(each, TunedBackbone | TowerTexts)]


def _weights(model: TrainableModel) -> list[torch.Tensor]:
    """What changes from before to after in a straight line: not the factors of an adapter."""
    parts = _parts(model)
    factors = {id(t) for part in parts if part.is_a_change for t in part.tensors()}
    return [tensor for tensor in model.tensors() if id(tensor) not in factors]


@contextmanager
def _between(
    before: Sequence[torch.Tensor], after: Sequence[torch.Tensor], share: float
) -> Iterator[None]:
    import torch

    kept = [tensor.detach().clone() for tensor in after]
    try:
        with torch.no_grad():
            for tensor, start in zip(after, before, strict=True):
                # 0 is exactly the start, and 1 what was trained.
                tensor.copy_(start.to(tensor.device).lerp(tensor, share))
        yield
    finally:
        with torch.no_grad():
            for tensor, end in zip(after, kept, strict=True):
                tensor.copy_(end)
