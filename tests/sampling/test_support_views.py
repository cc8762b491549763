"""What views a cell has of its support pictures, and under which addresses their features are."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest

from harness.core.cells import Cell, Choice
from harness.sampling.support_views import (
    RandomCrop,
    RandomCrops,
    random_crops,
    rows_of_a_picture,
    trained_rows_of_a_picture,
    use_of,
)
from harness.sampling.views import FrameView

CELL = Cell(Choice("d"), "few_shot", Choice("e"), shots=1)


def with_views(use: str, **changes: object) -> Cell:
    options = {"flip": True, "n": 10, "scale": (0.5, 1.0)} | changes
    return replace(CELL, support_views=Choice(use, tuple(options.items())))


def test_a_cell_without_views_reads_pictures() -> None:
    assert random_crops(CELL) is None
    assert use_of(CELL) is None
    assert rows_of_a_picture(CELL) == trained_rows_of_a_picture(CELL) == 1


def test_the_views_are_of_the_options_and_not_of_their_use() -> None:
    crops = [random_crops(with_views(use)) for use in ("pool", "mean", "cycle")]
    assert crops == [RandomCrops(10, (0.5, 1.0), True)] * 3


@pytest.mark.parametrize(("use", "rows"), [("pool", 10), ("mean", 1), ("cycle", 1)])
def test_pooled_views_are_samples_each(use: str, rows: int) -> None:
    assert rows_of_a_picture(with_views(use)) == rows
    assert trained_rows_of_a_picture(with_views(use)) == rows
    tuned = replace(with_views(use), tuning="all")
    assert trained_rows_of_a_picture(tuned) == 1, "a tuned backbone reads the pictures"


def test_fewer_views_are_the_first_of_more() -> None:
    ten, twenty = RandomCrops(10, (0.5, 1.0), True), RandomCrops(20, (0.5, 1.0), True)
    assert list(ten.each()) == list(twenty.each())[:10]
    assert twenty.at(13) == list(twenty.each())[13] == RandomCrop(13, (0.5, 1.0), True)


def test_every_value_has_an_address_of_its_own() -> None:
    crops = [
        RandomCrop(number, scale, flip)
        for number, scale, flip in itertools.product(
            (0, 1, 11), ((0.5, 1.0), (0.08, 1.0), (0.5, 0.9)), (True, False)
        )
    ]
    views = [FrameView("a", random=crop) for crop in crops]
    views += [FrameView("a"), FrameView("a", 0), FrameView("a", crop=(0, 3))]
    found = {view.address(of) for view in views for of in ("one", "other")}
    assert len(found) == 2 * len(views)
    assert FrameView("b", random=crops[0]).address("one") == crops[0].address("one")
