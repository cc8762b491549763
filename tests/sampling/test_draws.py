"""Drawn sets of a plan: each made at first use, and once, by whatever cell."""

from __future__ import annotations

import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from harness.core.errors import DataError
from harness.sampling import draws
from harness.sampling.draws import Draws
from harness.sampling.sets import draw_support, draw_test, draw_validation
from tests.sampling.toy import toy

ALL = tuple(range(10))


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each kind of set was drawn."""
    count: Counter[str] = Counter()

    def counting(function: Any) -> Any:
        def draw(*args: Any, **options: Any) -> Any:
            count[function.__name__] += 1
            return function(*args, **options)

        return draw

    for function in (draw_support, draw_validation, draw_test):
        monkeypatch.setattr(draws, function.__name__, counting(function))
    return count


def test_sets_are_those_of_the_functions() -> None:
    data, made = toy(), Draws()
    assert made.support(data, ALL, 3, shots=2, fraction=None, val=1) == draw_support(
        data, ALL, 3, shots=2, val=1
    )
    assert made.support(data, ALL, 3, shots=None, fraction=0.5, val=0) == draw_support(
        data, ALL, 3, fraction=0.5
    )
    assert made.validation(data, ALL, 3, 2) == draw_validation(data, ALL, 3, 2)
    assert made.test(data, ALL[:3]).sha256 == draw_test(data, ALL[:3]).sha256


def test_each_distinct_set_is_drawn_once(counted: Counter[str]) -> None:
    data, other, made = toy(), toy(), Draws()
    for _ in range(3):
        for seed in (0, 1):
            for shots in (1, 2):
                made.support(data, ALL, seed, shots=shots, fraction=None, val=0)
            made.validation(data, ALL, seed, 1)
        made.test(data, ALL)
        made.test(data, ALL[:2])
        made.test(other, ALL)
    assert counted == {"draw_support": 4, "draw_validation": 2, "draw_test": 3}
    assert made.test(data, ALL) is made.test(data, ALL)


def test_data_sets_are_told_apart_for_as_long_as_the_draws_live() -> None:
    """An id of Python is given out again once its object is gone."""
    made = Draws()
    for n in range(20):
        data = toy(classes=tuple(f"{n} {c}" for c in range(10)))
        assert made.test(data, ALL).class_names == data.classes
        del data


def test_threads_share_one_draw(counted: Counter[str]) -> None:
    data, made, start = toy(), Draws(), threading.Barrier(4)

    def ask() -> int:
        start.wait()
        return id(made.support(data, ALL, 0, shots=1, fraction=None, val=0))

    with ThreadPoolExecutor(4) as pool:
        found = [pool.submit(ask) for _ in range(4)]
    assert len({future.result() for future in found}) == 1
    assert counted == {"draw_support": 1}


def test_a_draw_that_fails_fails_for_whoever_asks() -> None:
    data, made = toy(), Draws()
    for _ in range(2):
        with pytest.raises(DataError, match="9 is more than the 8 training samples"):
            made.support(data, ALL, 0, shots=9, fraction=None, val=0)
