"""pad: texts as they are, with zeros behind them."""

from __future__ import annotations

import torch

from harness.alignments import pad

from .inputs import CELL, NONE, D, E, facts, inputs


def test_texts_stay_and_zeros_follow() -> None:
    given = inputs()
    text_CE, _, _ = given.fitted_on()
    padded_CD = text_CE @ pad.build(given, NONE)
    assert torch.equal(padded_CD[:, :E], text_CE)
    assert not padded_CD[:, E:].any()


def test_a_wider_text_is_infeasible() -> None:
    assert pad.check(CELL, facts(D)) is None
    assert pad.check(CELL, facts(None)) is None
    reason = pad.check(CELL, facts(D + 1))
    assert reason == "alignment pad needs a text narrower than the pictures: 65 > 64"
