from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core.npz import MOST_BYTES, NpzArrays

ARRAYS: dict[str, np.ndarray[Any, Any]] = {
    "rank": np.arange(200, dtype=np.uint32) % 7,
    "probability": np.linspace(0, 1, 200, dtype=np.float32),
    "w_final": np.arange(12, dtype=np.float16).reshape(3, 4),
    "columns_first": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
    "number": np.array(2.5),
    "none": np.zeros((0, 3)),
    "names": np.array(["é", "b"]),
}


def save(path: Path, *, packed: bool = True, **arrays: Any) -> Path:
    (np.savez_compressed if packed else np.savez)(path, **arrays)
    return path


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("larger", [0, MOST_BYTES])
def test_arrays_are_those_that_numpy_reads(tmp_path: Path, packed: bool, larger: int) -> None:
    filling = np.random.default_rng(0).integers(0, 256, larger).astype(np.uint8)
    path = save(tmp_path / "a.npz", packed=packed, **ARRAYS, filling=filling)
    found = NpzArrays(path)
    with np.load(path) as saved:
        assert list(found) == saved.files
        assert len(found) == len(saved.files)
        for name in saved.files:
            assert found[name].dtype == saved[name].dtype
            assert found[name].flags.f_contiguous == saved[name].flags.f_contiguous
            assert found[name].flags.writeable
            np.testing.assert_array_equal(found[name], saved[name])
    assert "rank" in found
    assert "absent" not in found
    with pytest.raises(KeyError):
        found["absent"]


def test_one_changed_byte_is_never_another_number(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", packed=False, rank=ARRAYS["rank"])
    content = path.read_bytes()
    place = content.index(ARRAYS["rank"].tobytes())
    for at in range(0, len(content), 7):
        path.write_bytes(content[:at] + bytes([content[at] ^ 255]) + content[at + 1 :])
        try:
            found = NpzArrays(path)["rank"]
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, NotImplementedError):
            continue
        assert not place <= at < place + ARRAYS["rank"].nbytes
        np.testing.assert_array_equal(found, ARRAYS["rank"])


@pytest.mark.parametrize("part", [0, 0.01, 0.5, 0.99])
def test_a_file_that_was_cut_short(tmp_path: Path, part: float) -> None:
    path = save(tmp_path / "a.npz", rank=ARRAYS["rank"])
    content = path.read_bytes()
    path.write_bytes(content[: int(part * len(content))])
    with pytest.raises((ValueError, EOFError, zipfile.BadZipFile)):
        NpzArrays(path)["rank"]


def test_objects_are_refused(tmp_path: Path) -> None:
    path = save(tmp_path / "a.npz", rank=np.array([{}], dtype=object))
    with pytest.raises(ValueError, match="object"):
        NpzArrays(path)["rank"]
