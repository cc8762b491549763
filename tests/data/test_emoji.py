import numpy as np
import pytest

from harness.core.errors import DataError
from harness.data import emoji, emoji_people
from harness.data._base import manifest


@pytest.fixture(scope="module")
def data():  # type: ignore[no-untyped-def]
    return emoji.open_dataset("", emoji.Options())


def test_counts_are_those_of_the_design(data) -> None:  # type: ignore[no-untyped-def]
    assert len(data.classes) == len(set(data.classes)) == 1268
    sizes = {name: len(data.part(name)) for name in ("aligned", "development", "unseen", "all")}
    assert sizes == {"aligned": 868, "development": 100, "unseen": 300, "all": 1268}
    assert np.bincount(data.train.labels).tolist() == [5] * 1268
    assert np.bincount(data.test.labels).tolist() == [2] * 1268


def test_parts_are_disjoint_and_whole(data) -> None:  # type: ignore[no-untyped-def]
    parts = [set(data.part(n)) for n in ("aligned", "development", "unseen")]
    assert set.union(*parts) == set(range(1268))
    assert sum(map(len, parts)) == 1268


def test_pool_and_test_vendors_are_apart(data) -> None:  # type: ignore[no-untyped-def]
    assert {i.split("/")[0] for i in data.train.ids} == set(emoji.POOL)
    assert {i.split("/")[0] for i in data.test.ids} == set(emoji.TEST)
    assert np.array_equal(data.test.groups, data.test.labels)


def test_no_test_picture_is_a_training_picture(data) -> None:  # type: ignore[no-untyped-def]
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


def test_a_changed_split_is_noticed(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    changed = tmp_path / "split.json"
    changed.write_text(emoji.SPLIT_FILE.read_text().replace("slice of pizza", "pizza"))
    monkeypatch.setattr(emoji, "SPLIT_FILE", changed)
    with pytest.raises(DataError, match="its hash does not fit"):
        emoji.split.__wrapped__()


def test_pictures_are_rgb_over_white(data) -> None:  # type: ignore[no-untyped-def]
    image = data.image(data.test.ids[0])
    assert image.mode == "RGB"
    assert image.getpixel((0, 0)) == (255, 255, 255)


def test_an_unknown_part_names_the_nearest(data) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(DataError, match="Did you mean 'unseen'"):
        data.part("unsen")


def test_people_share_no_picture_and_no_name_with_the_emoji(data) -> None:  # type: ignore[no-untyped-def]
    people = emoji_people.open_dataset("", emoji_people.Options())
    assert len(people.classes) == 22
    assert np.bincount(people.test.labels).tolist() == [14] * 22
    assert not set(people.test.ids) & {*data.train.ids, *data.test.ids}
    assert not set(people.classes) & set(data.classes)
    assert len({people.image(i).tobytes() for i in people.test.ids}) == len(people.test.ids)


def test_the_manifests_hold_split_and_group(tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "x.png").write_bytes(b"12")
    rows = [("train", "x.png", "a", ""), ("test", "x.png", "a", ""), ("train", "x.png", "a", "g")]
    assert len({manifest(tmp_path, [row]) for row in rows}) == 3
