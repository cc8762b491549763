"""Which test items of several test sets were sampled together, or are the same items."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np

from harness.core.samples import TestSet

if TYPE_CHECKING:
    from harness.core.samples import IntArray


def clusters_of(sets: Iterable[tuple[str, TestSet]]) -> tuple[IntArray, ...]:
    """A cluster of every item of each (data set, test set), numbered over all of them.

    Items of a group have one cluster. So have groups of two test sets of one data set that share an
    item: class draws may share classes, whose pictures are then in both.
    """
    parents: list[int] = []
    found: dict[tuple[str, str], int] = {}  # (data set, item) -> a node

    def root(node: int) -> int:
        while parents[node] != node:
            parents[node] = parents[parents[node]]
            node = parents[node]
        return node

    nodes = []
    for dataset, test in sets:
        _, index_N = np.unique(test.groups, return_inverse=True)
        first = len(parents)
        parents.extend(range(first, first + int(index_N.max()) + 1))
        node_N = first + index_N
        for item, node in zip(test.items, node_N.tolist(), strict=True):
            earlier = found.setdefault((dataset, item), node)
            if earlier != node:
                parents[root(node)] = root(earlier)
        nodes.append(node_N)
    roots = np.array([root(node) for node in range(len(parents))], dtype=np.int64)
    return tuple(roots[node_N] for node_N in nodes)
