"""features: items that have features and no pictures."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from precomputed import NAMES, F, N, arrays, npz

from harness.core.cells import Cell, Choice
from harness.core.errors import DataError
from harness.core.facts import CellFacts
from harness.core.protocols.plugin import NoOptions
from harness.data import features
from harness.encoders import given
from harness.sampling.sets import draw_support, draw_test

NONE = NoOptions()


def opened(path: Path) -> features.FeatureFile:
    return features.open_dataset(str(path), NONE)


def cell(path: Path, encoder: str) -> Cell:
    return Cell(Choice(f"features:{path}"), "few_shot", Choice(encoder))


def test_the_splits_have_the_rows_of_the_file(tmp_path: Path) -> None:
    data = opened(npz(tmp_path))
    assert data.classes == NAMES
    assert data.train.ids == tuple(f"{row:08d}" for row in range(6))
    assert data.test.labels.tolist() == [0, 1, 2, 0, 1, 2]
    h_NF = data.features(data.test.ids)
    assert h_NF.shape == (6, F)
    np.testing.assert_array_equal(h_NF, arrays()["features"][6:])


def test_ids_groups_and_half_precision(tmp_path: Path) -> None:
    half = arrays()["features"].astype(np.float16)
    ids = np.array([f"clip {row}" for row in range(N)])
    path = npz(tmp_path, features=half, ids=ids, group=np.arange(N) // 2)
    data = opened(path)
    assert data.test.ids[0] == "clip 6"
    assert data.test.groups.tolist() == [0, 0, 1, 1, 2, 2]
    h_NF = data.features(["clip 7", "clip 6"])
    assert h_NF.dtype == np.float32
    np.testing.assert_array_equal(h_NF, half[[7, 6]].astype(np.float32))


def test_the_manifest_and_fingerprints_change_with_any_number(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    changed = arrays()["features"]
    changed[3, 2] += 1
    first, second = opened(npz(tmp_path)), opened(npz(tmp_path / "other", features=changed))
    assert second.manifest != first.manifest
    assert second.fingerprint("00000003") != first.fingerprint("00000003")
    assert second.fingerprint("00000004") == first.fingerprint("00000004")


def test_support_and_test_sets_are_drawn(tmp_path: Path) -> None:
    data = opened(npz(tmp_path))
    support = draw_support(data, (0, 2), 0, shots=1)
    assert len(support.items) == 2
    assert set(support.items) < set(data.train.ids)
    test = draw_test(data, (0, 2))
    assert test.class_names == ("cat", "dog")
    assert test.labels.tolist() == [0, 1, 0, 1]


def test_there_is_no_picture_and_no_other_part(tmp_path: Path) -> None:
    data = opened(npz(tmp_path))
    for read in (data.image, data.read_whole):
        with pytest.raises(DataError, match=r"f\.npz holds features: there is no picture of 00000"):
            read("00000000")
    assert list(data.part("all")) == [0, 1, 2]
    with pytest.raises(DataError, match="has no part 'unseen'; allowed: all"):
        data.part("unseen")


def test_names_that_read_as_one_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="duplicate class names"):
        opened(npz(tmp_path, class_names=np.array(["oak tree", "Oak_tree", "b"])))


def test_it_needs_a_path() -> None:
    with pytest.raises(DataError, match=r"needs a path, as in features:clip_features\.npz"):
        features.open_dataset("", NONE)


def test_other_encoders_are_refused(tmp_path: Path) -> None:
    path = npz(tmp_path)
    facts = CellFacts(3, 1, given.facts(str(path), NONE))
    assert features.check(cell(path, f"given:{path}"), facts) is None
    with pytest.raises(DataError, match="embedded/lit-emoji cannot read: encoder must be given"):
        features.check(cell(path, "embedded/lit-emoji"), facts)


def test_splits_that_alternate_keep_the_order_of_the_file(tmp_path: Path) -> None:
    """Groups count from 0 as they first appear in the split."""
    group = np.array(["a", "z", "b", "x", "b", "x", "d", "y", "c", "w", "b", "x"])
    data = opened(npz(tmp_path, split=np.tile(["train", "test"], 6), group=group))
    assert data.train.ids == tuple(f"{row:08d}" for row in range(0, 12, 2))
    assert data.train.labels.tolist() == [0, 2, 1, 0, 2, 1]
    assert data.train.groups.tolist() == [0, 1, 1, 2, 3, 1]
    assert data.test.groups.tolist() == [0, 1, 1, 2, 3, 1]
    alone = opened(npz(tmp_path, split=np.tile(["train", "test"], 6)))
    assert alone.train.groups.tolist() == [0, 1, 2, 3, 4, 5]


def test_checksums_are_those_of_the_items_that_are_asked_for(tmp_path: Path) -> None:
    features = arrays()["features"]
    features[7] = features[2]
    first, second, third = opened(npz(tmp_path, features=features)).checksums(
        ["00000007", "00000003", "00000002"]
    )
    assert first == third != second


def test_rows_of_a_long_tuple_are_looked_up_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(features, "MANY", 3)
    monkeypatch.setattr(features, "MOST_LOOKED_UP", 2)
    data = opened(npz(tmp_path))
    sets = [tuple(f"{row:08d}" for row in rows) for rows in ((3, 1, 2), (5, 0, 4), (2, 2, 7))]
    first_N = data.stored(sets[0])[1]
    assert data.stored(sets[0])[1] is first_N
    assert [data.stored(items)[1].tolist() for items in sets] == [[3, 1, 2], [5, 0, 4], [2, 2, 7]]
    assert data.stored(sets[0])[1] is not first_N, "only the last two are remembered"
    changed = ["00000003", "00000001", "00000002"]
    assert data.stored(changed)[1].tolist() == [3, 1, 2]
    changed[0] = "00000009"
    assert data.stored(changed)[1].tolist() == [9, 1, 2]
