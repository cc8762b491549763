"""What modules inside the backbone need of a cell."""

from __future__ import annotations

from dataclasses import replace

from harness.core.cells import Cell, Choice
from harness.core.facts import CellFacts, EncoderFacts
from harness.temporal._feasibility import needs_backbone

ENCODER = EncoderFacts("w", "b", 16, 16, 32, 100.0, text_dim=16, tower="vit")
CELL = Cell(Choice("emoji_motion"), "few_shot", Choice("embedded/lit-emoji"), tuning="all")
FACTS = CellFacts(10, 4, ENCODER)


def test_a_tower_of_the_kind_that_is_trained_will_do() -> None:
    assert needs_backbone(CELL, FACTS, "it", "vit") is None


def test_another_tower_is_named() -> None:
    reason = needs_backbone(CELL, FACTS, "it", "resnet")
    assert reason == "it needs a resnet tower, and that of embedded/lit-emoji is not one"


def test_a_frozen_backbone_cannot_be_changed() -> None:
    for tuning in ("none", "projection"):
        reason = needs_backbone(replace(CELL, tuning=tuning), FACTS, "it", "vit")
        assert reason == "it changes the backbone, so it needs tuning: all (or norm, or bias)"
