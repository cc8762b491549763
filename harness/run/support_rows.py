"""The rows of features that stand for the support set: in training, and for classifiers.

A support picture is one row, or with `support_views` it has n views: n rows (pool), their mean
(mean), or one row that is another view in every epoch (cycle), of which classifiers see the mean.
Pooled rows have the first view of every picture before the second ones.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from harness.core.errors import CellError
from harness.core.samples import SupportSet
from harness.plan.resolve import ResolvedCell
from harness.run.resources import Resources
from harness.sampling.support_views import (
    CYCLE,
    POOL,
    rows_of_a_picture,
    trained_rows_of_a_picture,
    use_of,
)
from harness.training.cached import CachedFeatures, cached_features
from harness.training.cycled import CycledFeatures
from harness.training.rows import StoredRows

if TYPE_CHECKING:
    import torch


def samples_of(resolved: ResolvedCell, resources: Resources) -> tuple[StoredRows, tuple[int, ...]]:
    """(M, F) and the labels of these rows: what classifiers, alignments and methods are made of.

    Raises CellError without a support set.
    """
    support, use = _support(resolved), use_of(resolved.cell)
    labels = support.labels * rows_of_a_picture(resolved.cell)
    if use in (None, POOL):
        return trained_rows(resolved, resources), labels
    return resources.mean_support_features(resolved).rows_of(support.items), labels


def trained_rows(resolved: ResolvedCell, resources: Resources) -> StoredRows:
    """(M, F): all that the epochs of a training on features read.

    Raises CellError without a support set.
    """
    support, use = _support(resolved), use_of(resolved.cell)
    if use is None:
        return resources.support_features(resolved).rows_of(support.items)
    if use in (POOL, CYCLE):
        return resources.support_features(resolved).rows_of(support.items).pooled()
    return resources.mean_support_features(resolved).rows_of(support.items)


def trained_labels(resolved: ResolvedCell) -> tuple[int, ...]:
    """(N,): of the samples that an epoch reads. Raises CellError without a support set."""
    return _support(resolved).labels * trained_rows_of_a_picture(resolved.cell)


def support_source(
    resolved: ResolvedCell,
    resources: Resources,
    torch_device: Any,
    transform: Callable[[torch.Tensor], torch.Tensor] | None = None,
) -> CachedFeatures:
    """What a training on features reads. Raises CellError without a support set."""
    if use_of(resolved.cell) == CYCLE:
        rows = resources.support_features(resolved).rows_of(_support(resolved).items)
        return CycledFeatures(rows, torch_device, transform)
    return cached_features(trained_rows(resolved, resources), torch_device, transform)


def _support(resolved: ResolvedCell) -> SupportSet:
    support = resolved.support
    if support is None:
        raise CellError("there is nothing to train on")
    return support
