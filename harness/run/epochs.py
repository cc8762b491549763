"""How often an epoch reads every sample."""

from __future__ import annotations

from harness.core.cells import Recipe
from harness.plan.operations import repeats_of_epoch
from harness.plan.resolve import ResolvedCell


def epoch_repeats(resolved: ResolvedCell, recipe: Recipe) -> int:
    """See `repeats_of_epoch`; 1 where nothing is trained on."""
    support = resolved.support
    if support is None:
        return 1
    return repeats_of_epoch(resolved.cell, resolved.setup, recipe, len(support.items))
