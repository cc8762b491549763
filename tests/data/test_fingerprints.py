"""Features belong to the content of a picture; pictures trained and tested on are noticed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from conftest import Call, paint, records
from PIL import Image

from harness.core.errors import DataError
from harness.core.facts import EncoderFacts
from harness.core.samples import Items
from harness.data import folder, hf
from harness.training.features import FeatureStore

from . import sources

FACTS = EncoderFacts("weights", "backbone", 3, 3, 8, 1.0)


class Colour:
    """An encoder whose features are the mean colour."""

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        small = np.asarray(image.resize((resolution, resolution)), dtype=np.float32)
        return torch.from_numpy(small).permute(2, 0, 1)

    def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
        return x_BCHW.mean(dim=(2, 3))


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def read(root: Path) -> Any:
    return folder.open_dataset.__wrapped__(str(root), folder.Options())


def features(data: Any, items: list[str]) -> list[list[float]]:
    found: list[list[float]] = FeatureStore(data, FACTS, Colour, 8).get(items).round().tolist()
    return found


def rows(cache: Path) -> int:
    return sum(len(np.load(path)) for path in cache.rglob("*.npy"))


def test_equal_names_and_sizes_share_no_features(tmp_path: Path) -> None:
    for name, colour in (("one", (200, 0, 0)), ("two", (0, 0, 200))):
        paint(tmp_path / name, {"a/x.bmp": colour})
    one, two = read(tmp_path / "one"), read(tmp_path / "two")
    assert one.manifest == two.manifest
    assert features(one, ["a/x.bmp"]) == [[200, 0, 0]]
    assert features(two, ["a/x.bmp"]) == [[0, 0, 200]]


def test_an_overwritten_picture_has_new_features(tmp_path: Path) -> None:
    paint(tmp_path / "p", {"a/x.bmp": (200, 0, 0)})
    data = read(tmp_path / "p")
    assert features(data, ["a/x.bmp"]) == [[200, 0, 0]]
    paint(tmp_path / "p", {"a/x.bmp": (0, 0, 200)})
    assert features(data, ["a/x.bmp"]) == [[0, 0, 200]]
    assert features(read(tmp_path / "p"), ["a/x.bmp"]) == [[0, 0, 200]]


def test_equal_pictures_are_computed_once(tmp_path: Path, own_cache: Path) -> None:
    paint(tmp_path / "p", {"a/x.png": (200, 0, 0), "a/y.png": (200, 0, 0), "b/z.png": (0, 9, 0)})
    data = read(tmp_path / "p")
    assert data.fingerprint("a/x.png") == data.fingerprint("a/y.png")
    found = features(data, ["b/z.png", "a/y.png", "a/x.png", "a/y.png"])
    assert found == [[0, 9, 0], [200, 0, 0], [200, 0, 0], [200, 0, 0]]
    (tmp_path / "p").rename(tmp_path / "q")
    features(read(tmp_path / "q"), ["a/x.png"])
    assert rows(own_cache) == 2


def test_rows_of_the_library_are_addressed_by_their_bytes(tmp_path: Path) -> None:
    root = sources.parquet(tmp_path / "x", pictures={3: sources.encoded(0, 0)})
    data = hf.open_dataset.__wrapped__(str(root), hf.Options())
    same, other = data.fingerprint("train/000000"), data.fingerprint("train/000001")
    assert data.fingerprint("train/000003") == same != other
    sources.class_folders(tmp_path / "f")
    assert read(tmp_path / "f").fingerprint(f"train/{sources.NAMES[0]}/0.png") == same


def test_a_missing_picture_is_told(tmp_path: Path) -> None:
    paint(tmp_path / "p", {"a/x.png": (1, 2, 3), "a/y.png": (1, 2, 4)})
    data = read(tmp_path / "p")
    (tmp_path / "p" / "a" / "x.png").unlink()
    with pytest.raises(DataError, match=r"a/x\.png.*1 of the 2 pictures"):
        data.fingerprint("a/x.png")


class Bare:
    """A data set of somebody else, from before there were fingerprints."""

    classes = ("a",)
    train = test = Items(("1", "2"), np.zeros(2, dtype=np.int64), np.arange(2))

    def __init__(self, manifest: str, shade: int) -> None:
        self.manifest, self._shade = manifest, shade

    def part(self, name: str) -> range:
        return range(1)

    def image(self, item: str) -> Image.Image:
        return Image.new("RGB", (8, 8), (self._shade, int(item), 0))


def test_without_fingerprints_manifest_and_item_are_the_address() -> None:
    assert features(Bare("m", 5), ["1", "2"]) == [[5, 1, 0], [5, 2, 0]]
    assert features(Bare("n", 9), ["2", "1"]) == [[9, 2, 0], [9, 1, 0]]
    assert features(Bare("m", 7), ["1"]) == [[5, 1, 0]]  # its manifest says that nothing changed


def task(root: Path, tiny: Any, **changes: Any) -> str:
    own = {"dataset": f"folder:{root}", "classes": None, "shots": None, "regime": "full"}
    written: str = tiny(**(own | changes))
    return written


@pytest.mark.parametrize("tuning", ["projection", "all"])
def test_pictures_trained_and_tested_on_are_counted(
    tmp_path: Path, tiny: Any, cli: Call, tuning: str
) -> None:
    paint(tmp_path / "p", {
        "train/oak/1.png": (200, 0, 0), "train/elm/1.png": (0, 0, 200),
        "test/oak/1.png": (200, 0, 0), "test/oak/2.png": (200, 0, 0), "test/oak/3.png": (9, 0, 0),
        "test/elm/1.png": (0, 0, 201),
    })  # fmt: skip
    ended = cli("grid", task(tmp_path / "p", tiny, seeds=1, tuning=tuning))
    assert ended.code == 0, ended.err
    found = [record["diagnostics"]["twins"] for record in records(tmp_path / "runs").values()]
    assert found == [2] * len(found) != []
    (line,) = [line for line in ended.err.splitlines() if "support" in line]
    assert line.startswith("warning: ")
    assert "2 (test/oak/1.png, test/oak/2.png)" in line


def test_nothing_is_said_of_pictures_that_are_apart(tmp_path: Path, tiny: Any, cli: Call) -> None:
    paint(tmp_path / "p", {
        "train/oak/1.png": (200, 0, 0), "train/elm/1.png": (0, 0, 200),
        "test/oak/1.png": (201, 0, 0), "test/elm/1.png": (0, 0, 201),
    })  # fmt: skip
    ended = cli("grid", task(tmp_path / "p", tiny, seeds=1))
    assert ended.code == 0, ended.err
    assert {r["diagnostics"]["twins"] for r in records(tmp_path / "runs").values()} == {0}
    assert "warning" not in ended.err
