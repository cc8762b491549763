"""Test items that are also trained on: counted by content, named in a note."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from conftest import plan_of

from harness.core.cells import Choice
from harness.run.leakage import MOST_NAMED, Leakage, find_leakage

from .outside import task


def cells(runs: Path, **changes: Any) -> Any:
    return plan_of(task(classifier="text", seeds=1) | changes, runs).cells


def apart(choice: Choice, item: str) -> str:
    return f"{choice} {item}"


def by_name(choice: Choice, item: str) -> str:
    """`train/red/0` and `test/red/0` are one picture."""
    return item.split("/", 1)[1]


def by_class(choice: Choice, item: str) -> str:
    return item.split("/")[1]


def test_nothing_is_said_of_items_that_are_apart(tmp_path: Path) -> None:
    (resolved,) = cells(tmp_path)
    assert find_leakage([resolved], apart) == Leakage({resolved.key: 0}, ())


def test_items_of_equal_content_are_counted_whatever_their_names(tmp_path: Path) -> None:
    (resolved,) = cells(tmp_path, regime="full", shots=None)
    leakage = find_leakage([resolved], by_name)
    assert leakage.counts == {resolved.key: 18}
    (note,) = leakage.notes
    assert note.count("run.outside:COLOURS") == 2
    named = sorted(resolved.test.items)[:MOST_NAMED]
    assert f": 18 ({', '.join(named)}, ...)" in note


def test_every_test_item_counts_once_however_often_it_was_trained_on(tmp_path: Path) -> None:
    """All pictures of a class are one: two of the support set leak three of the test set once."""
    (resolved,) = cells(tmp_path)
    assert find_leakage([resolved], by_class).counts == {resolved.key: 18}


def test_a_few_are_all_named(tmp_path: Path) -> None:
    (resolved,) = cells(tmp_path, regime="full", shots=None)

    def one(choice: Choice, item: str) -> str:
        return "same" if item in ("train/red/0", "test/blue/2") else apart(choice, item)

    (note,) = find_leakage([resolved], one).notes
    assert note.endswith(": 1 (test/blue/2)")


def test_the_note_joins_all_cells_of_a_pair_of_data_sets(tmp_path: Path) -> None:
    several = cells(tmp_path, seeds=3, shots=[1, 2])
    leakage = find_leakage(several, by_name)
    assert len(leakage.notes) == 1
    for resolved in several:
        assert resolved.support is not None
        trained = {i.split("/", 1)[1] for i in resolved.support.items}
        leaked = [i for i in resolved.test.items if i.split("/", 1)[1] in trained]
        assert leakage.counts[resolved.key] == len(leaked)


def test_a_cell_that_trains_on_nothing_leaks_nothing(tmp_path: Path) -> None:
    (resolved,) = cells(tmp_path, regime="zero_shot", shots=None)

    def never(choice: Choice, item: str) -> str:
        pytest.fail("no item has to be read")

    assert find_leakage([resolved], never) == Leakage({resolved.key: 0}, ())


def test_another_test_set_is_named_beside_it(tmp_path: Path, elsewhere: Any) -> None:
    from .outside import Colours

    class Other(Colours):
        manifest = "other"

    other = elsewhere("other_colours", open_dataset=lambda argument, options: Other())
    (resolved,) = cells(
        tmp_path, regime="zero_shot", shots=None, train_classes={}, test_dataset=other,
        allow="shared_classes",
    )  # fmt: skip
    (note,) = find_leakage([resolved], by_name).notes
    assert "run.outside:COLOURS" in note
    assert other in note
