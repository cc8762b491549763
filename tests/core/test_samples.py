"""Support and test sets are addressed by what is in them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from harness.core.hashing import digest
from harness.core.samples import SupportSet, TestSet

SUPPORT = SupportSet(("a", "b"), (0, 1), 3)
TEST = TestSet(("a", "b"), np.array([0, 1]), np.array([4, 4]), ("cat", "dog"))


def test_a_support_set_is_its_items_and_labels() -> None:
    """The address of files under support/, which Records name."""
    assert SUPPORT.sha256 == digest([["a", "b"], [0, 1]], 64)
    assert replace(SUPPORT, seed=4).sha256 == SUPPORT.sha256
    assert replace(SUPPORT, labels=(1, 0)).sha256 != SUPPORT.sha256
    assert replace(SUPPORT, items=("a", "c")).sha256 != SUPPORT.sha256


def test_a_test_set_is_all_that_it_holds() -> None:
    assert TEST.sha256 == digest([["a", "b"], [0, 1], [4, 4], ["cat", "dog"]], 64)
    for other in (
        replace(TEST, items=("b", "a")), replace(TEST, labels=np.array([1, 0])),
        replace(TEST, groups=np.array([4, 5])), replace(TEST, class_names=("cat", "fox")),
    ):  # fmt: skip
        assert other.sha256 != TEST.sha256
