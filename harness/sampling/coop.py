"""CoOp's few-shot sets (`support: coop`), the same samples in the same order as its code draws.

The rule is that of Dassl's generate_fewshot_dataset (KaiyangZhou/Dassl.pytorch,
dassl/data/datasets/base_dataset.py) as CoOp's data sets call it: one generator for every (seed, K),
train first, then val. The sets of 1 and 2 shots are not nested.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Protocol

from harness.core.protocols.dataset import Dataset
from harness.core.samples import Items, SupportSet

#: Validation samples of a class at most.
MOST_VAL = 4


class Listed(Protocol):
    """What can be drawn from: a data set, or its lists alone."""

    def listed(self, split: str) -> Items:
        """`train` or `val`, in the order of the data set."""
        ...


def draw_coop(dataset: Listed, seed: int, shots: int) -> tuple[list[int], list[int]]:
    """Positions in `dataset.listed` of train, and of val: K and min(K, 4) samples a class.

    It goes over all classes, and over all items that are listed, damaged ones included: which
    classes and items are used changes no draw.
    """
    generator = random.Random(seed)
    train = _of_split(dataset.listed("train"), shots, generator)
    return train, _of_split(dataset.listed("val"), min(shots, MOST_VAL), generator)


def coop_sets(
    dataset: Dataset, classes: Sequence[int], seed: int, shots: int
) -> tuple[SupportSet, SupportSet]:
    """Support and validation set of `classes`, in the order of the draw. Labels count from 0 in the
    order of `classes`. Items that were left out of the data set as damaged are left out.
    """
    train, val = draw_coop(dataset, seed, shots)
    there = set(dataset.train.ids)
    support = restricted(dataset.listed("train"), train, classes, seed)
    kept = [n for n, item in enumerate(support.items) if item in there]
    support = SupportSet(
        tuple(support.items[n] for n in kept), tuple(support.labels[n] for n in kept), seed
    )
    return support, restricted(dataset.listed("val"), val, classes, seed)


def restricted(
    items: Items, positions: Sequence[int], classes: Sequence[int], seed: int | None
) -> SupportSet:
    """Those of the items that are of `classes`, relabelled, in the order of `positions`."""
    label_of = {c: label for label, c in enumerate(classes)}
    label_N = items.labels.tolist()
    kept = [n for n in positions if label_N[n] in label_of]
    return SupportSet(
        tuple(items.ids[n] for n in kept), tuple(label_of[label_N[n]] for n in kept), seed
    )


def _of_split(items: Items, k: int, generator: random.Random) -> list[int]:
    """Positions of k samples of every class, classes in the order in which they first appear. A
    class of fewer gives all that it has, and nothing is drawn for it.
    """
    pools: dict[int, list[int]] = {}
    for n, label in enumerate(items.labels.tolist()):
        pools.setdefault(label, []).append(n)
    drawn: list[int] = []
    for pool in pools.values():
        drawn += generator.sample(pool, k) if len(pool) >= k else pool
    return drawn
