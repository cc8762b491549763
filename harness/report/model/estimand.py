"""What a report's numbers are about: `report.estimand`, or what the test set suggests.

new_classes: classes are drawn with their items, so a class, or a group of classes that were sampled
together, counts as one draw. these_classes: the classes are fixed and their items are drawn.
these_items: this test set, with new seeds alone. For 100 classes of 50 items the interval of the
first may be three times that of the second, so the caption names it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from harness.core.samples import TestSet

if TYPE_CHECKING:
    from harness.core.samples import IntArray

NEW_CLASSES, THESE_CLASSES, THESE_ITEMS = "new_classes", "these_classes", "these_items"
#: The estimands of harness/stats: seeds and groups are random, or seeds alone.
RANDOM_ITEMS, FIXED_ITEMS = "E2", "E1"


def suggested(test: TestSet) -> str:
    """new_classes where all items of a class are of one group (a class, or several classes that
    were sampled together, as the motions of one object), else these_classes.
    """
    pairs = set(zip(test.groups.tolist(), test.labels.tolist(), strict=True))
    return NEW_CLASSES if len(pairs) == len(set(test.labels.tolist())) else THESE_CLASSES


def in_stats(declared: str | None) -> str:
    """The estimand as harness/stats names it."""
    return FIXED_ITEMS if declared == THESE_ITEMS else RANDOM_ITEMS


def regrouped(test: TestSet, declared: str | None) -> TestSet:
    """The test set with the groups that count as one draw."""
    estimand = declared or suggested(test)
    if estimand == suggested(test) or estimand == THESE_ITEMS:
        return test
    if estimand == NEW_CLASSES:
        return replace(test, groups=_joined(test))
    # The groups are whole classes, and in these classes every item is a draw of its own.
    return replace(test, groups=np.arange(len(test.items), dtype=test.groups.dtype))


def _joined(test: TestSet) -> IntArray:
    """Classes that share a group are one draw, with all of their items: the parts of the graph of
    groups and classes that hang together.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    groups, group_N = np.unique(test.groups, return_inverse=True)
    classes = len(test.class_names)
    size = classes + len(groups)
    ones = np.ones(len(test.items))
    graph = coo_array((ones, (test.labels, classes + group_N)), shape=(size, size))
    _, part = connected_components(graph, directed=False)
    joined: IntArray = part[test.labels].astype(test.groups.dtype)
    return joined
