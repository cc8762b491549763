"""Features on disk: made once, read again, made anew where they are damaged.

tests/data/test_fingerprints.py holds by which content they are addressed.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from harness.core.errors import DataError
from harness.core.facts import EncoderFacts
from harness.sampling.views import FrameView
from harness.training import extraction
from harness.training import features as module
from harness.training.features import FeatureStore
from harness.training.shards import shard_name

from .grey import Grey, GreyPictures, Mean

FACTS = EncoderFacts("weights", "backbone", 1, 1, 8, 1.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


class Loads:
    """Makes the encoder, and counts how often it is asked to."""

    def __init__(self, encoder: Any = None) -> None:
        self.encoder, self.number = encoder or Mean(), 0

    def __call__(self) -> Any:
        self.number += 1
        return self.encoder


def store(data: Any = None, load: Any = None, facts: EncoderFacts = FACTS) -> FeatureStore:
    return FeatureStore(data or GreyPictures(), facts, load or Loads(), 8)


def test_features_come_in_the_order_that_is_asked_for() -> None:
    assert store().get(["3", "1", "3", "2"]).tolist() == [[30], [10], [30], [20]]
    assert store().get([]).shape == (0, 1)


def test_pixels_are_hashed_before_they_are_cropped() -> None:
    crops = [FrameView("1", crop=(0, 2)), FrameView("1", crop=(1, 2)), FrameView("2")]
    for _ in range(2):  # computed, and read again
        one, other, different = store().load(crops).pixels
        assert one == other != different
        assert one is not None


def test_a_shard_of_an_earlier_version_is_read() -> None:
    """Its rows are not computed again; the first ones had no hashes of pixels."""
    ids = [GreyPictures().fingerprint("1")]
    store().folder.mkdir(parents=True)
    np.save(store().folder / f"{shard_name(ids)}.npy", np.array([[77]], np.float32))
    (store().folder / f"{shard_name(ids)}.ids.json").write_text(json.dumps(ids))
    data = GreyPictures()
    loaded = store(data).load(["1", "2"])
    assert loaded.h_NF.tolist() == [[77], [20]]
    assert loaded.pixels[0] is None
    assert loaded.pixels[1] is not None
    assert data.reads == [("2", ())]


def test_what_is_there_loads_no_encoder_and_reads_no_picture() -> None:
    store().get(["1", "2"])
    load, data = Loads(), GreyPictures()
    assert store(data, load).get(["2", "1"]).tolist() == [[20], [10]]
    assert (load.number, data.reads) == (0, [])
    assert store(data, load).get(["2", "4"]).tolist() == [[20], [40]]
    assert data.reads == [("4", ())]


def test_processes_share_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each computes its neighbours, whatever others have written meanwhile; then all read it."""
    monkeypatch.setattr(module, "SHARE", 2)
    wanted = [str(n) for n in range(1, 8)]
    store().get(["4"])
    read = []
    for rank in range(2):
        data = GreyPictures()
        store(data).share(wanted, rank, 2)
        read.append([item for item, _ in data.reads])
    assert read == [["1", "2", "5", "6"], ["3", "7"]]
    data = GreyPictures()
    assert store(data).get(wanted).flatten().tolist() == [10 * n for n in range(1, 8)]
    assert data.reads == []


def test_a_part_that_others_did_not_write_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SHARE", 1)
    store().share(["1", "2"], 0, 2)
    data = GreyPictures()
    assert store(data).get(["1", "2"]).tolist() == [[10], [20]]
    assert [item for item, _ in data.reads] == ["2"]


def test_frames_and_crops_have_rows_of_their_own() -> None:
    views = [FrameView("1", 3), FrameView("1", 4), FrameView("1", 3, (0, 3))]
    data = Grey()
    assert store(data).get(views).tolist() == [[13], [14], [13]]
    assert store(data).get(views).tolist() == [[13], [14], [13]]
    assert len(list(store().folder.glob("*.npy"))) == 1


def test_another_backbone_or_resolution_has_other_features(own_cache: Path) -> None:
    other = EncoderFacts("weights", "other", 1, 1, 8, 1.0)
    folders = {
        store().folder, store(facts=other).folder, FeatureStore(Grey(), FACTS, Loads(), 9).folder,
    }  # fmt: skip
    assert len(folders) == 3
    assert all(folder.parent == own_cache / "features" for folder in folders)


def test_progress_counts_the_pictures_that_are_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BLOCK", 4)
    monkeypatch.setitem(extraction.BATCH, "cpu", 2)
    store().get(["1"])
    points: list[tuple[int, int]] = []
    store().get([str(n) for n in range(1, 8)], lambda *point: points.append(point))
    assert points == [(2, 6), (4, 6), (6, 6)]
    assert len(list(store().folder.glob("*.npy"))) == 3


def test_a_feature_does_not_depend_on_what_is_computed_beside_it() -> None:
    """A short batch is filled up, so that the encoder always sees batches of one size."""
    sizes: set[int] = set()

    class Sized(Mean):
        def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
            sizes.add(len(x_BCHW))
            return super().features(x_BCHW)

    store(load=Loads(Sized())).get(["1", "2", "3"])
    store(load=Loads(Sized())).get(["4"])
    assert sizes == {extraction.BATCH["cpu"]}


@pytest.mark.parametrize("pattern", ["*.npy", "*.index"])
@pytest.mark.parametrize("content", [b"", b"[]", b"no features"])
def test_damaged_blocks_are_computed_again(pattern: str, content: bytes) -> None:
    store().get(["1", "2"])
    for path in store().folder.glob(pattern):
        path.write_bytes(content)
    load = Loads()
    assert store(load=load).get(["1", "2"]).tolist() == [[10], [20]]
    assert load.number == 1
    assert store(load=load).get(["1", "2"]).tolist() == [[10], [20]]
    assert load.number == 1, "and written over"


def test_a_damaged_row_is_computed_again_and_the_others_are_not() -> None:
    store().get(["1", "2", "3"])
    (path,) = store().folder.glob("*.npy")
    rows_NF = np.load(path)
    rows_NF[1] += 1
    np.save(path, rows_NF)
    data = GreyPictures()
    for _ in range(2):
        assert store(data).get(["3", "2", "1"]).tolist() == [[30], [20], [10]]
    assert data.reads == [("2", ())]


def test_an_interruption_loses_no_finished_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(extraction.BATCH, "cpu", 2)
    monkeypatch.setattr(extraction, "cores", lambda: 1)

    def stop(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        store().get([str(n) for n in range(1, 9)], stop)
    data = GreyPictures()
    store(data).get(["1", "2", "3", "4"])
    assert data.reads == []


def test_features_of_a_cache_that_cannot_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "write_block", lambda folder, block: False)
    assert store().get(["3", "1", "3"]).tolist() == [[30], [10], [30]]


@pytest.mark.parametrize(("factor", "what"), [(float("nan"), "is not finite"), (1e30, "too large")])
def test_features_that_are_no_numbers_or_too_large_are_refused(factor: float, what: str) -> None:
    class Broken(Mean):
        def features(self, x_BCHW: torch.Tensor) -> torch.Tensor:
            return super().features(x_BCHW) * factor

    with pytest.raises(DataError, match=rf"makes of 2 of 2 images .*{what}.*; the first is 1$"):
        store(load=Loads(Broken())).get(["1", "2"])
    assert list(store().folder.glob("*")) == []


def test_features_of_an_earlier_reading_of_pictures_are_not_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folders = [module.features_folder("b", 32, "cpu")]
    monkeypatch.setattr(module, "READING", module.READING + 1)
    assert module.features_folder("b", 32, "cpu") not in folders
