"""What holds of every measure."""

from __future__ import annotations

import pytest

from harness.core import registry
from harness.core.protocols.measure import Measure

from .predictions import GROUPS_N, drawn, predictions


@pytest.mark.parametrize("name", registry.names("measure"))
def test_perfect_predictions_are_better_than_drawn_ones(name: str) -> None:
    """Which way `BETTER` points, and that a title is given."""
    measure = registry.load(Measure, name)
    probability_NC, labels_N = drawn()
    perfect_NC = probability_NC * 0
    perfect_NC[range(len(labels_N)), labels_N] = 1
    of_drawn, of_perfect = (
        measure.compute(predictions(each_NC, labels_N), labels_N, GROUPS_N)
        for each_NC in (probability_NC, perfect_NC)
    )
    assert (of_perfect > of_drawn) == (measure.BETTER == "higher")
    assert (of_perfect < of_drawn) == (measure.BETTER == "lower")
    assert measure.TITLE
    assert isinstance(of_drawn, float)
