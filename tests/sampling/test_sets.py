"""Support, validation and test sets: which items, whatever the order of a table and the other
classes; nested in K; errors that name the class.
"""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from harness.core.errors import DataError
from harness.core.samples import Items
from harness.core.seeding import stream_seed
from harness.sampling.sets import (
    draw_support,
    draw_test,
    draw_validation,
    picture_hash,
)
from tests.sampling.equal_pictures import duplicates
from tests.sampling.toy import items, toy


@given(seed=st.integers(0, 1000), k=st.integers(1, 7))
def test_support_sets_are_nested_distinct_and_of_every_class(seed: int, k: int) -> None:
    small = draw_support(toy(), range(10), seed, shots=k)
    large = draw_support(toy(), range(10), seed, shots=k + 1)
    assert set(small.items) < set(large.items)
    assert len(set(small.items)) == 10 * k
    assert Counter(small.labels) == dict.fromkeys(range(10), k)


def test_a_class_has_the_same_shots_whichever_others_take_part() -> None:
    alone = draw_support(toy(), [7], 0, shots=3).items
    among = draw_support(toy(), range(10), 0, shots=3)
    assert alone == tuple(i for i, c in zip(among.items, among.labels, strict=True) if c == 7)


def test_seeds_draw_differently_and_the_same_seed_alike() -> None:
    sets = [draw_support(toy(), range(10), s, shots=2).sha256 for s in (0, 0, 1)]
    assert sets[0] == sets[1] != sets[2]


def test_fraction_takes_its_part_of_every_class_and_nests() -> None:
    quarter = draw_support(toy(), range(10), 0, fraction=0.25)
    half = draw_support(toy(), range(10), 0, fraction=0.5)
    assert len(quarter.items) == 20
    assert set(quarter.items) < set(half.items)


def test_all_data_do_not_depend_on_the_seed() -> None:
    assert draw_support(toy(), range(10), 0) == draw_support(toy(), range(10), 1)


def test_too_many_shots_are_an_error_that_names_the_class() -> None:
    with pytest.raises(DataError, match="9 is more than the 8 training samples of class 'class 0'"):
        draw_support(toy(), range(10), 0, shots=9)


def test_a_class_of_few_samples_gives_all_and_the_others_what_they_always_give() -> None:
    labels = np.repeat(np.arange(10), [8, 1, 8, 3, 8, 8, 8, 8, 8, 8])
    ids = tuple(f"train{i}" for i in range(len(labels)))
    tail = toy(train=Items(ids, labels, np.arange(len(labels))))
    taken = draw_support(tail, range(10), 5, shots=4, take_all=True)
    with pytest.raises(DataError, match="4 is more than the 1 training samples of class 'class 1'"):
        draw_support(tail, range(10), 5, shots=4)
    by_class = {c: {i for i, label in zip(taken.items, taken.labels, strict=True) if label == c}
                for c in range(10)}  # fmt: skip
    assert {c: len(items) for c, items in by_class.items()} == dict.fromkeys(range(10), 4) | {
        1: 1, 3: 3,
    }  # fmt: skip
    others = [c for c in range(10) if c not in (1, 3)]
    alone = draw_support(tail, others, 5, shots=4)
    assert set(alone.items) == set().union(*(by_class[c] for c in others))
    whole = draw_support(toy(), range(10), 5, shots=4)
    assert draw_support(toy(), range(10), 5, shots=4, take_all=True) == whole


def test_validation_takes_its_samples_before_take_all() -> None:
    left = draw_support(toy(), range(10), 0, shots=8, val=2, take_all=True)
    assert Counter(left.labels) == dict.fromkeys(range(10), 6)
    assert not set(left.items) & set(draw_validation(toy(), range(10), 0, 2).items)
    with pytest.raises(DataError, match="without the 8 for validation"):
        draw_support(toy(), range(10), 0, shots=1, val=8, take_all=True)


def test_distractors_are_classes_without_test_samples() -> None:
    short = toy(test=items("test", 2, 9))
    found = draw_test(short, [8, 9], distractors=True)
    assert (found.class_names, found.labels.tolist()) == (("class 8", "class 9"), [0, 0])
    with pytest.raises(DataError, match="class 'class 9' has no test samples"):
        draw_test(short, [8, 9])
    with pytest.raises(DataError, match="class 'class 9' has no test samples"):
        draw_test(short, [9], distractors=True)


def test_the_test_set_counts_every_item_once_with_labels_from_zero() -> None:
    found = draw_test(toy(), [3, 8])
    assert found.items == ("test6", "test7", "test16", "test17")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.class_names == ("class 3", "class 8")


