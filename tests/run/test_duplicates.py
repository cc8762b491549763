"""The same content among the samples that cells use, in warnings of their Records and in notes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from conftest import plan_of

from harness.core.cells import Choice
from harness.run.duplicates import Duplicates, find_duplicates

from .outside import task

DATA = "run.outside:COLOURS"
LEAKED = f"Test items of {DATA} that are training items of {DATA} as well"
MIXED = f"Items of {DATA} whose content is under two classes"


def cells(runs: Path, **changes: Any) -> Any:
    known = task(classifier="text", seeds=1, regime="full", shots=None) | changes
    return plan_of(known, runs).cells


def no_pixels(choice: Choice, frames: int | None, item: str) -> str | None:
    return None


def one_of(*same: str) -> Any:
    """A fingerprint in which these items are the same."""
    return lambda choice, item: "same" if item in same else item


def pixels_of(*same: str) -> Any:
    return lambda choice, frames, item: "same" if item in same else None


def test_nothing_is_said_of_items_that_are_apart(tmp_path: Path) -> None:
    assert find_duplicates(cells(tmp_path), one_of(), no_pixels) == Duplicates()


def test_bytes_and_pixels_are_told_apart(tmp_path: Path) -> None:
    (cell,) = cells(tmp_path)
    found = find_duplicates(
        [cell], one_of("train/red/0", "test/red/1"), pixels_of("train/blue/0", "test/blue/2")
    )
    by_pixels = f"{LEAKED}, pixel for pixel: 1 (train/blue/0 = test/blue/2)"
    assert found.warnings == {
        cell.key: (f"{LEAKED}, byte for byte: 1 (train/red/0 = test/red/1)", by_pixels)
    }
    assert found.notes == (by_pixels,), "that of the bytes is in find_leakage's"


def test_two_classes_in_training_in_test_and_in_both(tmp_path: Path) -> None:
    (cell,) = cells(tmp_path)
    for one, other in (("train/red/0", "train/blue/0"), ("test/red/0", "test/grey/0")):
        found = find_duplicates([cell], one_of(one, other), no_pixels)
        pair = f"{one} ({one.split('/')[1]}) = {other} ({other.split('/')[1]})"
        assert found.warnings == {cell.key: (f"{MIXED}: 1 ({pair})",)}
        assert found.notes == found.warnings[cell.key]
    found = find_duplicates([cell], one_of("train/red/0", "test/blue/0"), no_pixels)
    leaked, mixed = found.warnings[cell.key]
    assert leaked.startswith(LEAKED)
    assert mixed == f"{MIXED}: 1 (train/red/0 (red) = test/blue/0 (blue))"


def test_a_cell_that_trains_on_nothing_may_test_one_item_as_two_classes(tmp_path: Path) -> None:
    (cell,) = cells(tmp_path, regime="zero_shot")
    assert cell.support is None
    found = find_duplicates([cell], one_of("test/red/0", "test/blue/0"), no_pixels)
    assert found.warnings[cell.key][0].startswith(MIXED)


def test_only_the_samples_that_a_cell_uses_count(tmp_path: Path) -> None:
    one, two = cells(tmp_path, regime="few_shot", shots=1, seeds=2)
    (used,) = {i for i in one.support.items if "/red/" in i}
    assert used not in two.support.items
    found = find_duplicates([one, two], one_of(used, "test/red/0"), no_pixels)
    assert list(found.warnings) == [one.key]


def test_validation_samples_are_training_samples(tmp_path: Path) -> None:
    search = {"search": {"recipe.lr": [1e-3, 1e-2]}, "selection": "val", "val": 1}
    (cell,) = cells(tmp_path, regime="few_shot", shots=1, **search)
    (kept,) = {i for i in cell.validation.items if "/red/" in i}
    found = find_duplicates([cell], one_of(kept, "test/red/0"), no_pixels)
    assert found.warnings[cell.key] == (f"{LEAKED}, byte for byte: 1 ({kept} = test/red/0)",)


def test_classes_of_two_data_sets_are_not_compared(tmp_path: Path, elsewhere: Any) -> None:
    from .outside import Colours

    class Other(Colours):
        manifest = "other"

    other = elsewhere("other_colours", open_dataset=lambda argument, options: Other())
    (cell,) = cells(
        tmp_path, regime="zero_shot", train_classes={}, test_dataset=other, allow="shared_classes"
    )
    found = find_duplicates([cell], one_of("train/red/0", "test/blue/0"), no_pixels)
    (warning,) = found.warnings[cell.key]
    assert warning.startswith(f"Test items of {other} that are training items of {DATA}")
