"""Where the rows of a classifier can be texts that change while it trains."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core.cells import Choice
from harness.prompts._changing_texts import why_infeasible

from .cells import MATCHING, cell


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"schedule": None, "tuning": "none"}, None),
        (MATCHING, None),
        ({"classifier": Choice("random")}, "it needs classifier text or paradigm matching"),
        ({"classifier": Choice("text_rotated")}, "it needs classifier text or paradigm matching"),
        (
            {"paradigm": Choice("vision_only"), "classifier": None, "schedule": None},
            "it needs classifier text or paradigm matching",
        ),
        (
            {"schedule": "trained"},
            "it replaces the classifier at every step, so its schedule is frozen",
        ),
        (
            {"schedule": "released:3"},
            "it replaces the classifier at every step, so its schedule is frozen",
        ),
    ],
)
def test_why(changes: dict[str, Any], reason: str | None) -> None:
    assert why_infeasible(cell(**changes), "it") == reason
