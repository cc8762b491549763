"""Lists of classes, and how they are named in messages."""

from __future__ import annotations

import pytest

from harness.core.errors import DataError
from harness.plan.class_lists import NAMED, ClassList, compared, named
from harness.sampling.class_names import SameName

TRAINED = ClassList((0, 2, 5), ("bus", "cat", "Cats"))


def test_every_spelling_of_a_tested_class_is_left_out() -> None:
    tested = ClassList((0,), ("cats",))
    assert compared(TRAINED, tested, exclude=False).shared == (SameName("cats", "cat"),)
    assert compared(TRAINED, tested, exclude=True) == ClassList(
        (0,), ("bus",), (), ("cat", "Cats")
    )  # fmt: skip


def test_lists_that_share_nothing() -> None:
    tested = ClassList((0,), ("dog",))
    for exclude in (False, True):
        assert compared(TRAINED, tested, exclude=exclude) == TRAINED


def test_no_class_left() -> None:
    with pytest.raises(DataError, match="all 3 are tested: bus, cat, Cats"):
        compared(TRAINED, ClassList((0, 1), ("buses", "cat")), exclude=True)


def test_a_long_list_ends_with_a_number() -> None:
    names = [str(n) for n in range(NAMED + 2)]
    assert named(names[:2]) == "0, 1"
    assert named(names).endswith("18, 19, and 2 more")
