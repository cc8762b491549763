from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.core.cells import ClassPick
from harness.core.errors import DataError
from harness.core.samples import Items
from harness.sampling.classes import pick_classes
from harness.sampling.sets import draw_support, draw_test, draw_validation


def items(prefix: str, per_class: int, n_classes: int) -> Items:
    labels = np.repeat(np.arange(n_classes), per_class)
    return Items(tuple(f"{prefix}{i}" for i in range(len(labels))), labels, labels)


@dataclass
class Toy:
    """Ten classes, eight training and two test samples each."""

    classes: tuple[str, ...] = tuple(f"class {i}" for i in range(10))
    train: Items = field(default_factory=lambda: items("train", 8, 10))
    test: Items = field(default_factory=lambda: items("test", 2, 10))
    manifest: str = "toy"

    def part(self, name: str) -> range:
        return {"all": range(10), "rear": range(5, 10)}[name]


@given(seed=st.integers(0, 1000), k=st.integers(1, 7))
def test_support_sets_are_nested_distinct_and_of_every_class(seed: int, k: int) -> None:
    small = draw_support(Toy(), range(10), seed, shots=k)
    large = draw_support(Toy(), range(10), seed, shots=k + 1)
    assert set(small.items) < set(large.items)
    assert len(set(small.items)) == 10 * k
    assert Counter(small.labels) == dict.fromkeys(range(10), k)


def test_a_class_has_the_same_shots_whichever_others_take_part() -> None:
    alone = draw_support(Toy(), [7], 0, shots=3).items
    among = draw_support(Toy(), range(10), 0, shots=3)
    assert alone == tuple(i for i, c in zip(among.items, among.labels, strict=True) if c == 7)


def test_seeds_draw_differently_and_the_same_seed_alike() -> None:
    sets = [draw_support(Toy(), range(10), s, shots=2).sha256 for s in (0, 0, 1)]
    assert sets[0] == sets[1] != sets[2]


def test_fraction_takes_its_part_of_every_class_and_nests() -> None:
    quarter = draw_support(Toy(), range(10), 0, fraction=0.25)
    half = draw_support(Toy(), range(10), 0, fraction=0.5)
    assert len(quarter.items) == 20
    assert set(quarter.items) < set(half.items)


def test_all_data_do_not_depend_on_the_seed() -> None:
    assert draw_support(Toy(), range(10), 0) == draw_support(Toy(), range(10), 1)


def test_too_many_shots_are_an_error_that_names_the_class() -> None:
    with pytest.raises(DataError, match="9 is more than the 8 training samples of class 'class 0'"):
        draw_support(Toy(), range(10), 0, shots=9)


def test_picked_classes_are_a_prefix_of_one_draw() -> None:
    few = pick_classes(Toy(), ClassPick(3), 0)
    more = pick_classes(Toy(), ClassPick(6), 0)
    assert set(few) < set(more)
    assert pick_classes(Toy(), ClassPick(3), 1) != few


def test_training_classes_are_drawn_around_the_test_classes() -> None:
    tested = pick_classes(Toy(), ClassPick(4), 0)
    trained = pick_classes(Toy(), ClassPick(), None, without=tested)
    assert set(trained) | set(tested) == set(range(10))
    assert not set(trained) & set(tested)


def test_half_splits_are_those_of_the_field() -> None:
    expected = sorted(np.random.RandomState(3).permutation(10)[:5].tolist())
    assert list(pick_classes(Toy(), ClassPick(half=3), None)) == expected


def test_parts_limit_the_draw() -> None:
    assert set(pick_classes(Toy(), ClassPick(part="rear"), None)) == set(range(5, 10))
    with pytest.raises(DataError, match="6 of the 5 classes of 'rear'"):
        pick_classes(Toy(), ClassPick(6, "rear"), 0)


def test_classes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "names.txt"
    file.write_text("class 4\n\nclass 2\n")
    assert pick_classes(Toy(), ClassPick(file=str(file)), None) == (2, 4)
    file.write_text("clas 4\n")
    with pytest.raises(DataError, match="Did you mean 'class 4'"):
        pick_classes(Toy(), ClassPick(file=str(file)), None)


def test_the_test_set_counts_every_item_once_with_labels_from_zero() -> None:
    found = draw_test(Toy(), [3, 8])
    assert found.items == ("test6", "test7", "test16", "test17")
    assert found.labels.tolist() == [0, 0, 1, 1]
    assert found.class_names == ("class 3", "class 8")


def test_validation_samples_are_never_trained_on_and_the_same_for_every_k() -> None:
    kept = draw_validation(Toy(), range(10), 0, 2)
    assert Counter(kept.labels) == dict.fromkeys(range(10), 2)
    for k in (1, 3, 6):
        assert not set(kept.items) & set(draw_support(Toy(), range(10), 0, shots=k, val=2).items)
    rest = draw_support(Toy(), range(10), 0, val=2)
    assert len(rest.items) == 60
    assert not set(kept.items) & set(rest.items)
    with pytest.raises(DataError, match="besides 2 for validation"):
        draw_support(Toy(), range(10), 0, shots=7, val=2)


@pytest.mark.parametrize(("fraction", "per_class"), [(0.5, 3), (0.3, 2), (0.1, 1), (0.29, 1)])
def test_fractions_are_rounded_half_up(fraction: float, per_class: int) -> None:
    toy = Toy(train=items("train", 5, 10))
    assert len(draw_support(toy, range(10), 0, fraction=fraction).items) == 10 * per_class


def test_a_half_that_floats_miss_is_rounded_up() -> None:
    toy = Toy(train=items("train", 50, 1), classes=("class 0",))
    assert 0.29 * 50 < 14.5
    assert len(draw_support(toy, [0], 0, fraction=0.29).items) == 15


def test_the_order_of_the_rows_decides_no_draw() -> None:
    toy = Toy()
    back = Items(toy.train.ids[::-1], toy.train.labels[::-1], toy.train.groups[::-1])
    for shots in (2, None):
        assert draw_support(toy, range(10), 0, shots=shots) == draw_support(
            Toy(train=back), range(10), 0, shots=shots
        )
    assert draw_validation(toy, range(10), 0, 2) == draw_validation(
        Toy(train=back), range(10), 0, 2
    )
