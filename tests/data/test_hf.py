"""hf: what rows of the datasets library become, and that every process sees the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT
from pydantic import ValidationError

from harness.data import hf
from harness.sampling.sets import draw_support, draw_test
from tests.sampling.equal_pictures import duplicates

from . import sources
from .hub_images import Wrong, assert_refused, names, read
from .sources import SPACED


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("shelf")
    sources.parquet(root / "parquet")
    sources.saved(root / "saved")
    sources.class_folders(root / "imagefolder")
    return root


@pytest.mark.parametrize("kind", ["parquet", "saved", "imagefolder"])
def test_local_formats(shelf: Path, kind: str) -> None:
    data = read(shelf / kind)
    assert set(data.classes) == set(SPACED)
    assert data.train.ids[:2] == ("train/000000", "train/000001")
    assert (len(data.train.ids), len(data.test.ids)) == (9, 6)
    for split in (data.train, data.test):
        for item, label in zip(split.ids, split.labels.tolist(), strict=True):
            colour = np.asarray(data.image(item)).mean((0, 1))
            nearest = np.abs(np.array(sources.COLOURS) - colour).sum(1).argmin()
            assert data.classes[label] == SPACED[nearest]


def test_pictures_are_those_that_were_written(shelf: Path) -> None:
    data = read(shelf / "parquet")
    for item, row in zip(data.train.ids, sources.rows("train"), strict=True):
        assert data.image(item).tobytes() == sources.picture(*row).tobytes()


def test_one_data_set_has_one_manifest_in_parquet_and_saved(shelf: Path, tmp_path: Path) -> None:
    assert read(shelf / "parquet").manifest == read(shelf / "saved").manifest
    other = sources.parquet(tmp_path / "other", pictures={1: sources.encoded(2, 77)})
    assert read(other).manifest != read(shelf / "parquet").manifest


def test_all_of_it_may_be_test_and_splits_have_other_names(shelf: Path, tmp_path: Path) -> None:
    assert read(shelf / "parquet", train_split=None).train.ids == ()
    root = sources.parquet(tmp_path / "x", ["train", "validation"])
    assert read(root, test_split="validation").test.ids[0] == "validation/000000"


def test_rows_of_other_writers(tmp_path: Path) -> None:
    """Bytes without the library's own description; rows in another order; pictures left empty."""
    import pandas as pd

    for split in ("train", "test"):
        data = {"image": [sources.encoded(*row) for row in sources.rows(split)],
                "label": [sources.NAMES[c] for c, _ in sources.rows(split)]}  # fmt: skip
        pd.DataFrame(data).to_parquet(tmp_path / f"{split}.parquet")
    found = read(tmp_path)
    assert found.image("train/000004").tobytes() == sources.picture(1, 1).tobytes()
    mixed = sources.table("train").shuffle(seed=1)
    root = sources.saved(tmp_path / "mixed", train=mixed, test=sources.table("test"))
    found = read(root)
    for item, label in zip(found.train.ids, found.train.labels.tolist(), strict=True):
        colour = np.asarray(found.image(item)).mean((0, 1))
        assert np.abs(np.array(sources.COLOURS) - colour).sum(1).argmin() == label
    gaps = sources.table("train").map(
        lambda row, n: {"image": row["image"] if n else None}, with_indices=True,
        new_fingerprint="gaps",
    )  # fmt: skip
    test = sources.table("test")
    found = read(sources.saved(tmp_path / "gaps", train=gaps, test=test), max_corrupt=1)
    assert "train/000000" not in found.train.ids


def test_support_sets_are_k_by_c_distinct_and_apart_from_the_test(shelf: Path) -> None:
    data = read(shelf / "parquet")
    test = draw_test(data, (0, 1, 2))
    for seed in range(3):
        support = draw_support(data, (0, 1, 2), seed, shots=2)
        assert np.bincount(support.labels).tolist() == [2, 2, 2]
        assert duplicates(data, support.items, test.items) == []


