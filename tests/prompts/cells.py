"""Cells and facts that the tests of prompts ask `check` about."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell, Choice
from harness.core.facts import CellFacts, EncoderFacts

NAMES = ("red car", "cat")
TWO = ("a photo of a {}.", "a drawing of a {}.")
FACTS = CellFacts(2, 4, EncoderFacts("w", "b", 16, 16, 32, 100.0, text_dim=16), takes_context=True)
MATCHING: dict[str, Any] = {"paradigm": Choice("matching"), "classifier": None, "schedule": None}


def cell(**changes: Any) -> Cell:
    """A full training of a text classifier, with some fields changed."""
    settings: dict[str, Any] = {
        "dataset": Choice("emoji"),
        "regime": "full",
        "encoder": Choice("embedded/lit-emoji"),
        "classifier": Choice("text"),
        "schedule": "frozen",
    }
    return Cell(**(settings | changes))
