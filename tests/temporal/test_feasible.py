"""Which cells a module over time can be part of, known while planning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import registry
from harness.core.cells import Cell, Choice
from harness.core.facts import CellFacts, EncoderFacts

ENCODER = EncoderFacts("w", "b", 16, 16, 32, 100.0, text_dim=16)
CELL = Cell(Choice("emoji_motion"), "few_shot", Choice("embedded/lit-emoji"))


@pytest.mark.parametrize(
    ("name", "place"),
    [("tap", "embedding"), ("t_trans", "embedding"), ("token_t1d", "backbone"),
     ("t1d", "backbone")],
)  # fmt: skip
def test_plugins_are_found_by_name(name: str, place: str) -> None:
    plugin = registry.plugin("temporal", name)
    assert place == plugin.PLACE
    assert name in registry.names("temporal")
    assert registry.summary("temporal", name)


@pytest.mark.parametrize(
    ("name", "tower", "tuning", "reason"),
    [
        ("tap", "other", "none", None),
        ("tap", "vit", "all", None),
        ("t_trans", "other", "none", "begins at random, and nothing is trained"),
        ("t_trans", "other", "projection", None),
        ("t_trans", "vit", "all", None),
        ("token_t1d", "vit", "all", None),
        ("token_t1d", "vit", "projection", "changes the backbone, so it needs tuning: all"),
        ("token_t1d", "vit", "none", "changes the backbone, so it needs tuning: all"),
        ("token_t1d", "resnet", "all", "token_t1d needs a vit tower"),
        ("t1d", "resnet", "all", None),
        ("t1d", "resnet", "projection", "changes the backbone, so it needs tuning: all"),
        ("t1d", "vit", "all", "t1d needs a resnet tower, and that of embedded/lit-emoji is none"),
        ("t1d", "other", "all", "t1d needs a resnet tower"),
    ],
)
def test_check(name: str, tower: str, tuning: str, reason: str | None) -> None:
    facts = CellFacts(10, 4, replace(ENCODER, tower=tower))
    found = registry.plugin("temporal", name).check(replace(CELL, tuning=tuning), facts)
    assert found == reason if reason is None else reason in (found or "")
