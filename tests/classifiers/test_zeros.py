"""zeros: the start of a linear head only."""

from __future__ import annotations

from harness.classifiers import zeros

from .inputs import PLAIN, C, D, cell, drawn, facts


def test_all_entries_are_zero() -> None:
    w_CD = zeros.build(drawn(), PLAIN)
    assert w_CD.shape == (C, D)
    assert not w_CD.any()


def test_a_head_that_needs_directions_cannot_have_it() -> None:
    assert zeros.check(cell("zeros", on="embedding"), facts(linear=True)) is None
    for other in (cell("zeros"), cell("zeros", on="embedding")):
        reason = zeros.check(other, facts())
        assert reason is not None
        assert "no direction" in reason
