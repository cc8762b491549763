from __future__ import annotations

import numpy as np

from harness.core.samples import TestSet
from harness.report.model.clusters import clusters_of


def made(items: str, groups: list[int]) -> TestSet:
    return TestSet(tuple(items), np.zeros(len(items), dtype=np.int64), np.array(groups), ("c",))


def test_items_of_two_test_sets_are_one_cluster_where_they_are_the_same() -> None:
    first, second = made("abcd", [7, 7, 9, 9]), made("dexy", [0, 1, 2, 2])
    one, two = clusters_of([("emoji", first), ("emoji", second)])
    assert one[0] == one[1] != one[2] == one[3]
    assert two[0] == one[3], "the group of c and d, and that of d"
    assert len({*one.tolist(), *two.tolist()}) == 4
    assert two[2] == two[3]


def test_a_third_set_may_join_two_groups() -> None:
    sets = [("x", made("a", [0])), ("x", made("b", [0])), ("x", made("ab", [0, 0]))]
    one, two, three = clusters_of(sets)
    assert one[0] == two[0] == three[0] == three[1]


def test_equal_names_in_two_data_sets_are_other_items() -> None:
    one, two = clusters_of([("x", made("ab", [0, 1])), ("y", made("ab", [0, 1]))])
    assert not set(one.tolist()) & set(two.tolist())
