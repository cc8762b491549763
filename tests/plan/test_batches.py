"""Batches: balanced, of cells that share features, none splits a training, the longest first."""

from __future__ import annotations

import pytest

from harness.core.cells import Cell, Choice, KeyedCell, Recipe
from harness.plan.batches import batches
from harness.plan.estimate import guess


def cell(shots: int = 1, encoder: str = "e", seed: int = 0) -> Cell:
    recipe = Recipe(epochs=60)
    return Cell(Choice("emoji"), "few_shot", Choice(encoder), shots=shots, recipe=recipe, seed=seed)


def keyed(cell: Cell, train_key: str = "") -> KeyedCell:
    return KeyedCell(cell, f"k{hash(cell)}", train_key or f"t{hash(cell)}")


def test_batches_are_balanced() -> None:
    """Ten long cells and ten short ones: each batch gets its share of both."""
    cells = [keyed(cell(16 if n % 2 else 1, seed=n)) for n in range(20)]
    parts = batches(cells, 4, seconds=1e9)
    assert len(parts) == 4
    assert parts[0].seconds < 1.3 * parts[-1].seconds
    assert sum(b.seconds for b in parts) == pytest.approx(sum(guess(c.cell) for c in cells))


def test_a_batch_shares_its_features_and_a_training_stays_whole() -> None:
    cells = [keyed(cell(encoder=e, seed=n), f"{e}{n // 2}") for e in "ab" for n in range(8)]
    parts = batches(cells, 3, seconds=1e9)
    for batch in parts:
        assert len({c.cell.encoder for c in batch.cells}) == 1
    for name in {c.train_key for c in cells}:
        assert sum(any(c.train_key == name for c in batch.cells) for batch in parts) == 1


def test_the_longest_batch_is_first_and_no_cell_is_lost() -> None:
    cells = [keyed(cell(shots, encoder, n)) for n, (shots, encoder) in enumerate(
        (shots, encoder) for shots in (1, 4, 16) for encoder in "abc"
    )]  # fmt: skip
    parts = batches(cells, 2, seconds=2.0)
    assert sorted(c.key for b in parts for c in b.cells) == sorted(c.key for c in cells)
    assert [b.seconds for b in parts] == sorted((b.seconds for b in parts), reverse=True)
    assert len(parts) > 3
    assert batches([], 2) == []
