"""Where rows can be independent."""

from __future__ import annotations

from harness.classifiers import orthogonal
from harness.classifiers._dimensions import needs_room, width_of

from .inputs import F_DIM, D, cell, facts


def test_as_many_classes_as_dimensions_fit() -> None:
    assert needs_room(facts(n_classes=D), "it") is None


def test_one_more_does_not() -> None:
    reason = needs_room(facts(n_classes=D + 1), "it")
    assert reason == "it needs at most as many classes as dimensions: 33 > 32"


def test_rows_are_as_wide_as_what_the_head_reads() -> None:
    assert width_of(cell("orthogonal"), facts()) == D
    assert width_of(cell("orthogonal", on="embedding"), facts()) == D
    assert width_of(cell("orthogonal", on="backbone"), facts()) == F_DIM
    assert orthogonal.check(cell("orthogonal", on="backbone"), facts(n_classes=F_DIM)) is None
    assert orthogonal.check(cell("orthogonal"), facts(n_classes=F_DIM)) is not None
