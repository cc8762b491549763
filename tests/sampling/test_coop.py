"""support: coop, against an independent draw; the restriction to classes; damaged items."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.samples import Items
from harness.data._image_files import ImageFiles
from harness.data._items import items_of
from harness.data._max_corrupt import _without
from harness.sampling.coop import coop_sets, draw_coop
from harness.sampling.sets import draw_support
from tests.sampling.made_up_splits import NAMES, Rows, drawn_by_hand, split_rows
from tests.sampling.toy import toy

TRAIN, VAL = split_rows("train"), split_rows("val")


def listed(rows: Rows) -> Items:
    return items_of([(name, label, "") for name, label in rows])


DATA = toy(classes=NAMES, train=listed(TRAIN), val=listed(VAL))
ALL = range(len(NAMES))


@pytest.mark.parametrize("k", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("seed", [0, 1, 2, 3])
def test_the_draw_is_that_of_the_rule_in_order(seed: int, k: int) -> None:
    train, val = coop_sets(DATA, ALL, seed, k)
    assert [list(train.items), list(val.items)] == drawn_by_hand(TRAIN, VAL, seed, k)
    label_of = dict(TRAIN) | dict(VAL)
    assert list(train.labels + val.labels) == [label_of[i] for i in (*train.items, *val.items)]
    assert (train.seed, val.seed) == (seed, seed)


def test_the_order_of_the_list_decides() -> None:
    shuffled = toy(classes=NAMES, train=listed(TRAIN[::-1]), val=listed(VAL))
    assert coop_sets(shuffled, ALL, 1, 2) != coop_sets(DATA, ALL, 1, 2)
    # The harness's own draw knows items by name.
    own = [draw_support(data, ALL, 1, shots=1).items for data in (DATA, shuffled)]
    assert own[0] == own[1]


def test_classes_are_taken_out_of_the_draw_over_all_and_relabelled() -> None:
    whole = coop_sets(DATA, ALL, 2, 2)
    part = coop_sets(DATA, [5, 2], 2, 2)
    for everything, some in zip(whole, part, strict=True):
        pairs = zip(everything.items, everything.labels, strict=True)
        expected = [(item, (5, 2).index(c)) for item, c in pairs if c in (5, 2)]
        assert list(zip(some.items, some.labels, strict=True)) == expected
        assert len(expected) == 4


def test_damaged_items_shift_no_draw(tmp_path) -> None:  # type: ignore[no-untyped-def]
    files = ImageFiles(tmp_path, NAMES, listed(TRAIN), listed([]), "m", {}, val=listed(VAL))
    whole = coop_sets(files, ALL, 1, 2)  # type: ignore[arg-type]
    damaged = whole[0].items[3]
    left = _without(files, [damaged], [])
    assert damaged not in left.train.ids
    train, val = coop_sets(left, ALL, 1, 2)  # type: ignore[arg-type]
    assert train.items == tuple(i for i in whole[0].items if i != damaged)
    assert val == whole[1]


def test_a_data_set_without_val_draws_none() -> None:
    train, val = draw_coop(toy(), 0, 1)
    assert (len(train), val) == (10, [])
    assert np.unique(toy().train.labels[train]).size == 10
