"""The temporal module after the projection, as a cell begins with it."""

from __future__ import annotations

from typing import Any

from harness.core.protocols.temporal import TemporalInputs
from harness.core.seeding import torch_stream
from harness.plan.resolve import ResolvedCell
from harness.run.resources import Resources
from harness.training.weights import TEMPORAL, put_into


def over_frames(
    resolved: ResolvedCell,
    resources: Resources,
    torch_device: Any,
    *,
    trained: bool,
    width: int | None = None,
) -> Any:
    """The module, with its saved weights if `init` has them; None for images.

    `width` is that of its inputs where they are not embeddings.
    """
    chosen = resolved.setup.over_frames
    if chosen is None:
        return None
    module = chosen.plugin.build(temporal_inputs(resolved, width), chosen.options)
    saved, file = resources.saved(resolved, TEMPORAL), resolved.setup.init
    if saved is not None and file is not None:
        put_into(module, saved.temporal, file, "module over time")
    return module.to(torch_device).requires_grad_(trained)


def temporal_inputs(resolved: ResolvedCell, width: int | None = None) -> TemporalInputs:
    """What a temporal module is built of."""
    cell, facts = resolved.cell, resolved.setup.facts
    stream = torch_stream(cell.seed, "temporal")
    return TemporalInputs(width or facts.dim, cell.frames or 1, stream, facts.text_width)
