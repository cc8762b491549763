"""Precomputed features: the three forms of a file, and what is said of one that is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from precomputed import NAMES, D, F, N, arrays, as_folder, as_safetensors, npz

from harness.core import precomputed, row_checksums
from harness.core.checksums import checksums
from harness.core.errors import DataError
from harness.core.precomputed import LOGIT_SCALE, read_precomputed


@pytest.mark.parametrize("write", [npz, as_folder, as_safetensors])
def test_three_forms_of_one_set(tmp_path: Path, write: Any) -> None:
    read, expected = read_precomputed(write(tmp_path)), arrays()
    assert read.class_names == read.text_names == NAMES
    assert read.labels_N.tolist() == [0, 1, 2] * 4
    assert read.split_N == ("train",) * 6 + ("test",) * 6
    assert read.ids == tuple(f"{row:08d}" for row in range(N))
    assert read.groups == ("",) * N
    assert read.dim == F
    assert read.logit_scale == 50
    np.testing.assert_array_equal(read.features_NF, expected["features"])
    assert read.text_TD is not None
    np.testing.assert_array_equal(read.text_TD, expected["text_features"])


def test_names_as_labels_need_no_class_names(tmp_path: Path) -> None:
    labels = np.array(NAMES)[np.tile([0, 1, 2], 4)]
    path = npz(tmp_path, labels=labels, class_names=None, text_features=None, logit_scale=None)
    read = read_precomputed(path)
    assert read.class_names == ("barn owl", "cat", "dog")
    assert read.labels_N[:3].tolist() == [1, 0, 2]
    assert (read.text_TD, read.text_names, read.logit_scale) == (None, (), LOGIT_SCALE)


def test_texts_may_have_another_width_and_order(tmp_path: Path) -> None:
    names = np.array(["dog", "cat", "fox", "barn owl"])
    path = npz(tmp_path, text_names=names, text_features=np.ones((4, D), np.float32))
    read = read_precomputed(path)
    assert read.text_names == tuple(names)
    assert read.text_TD is not None
    assert read.text_TD.shape == (4, D)


def test_ids_and_groups_may_be_numbers(tmp_path: Path) -> None:
    read = read_precomputed(npz(tmp_path, ids=np.arange(N), group=np.arange(N) // 2))
    assert read.ids[:3] == ("0", "1", "2")
    assert read.groups[:3] == ("0", "0", "1")


def test_the_content_is_that_of_every_array(tmp_path: Path) -> None:
    root = as_folder(tmp_path)
    before = read_precomputed(root).content
    (root / "README.md").write_text("changed", encoding="utf-8")
    assert read_precomputed(root).content == before
    (root / "class_names.txt").write_text("\n".join(reversed(NAMES)), encoding="utf-8")
    assert read_precomputed(root).content != before


# --- files that are wrong -------------------------------------------------------------------------


def with_row_5(value: float) -> Any:
    """The features with another row 5."""
    features_NF = arrays()["features"]
    features_NF[5] = value
    return features_NF


TWICE = np.array(["a", "a", *"cdefghijkl"])


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"features": None}, "features: is missing"),
        ({"split": None}, "split: is missing"),
        ({"class_names": None, "text_features": None}, "class_names: is missing, and labels are"),
        ({"class_names": None, "labels": np.array(NAMES * 4)}, "text_features: has no class_names"),
        ({"features": np.zeros(N, np.float32)}, r"features: has the shape \(12,\), not 2 axes"),
        ({"features": np.zeros((N, 0), np.float32)}, r"features: is empty: its shape is \(12, 0\)"),
        (
            {"features": with_row_5(np.nan)},
            "features: is not finite in 1 rows, the first is row 5, item '00000005'",
        ),
        (
            {"features": with_row_5(1e30), "ids": np.array([f"x{n}" for n in range(N)])},
            "features: has a norm above 1.8e.19, too large for float32 in 1 rows, the first is row "
            "5, item 'x5'",
        ),
        ({"features": with_row_5(0)}, "features: is zero in 1 rows, the first is row 5, item"),
        ({"features": with_row_5(1e-30)}, "features: has a norm below 1e-12, too small for"),
        (
            {"text_features": np.zeros((3, D), np.float32)},
            "text_features: is zero in 3 rows, the first is row 0, class ",
        ),
        ({"features": np.zeros((N, F), np.int64)}, "features: holds int64, not float16"),
        ({"labels": np.zeros(11, np.int64)}, "labels: has 11 rows, features has 12"),
        ({"labels": np.tile([0, 1, 3], 4)}, "labels: holds 3; class_names has the numbers 0 to 2"),
        ({"labels": np.tile([0, 1, -1], 4)}, "labels: holds -1"),
        ({"labels": np.array(["cat", "dg"] * 6)}, "labels: holds 'dg', .* mean 'dog'"),
        ({"labels": np.zeros(N, np.float32)}, "labels: holds float32, not text"),
        ({"labels": np.array([None] * N)}, "labels: cannot be read: it holds Python objects"),
        ({"class_names": np.array(["a", "a", "b"])}, "class_names: holds 'a' twice"),
        ({"class_names": np.array(["a", "", "b"])}, "class_names: holds an empty name"),
        ({"split": np.array(["train", "val"] * 6)}, "split: holds 'val'; allowed: train, test"),
        ({"split": np.array(["train"] * N)}, "split: has no item of 'test'"),
        ({"ids": TWICE}, "ids: holds 'a' twice"),
        ({"text_features": np.zeros((2, F), np.float32)}, "text_features: has 2 rows for 3 class"),
        ({"text_names": np.array(["cat", "dog", "fox"])}, "text_names: has no 'barn owl'"),
        ({"logit_scale": np.float32(0)}, "logit_scale: must be one number above 0"),
        ({"logit_scale": np.array([1.0, 2.0])}, "logit_scale: must be one number above 0"),
        ({"feature": np.zeros(3)}, "feature: is no array of this format: .* mean 'features'"),
    ],
)
def test_each_problem_names_file_and_array(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(DataError, match=says) as caught:
        read_precomputed(npz(tmp_path, **changes))
    assert "f.npz" in str(caught.value)


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("no.npz", None, "there is no file or folder of features"),
        ("a.npz", b"not a zip", r"is no \.npz file that can be read"),
        ("a.npz", b"PK\x03\x04 cut short", r"is no \.npz file that can be read"),
        ("a.safetensors", b"\xff" * 16, r"is no \.safetensors file that can be read"),
        ("a.csv", b"1,2", "are an .npz file, a .safetensors file or a folder"),
        ("empty/x.md", b"", "holds no features.npy"),
    ],
)
def test_what_is_no_such_file(tmp_path: Path, name: str, content: bytes | None, says: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)
    with pytest.raises(DataError, match=says):
        read_precomputed(path.parent if "/" in name else path)


def test_a_damaged_array_and_one_in_two_forms(tmp_path: Path) -> None:
    root = as_folder(tmp_path)
    (root / "labels.npy").write_bytes(b"\x93NUMPY cut short")
    with pytest.raises(DataError, match=r"folder: labels: cannot be read"):
        read_precomputed(root)
    (root / "labels.txt").write_text("cat\n" * N, encoding="utf-8")
    with pytest.raises(DataError, match=r"labels: is there as \.npy and as \.txt"):
        read_precomputed(root)


def test_bfloat16_features_are_read_exactly(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import load_file, save_file

    from harness.core.safetensors_file import read_safetensors_header

    path = as_safetensors(tmp_path)
    texts = dict(read_safetensors_header(path).metadata)
    narrow = {k: v.bfloat16() if v.is_floating_point() else v for k, v in load_file(path).items()}
    save_file(narrow, path, metadata=texts)
    read = read_precomputed(path)
    expected_NF = torch.from_numpy(arrays()["features"]).bfloat16().float().numpy()
    np.testing.assert_array_equal(read.features_NF, expected_NF)


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (np.log(100), "logit_scale: 4.60517 is the logarithm of 100.*: write 100$"),
        (np.float32(4.3127), r"write its exponential, 74.64 \(or 4.31 if that is the factor\)"),
        (0.07, "is a temperature"),
    ],
)
def test_a_logit_scale_that_is_no_factor(tmp_path: Path, scale: float, words: str) -> None:
    with pytest.raises(DataError, match=words):
        read_precomputed(npz(tmp_path, logit_scale=np.array(scale)))


@pytest.mark.parametrize("scale", [1, 5, 4.5, 100])
def test_a_small_logit_scale_is_a_factor(tmp_path: Path, scale: float) -> None:
    assert read_precomputed(npz(tmp_path, logit_scale=np.array(scale))).logit_scale == scale


@pytest.fixture
def large(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """N rows are many, and the cache is empty."""
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    for module in (precomputed, row_checksums):
        monkeypatch.setattr(module, "MANY", N)


@pytest.mark.usefixtures("large")
def test_rows_of_a_large_file_are_checked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[tuple[int, ...]] = []

    def direction(rows: Any) -> None:
        checked.append(rows.shape)

    monkeypatch.setattr(precomputed, "without_direction", direction)
    path = npz(tmp_path, text_features=None)
    for _ in range(2):
        precomputed._read.cache_clear()
        sums_N = read_precomputed(path).checksums_N
        assert sums_N.tolist() == checksums(arrays()["features"]).tolist()
    assert checked == [(N, F)]


@pytest.mark.usefixtures("large")
def test_a_faulty_row_of_a_large_file_is_never_forgotten(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    features = arrays()["features"]
    features[3] = 0
    path = npz(tmp_path, features=features)
    for _ in range(2):
        with pytest.raises(DataError, match="features: is zero in 1 rows, the first is row 3, ite"):
            read_precomputed(path)
