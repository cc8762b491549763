"""Where rows can be independent."""

from __future__ import annotations

from harness.classifiers._dimensions import needs_room

from .inputs import D, facts


def test_as_many_classes_as_dimensions_fit() -> None:
    assert needs_room(facts(n_classes=D), "it") is None


def test_one_more_does_not() -> None:
    reason = needs_room(facts(n_classes=D + 1), "it")
    assert reason == "it needs at most as many classes as dimensions: 33 > 32"