def test_validation_samples_are_never_trained_on_and_the_same_for_every_k() -> None:
    kept = draw_validation(toy(), range(10), 0, 2)
    assert Counter(kept.labels) == dict.fromkeys(range(10), 2)
    for k in (1, 3, 6):
        assert not set(kept.items) & set(draw_support(toy(), range(10), 0, shots=k, val=2).items)
    rest = draw_support(toy(), range(10), 0, val=2)
    assert len(rest.items) == 60
    assert not set(kept.items) & set(rest.items)
    with pytest.raises(DataError, match="without the 2 for validation"):
        draw_support(toy(), range(10), 0, shots=7, val=2)


@pytest.mark.parametrize(("fraction", "per_class"), [(0.5, 3), (0.3, 2), (0.1, 1), (0.29, 1)])
def test_fractions_are_rounded_half_up(fraction: float, per_class: int) -> None:
    small = toy(train=items("train", 5, 10))
    assert len(draw_support(small, range(10), 0, fraction=fraction).items) == 10 * per_class


def test_a_half_that_floats_miss_is_rounded_up() -> None:
    small = toy(train=items("train", 50, 1), classes=("class 0",))
    assert 0.29 * 50 < 14.5
    assert len(draw_support(small, [0], 0, fraction=0.29).items) == 15


def test_the_order_of_the_rows_decides_no_draw() -> None:
    train = toy().train
    back = toy(train=Items(train.ids[::-1], train.labels[::-1], train.groups[::-1]))
    for shots in (2, None):
        assert draw_support(toy(), range(10), 0, shots=shots) == draw_support(
            back, range(10), 0, shots=shots
        )
    assert draw_validation(toy(), range(10), 0, 2) == draw_validation(back, range(10), 0, 2)


def test_a_draw_never_changes() -> None:
    """Support sets of published runs depend on it: one permutation per class name and seed."""
    data = toy()
    found = draw_support(data, [3], 0, shots=2)
    order = np.random.default_rng(stream_seed(0, "support", "class 3")).permutation(8)
    pool = sorted(f"train{i}" for i in range(24, 32))
    assert found.items == tuple(pool[i] for i in order[:2])
    kept = draw_validation(data, [3], 0, 3)
    assert kept.items == tuple(pool[i] for i in order[-3:])
    assert found.seed == 0


def test_labels_count_in_the_order_of_the_classes() -> None:
    found = draw_support(toy(), [8, 2], 0, shots=1)
    assert found.labels == (0, 1)
    assert 64 <= int(found.items[0].removeprefix("train")) < 72
    assert draw_test(toy(), [8, 2]).labels.tolist() == [1, 1, 0, 0], "in the order of the items"


def test_a_support_set_that_takes_all_has_no_seed() -> None:
    """Full training sets are equal for every seed; with validation samples they are not."""
    assert draw_support(toy(), range(10), 7).seed is None
    assert draw_support(toy(), range(10), 7, val=1).seed == 7
    whole = draw_support(toy(), [0], 7, shots=8)
    assert whole.items == tuple(f"train{i}" for i in range(8))


def test_groups_of_test_items_are_kept() -> None:
    assert draw_test(toy(), [3]).groups.tolist() == [106, 107]


def test_a_class_without_samples_is_named() -> None:
    data = toy(train=items("train", 8, 9), test=items("test", 2, 9))
    with pytest.raises(DataError, match=r"^class 'class 9' has no training samples$"):
        draw_support(data, [9], 0)
    with pytest.raises(DataError, match=r"^class 'class 9' has no test samples$"):
        draw_test(data, [0, 9])


def test_equal_pictures_have_one_hash() -> None:
    one = Image.new("RGB", (4, 6), (1, 2, 3))
    assert picture_hash(one) == picture_hash(one.copy())
    for other in (
        Image.new("RGB", (6, 4), (1, 2, 3)), Image.new("RGB", (4, 6), (1, 2, 4)),
        one.convert("RGBA"),
    ):  # fmt: skip
        assert picture_hash(other) != picture_hash(one)


def test_duplicates_among_the_items_and_between_two_lists() -> None:
    red, blue = (Image.new("RGB", (4, 4), colour) for colour in ("red", "blue"))
    data = toy(pictures={"a": red, "b": blue, "c": red.copy(), "d": blue.copy()})
    assert duplicates(data, ["a", "b"], ["c"]) == [("a", "c")]
    assert duplicates(data, ["a", "b", "c", "d"]) == [("a", "c"), ("b", "d")]
    assert duplicates(data, ["a"], ["b"]) == []
