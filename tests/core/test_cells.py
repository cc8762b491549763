"""Cells as JSON data, and back."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from harness.core.cell_json import cell_from
from harness.core.cells import Cell, Choice, LoraSpec, Recipe, unlabelled, without_seeds
from harness.task import library
from harness.task.grid import expand
from harness.task.read import read_task


@pytest.mark.parametrize("name", sorted(library.tasks()))
def test_every_cell_comes_back_from_json(name: str) -> None:
    for cell in expand(read_task(library.tasks()[name])):
        assert cell_from(json.loads(json.dumps(cell.plain()))) == unlabelled(cell)


def test_cells_without_their_seeds_are_there_once() -> None:
    a, b = (Cell(Choice("emoji"), "full", Choice("e"), recipe=Recipe(lr=lr)) for lr in (1.0, 2.0))
    seeded = [replace(cell, seed=seed) for seed in (0, 1) for cell in (a, a, b)]
    assert without_seeds([*seeded, b]) == [a, b]


def test_options_and_searches_come_back_from_json() -> None:
    made = Cell(
        Choice("hf:x", (("columns", ("a", "b")), ("config", None))), "full", Choice("e"),
        classifier=Choice("lda", (("shrinkage", 0.1),)), recipe=Recipe(lr=1e-7),
        search=(("recipe.lr", (1e-3, 1e-4)),), seed=3,
    )  # fmt: skip
    assert cell_from(json.loads(json.dumps(made.plain()))) == made
    with pytest.raises(TypeError):
        cell_from({"datasets": "emoji"})


def test_options_are_shown_as_claims_and_scripts_name_them() -> None:
    options = (("flag", True), ("names", ("a", "b")), ("rate", 0.5))
    assert str(Choice("x", options)) == "x(flag=True, names=('a', 'b'), rate=0.5)"


def test_lora_is_scaled_as_in_clip_lora_or_as_in_lora() -> None:
    assert LoraSpec().factor == pytest.approx(0.70710678)  # CLIP-LoRA: 1 / sqrt(2)
    assert LoraSpec(rank=8, alpha=16, scaling="alpha/r").factor == 2
    assert LoraSpec().plain() == {}
    assert LoraSpec(rank=4, targets=("q",)).plain() == {"rank": 4, "targets": ("q",)}
