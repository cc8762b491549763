"""Which samples may have the content of others: all that are compared after a look at checksums."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import plan_of
from precomputed import arrays, npz

from harness.core.cells import Choice
from harness.plan.resolve import ResolvedCell
from harness.run.alike import Alike, Some
from harness.run.duplicates import find_duplicates
from harness.run.leakage import find_leakage

from .outside import task

#: Rows of the file: 3 is 0, in two splits' terms 6 (test) is 1, and 11 is 9 of another class.
FEATURES = arrays()["features"][[0, 1, 2, 0, 4, 5, 1, 7, 8, 9, 10, 9]]


def cell_of(tmp_path: Path, **changes: Any) -> ResolvedCell:
    path = npz(tmp_path, features=FEATURES, **changes)
    name = os.fspath(path)
    study = {
        "name": "study", "dataset": f"features:{name}", "encoder": f"given:{name}",
        "regime": "full", "classifier": "text", "seeds": 1,
    }  # fmt: skip
    (cell,) = plan_of(study, tmp_path / "runs").cells
    return cell


def no_pixels(choice: Choice, frames: int | None, item: str) -> None:
    return None


def test_those_of_a_content_of_their_own_are_left_out(tmp_path: Path) -> None:
    sets = Alike().of(cell_of(tmp_path))
    assert sets.validation is None
    assert sets.support == Some(["00000000", "00000003", "00000001"], [0, 0, 1])
    assert sets.test == Some(["00000006", "00000009", "00000011"], [0, 0, 2])


def test_they_are_found_as_in_all_samples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = cell_of(tmp_path)
    asked: list[str] = []

    def fingerprint(choice: Choice, item: str) -> str:
        asked.append(item)
        return cell.setup.dataset.fingerprint(item)

    def found() -> Any:
        leakage = find_leakage([cell], fingerprint)
        return leakage, find_duplicates([cell], fingerprint, no_pixels)

    few = found()
    assert set(asked) == {f"{row:08d}" for row in (0, 3, 1, 6, 9, 11)}
    assert few[0].counts == {cell.key: 1}
    monkeypatch.setattr(type(cell.setup.dataset), "checksums", lambda data, items: None)
    asked.clear()
    assert found() == few
    assert len(set(asked)) == 12


def test_equal_checksums_of_other_contents_are_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cell = cell_of(tmp_path)
    same = lambda data, items: np.ones(len(items), np.uint64)  # noqa: E731
    monkeypatch.setattr(type(cell.setup.dataset), "checksums", same)
    fingerprint = lambda choice, item: cell.setup.dataset.fingerprint(item)  # noqa: E731
    assert len(Alike().of(cell).test.items) == 6
    assert find_leakage([cell], fingerprint).counts == {cell.key: 1}


def test_all_pictures_are_compared(tmp_path: Path) -> None:
    (cell,) = plan_of(task(classifier="text", seeds=1), tmp_path).cells
    alike = Alike()
    sets = alike.of(cell)
    assert sets.test == Some(cell.test.items, cell.test.labels.tolist())
    assert alike.of(cell).test is sets.test