def test_duplicates_are_found_by_their_pixels(tmp_path: Path) -> None:
    again = {4: sources.encoded(*sources.rows("test")[1])}  # in train: row 4, in test: row 4
    root = sources.saved(tmp_path / "x", train=sources.table("train", pictures=again),
                         test=sources.table("test"))  # fmt: skip
    data = read(root, max_corrupt=1)
    assert duplicates(data, data.train.ids, data.test.ids) == [("train/000004", "test/000001")]
    assert "1 (test/000001 = train/000004)" in data.notes[0]


def test_another_process_draws_and_hashes_the_same(shelf: Path, cache: Path) -> None:
    """With other salts of Python's own hashes, and another cache."""
    program = (
        "import sys\n"
        "from harness.data import hf\n"
        "from harness.sampling.sets import draw_support\n"
        "data = hf.open_dataset(sys.argv[1], hf.Options())\n"
        "print(data.manifest, *(draw_support(data, (0, 1, 2), s, shots=1).sha256 for s in (0, 1)))"
    )
    data = read(shelf / "parquet")
    draws = [draw_support(data, (0, 1, 2), seed, shots=1).sha256 for seed in (0, 1)]
    done = subprocess.run(
        [sys.executable, "-c", program, str(shelf / "parquet")],
        env=os.environ | {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "77",
                          "HARNESS_CACHE": str(cache / "elsewhere")},
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.split() == [data.manifest, *draws]


def test_the_manifest_sees_splits_and_groups(shelf: Path, tmp_path: Path) -> None:
    swapped = read(shelf / "parquet", train_split="test", test_split="train")
    assert swapped.manifest != read(shelf / "parquet").manifest
    films = {
        s: sources.table(s).map(lambda _: {"film": "a"}, new_fingerprint=f"f-{s}")
        for s in ("train", "test")
    }
    root = sources.saved(tmp_path / "x", **films)
    assert read(root).manifest != read(root, group="film").manifest


def test_equal_bytes_have_one_fingerprint(tmp_path: Path) -> None:
    """In rows and in files."""
    root = sources.parquet(tmp_path / "x", pictures={3: sources.encoded(0, 0)})
    data = read(root)
    same, other = data.fingerprint("train/000000"), data.fingerprint("train/000001")
    assert data.fingerprint("train/000003") == same != other


# --- what cannot be -----------------------------------------------------------------------------


def _plain(root: Path) -> None:
    sources.parquet(root)


def _no_test(root: Path) -> None:
    sources.parquet(root, ["train"])


def _duplicate_names(root: Path) -> None:
    sources.parquet(root, kind="string", names=("car", "Car", "bus"))


def _corrupt_pictures(root: Path) -> None:
    sources.parquet(root, pictures={0: b"no picture", 1: b"", 2: sources.encoded(2, 0)[:200]})


BAD: list[Wrong] = [
    (_plain, {"test_split": "tets"}, ("test_split 'tets'", "train, test", "Did you mean 'test'")),
    (_plain, {"test_split": "train"}, ("both 'train'",)),
    (_no_test, {}, ("test_split 'test'", "allowed: train")),
    (_duplicate_names, {}, ("duplicate class names", "'Car'", "'car'")),
    (_corrupt_pictures, {}, ("of hf:", "3 of the 15 pictures", "train/000000, train/000001, "
                             "train/000002", "max_corrupt")),
    (_corrupt_pictures, {"max_corrupt": 2}, ("3 of the 15", "more than max_corrupt: 2")),
    (_corrupt_pictures, {"max_corrupt": 0.19}, ("3 of the 15", "more than max_corrupt: 0.19")),
]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD, ids=names(BAD))
def test_what_is_wrong_is_one_sentence(wrong: Wrong, tmp_path: Path) -> None:
    assert_refused(tmp_path / "d", wrong)


@pytest.mark.parametrize("options", [{"confg": "x"}, {"max_corrupt": -1}, {"max_corrupt": True}])
def test_options_are_checked(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        hf.Options(**options)
