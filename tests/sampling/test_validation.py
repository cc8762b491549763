"""Samples of the official validation split: the whole of it, or K per class."""

from __future__ import annotations

import pytest

from harness.core.errors import DataError
from harness.core.samples import Items
from harness.sampling.validation import official_validation
from tests.sampling.toy import items, toy

VAL = items("val", 3, 10)
DATA = toy(val=VAL)


def test_the_whole_split_of_the_classes() -> None:
    whole = official_validation(DATA, [4, 1], 7, None)
    expected = [i for c in (4, 1) for i, y in zip(VAL.ids, VAL.labels, strict=True) if y == c]
    assert list(whole.items) == expected
    assert (whole.labels, whole.seed) == ((0, 0, 0, 1, 1, 1), None)


def test_k_of_every_class_whatever_the_order_of_the_list() -> None:
    two = official_validation(DATA, range(10), 3, 2)
    assert [two.labels.count(c) for c in range(10)] == [2] * 10
    assert len(set(two.items)) == 20
    order = list(range(30))[::-1]
    other = Items(tuple(VAL.ids[n] for n in order), VAL.labels[order], VAL.groups[order])
    assert official_validation(toy(val=other), range(10), 3, 2) == two
    assert official_validation(DATA, range(10), 4, 2).items != two.items
    assert (
        official_validation(DATA, [5], 3, 9).items == official_validation(DATA, [5], 3, None).items
    )
    one = official_validation(DATA, range(10), 3, 1)
    assert set(one.items) < set(two.items)


def test_a_class_without_samples_is_refused() -> None:
    with pytest.raises(DataError, match="class 'class 9' has no validation samples"):
        official_validation(toy(val=VAL.first(27)), range(10), 0, None)
