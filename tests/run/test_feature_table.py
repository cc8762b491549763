"""Features of data sets of features: found by the data set, or copied where it has no table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from precomputed import arrays, npz

from harness.core.hashing import digest
from harness.core.protocols.plugin import NoOptions
from harness.data import features
from harness.run.feature_table import StoredTable, pixels_of, table_of
from harness.sampling.views import Views

ITEMS = ("00000007", "00000002", "00000007")


def test_rows_of_a_table_are_found_by_the_data_set(tmp_path: Path) -> None:
    data = features.open_dataset(str(npz(tmp_path)), NoOptions())
    table = table_of(data, ITEMS)
    assert isinstance(table, StoredTable)
    assert table.row == {}, "nothing is kept by item"
    np.testing.assert_array_equal(table.of(iter(ITEMS)), arrays()["features"][[7, 2, 7]])


def test_without_a_table_each_item_is_copied_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = features.open_dataset(str(npz(tmp_path)), NoOptions())
    rows = {item: arrays()["features"][int(item)] for item in ITEMS}
    asked: list[list[str]] = []

    def copied(_: object, items: list[str]) -> object:
        asked.append(items)
        return np.stack([rows[item] for item in items])

    monkeypatch.setattr(features.FeatureFile, "stored", lambda data, items: None)
    monkeypatch.setattr(features.FeatureFile, "features", copied)
    table = table_of(data, ITEMS)
    assert asked == [["00000007", "00000002"]]
    np.testing.assert_array_equal(table.of(ITEMS), arrays()["features"][[7, 2, 7]])


def test_pixels_of_a_clip_are_those_of_its_frames() -> None:
    """One clip has the hash of its frames in one view, several that of all, whatever the crops."""
    one = pixels_of(Views(crops=3), 2, ["a", "b"], [*"xyxyxy", *"xzxzxz"])
    assert one == {"a": digest(["x", "y"], 32), "b": digest(["x", "z"], 32)}
    several = pixels_of(Views(clips=2), 2, ["a", "b", "c"], [*"xyzw", *"xyzw", "x", "y", "z", None])
    assert several == dict.fromkeys(("a", "b"), digest(list("xyzw"), 32)), "of c one is not known"
