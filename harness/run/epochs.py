"""How often an epoch reads every sample."""

from __future__ import annotations

import numpy as np

from harness.core.cells import Recipe
from harness.plan.resolve import ResolvedCell
from harness.sampling.support_views import trained_rows_of_a_picture


def epoch_repeats(resolved: ResolvedCell, recipe: Recipe) -> int:
    """1, or with `epoch_length: full` in few-shot floor(N / (K C)): the list of the K C samples is
    repeated, so that an epoch is about as long as one over all N training samples of the classes.
    Pooled views are as many samples.
    """
    support = resolved.support
    if recipe.epoch_length is None or resolved.cell.shots is None or support is None:
        return 1
    setup = resolved.setup
    n = int(np.isin(setup.dataset.train.labels, setup.trained.indices).sum())
    return max(1, n // (len(support.items) * trained_rows_of_a_picture(resolved.cell)))
