"""Moving emoji: what the classes are, and that averaging over time cannot tell opposites apart."""

from __future__ import annotations

import numpy as np
import pytest
from pydantic import ValidationError

from harness.core.errors import DataError
from harness.data import emoji, emoji_motion
from harness.data._motion import ONE
from harness.data.emoji_motion import MOTIONS, EmojiMotion, Options, open_dataset
from harness.sampling.views import evaluation_frames

OPPOSITES = [("left", "right"), ("up", "down"), ("growing", "shrinking"),
             ("spinning_left", "spinning_right")]  # fmt: skip


@pytest.fixture(scope="module")
def data() -> EmojiMotion:
    return open_dataset("", Options())


def clip(data: EmojiMotion, motion: str, o: int = 0) -> str:
    """A test clip of an object by number."""
    label = o * len(MOTIONS) + list(MOTIONS).index(motion)
    return data.test.ids[data.test.labels.tolist().index(label)]


def arrays(data: EmojiMotion, item: str, indices: range | tuple[int, ...]) -> np.ndarray:  # type: ignore[type-arg]
    return np.stack([np.asarray(f).astype(int) for f in data.frames(item, indices)])


def test_classes_are_object_and_motion(data: EmojiMotion) -> None:
    assert len(data.classes) == len(set(data.classes)) == 10 * 8
    assert np.bincount(data.train.labels).tolist() == [10] * 80
    assert np.bincount(data.test.labels).tolist() == [4] * 80
    assert data.classes[0].endswith(" moving left")
    assert len({*data.train.ids, *data.test.ids}) == 80 * 14


def test_vendors_are_apart_and_groups_are_objects(data: EmojiMotion) -> None:
    assert {i.split("/")[0] for i in data.train.ids} == set(emoji.POOL)
    assert {i.split("/")[0] for i in data.test.ids} == set(emoji.TEST)
    for split in (data.train, data.test):
        by_group = {(g, i.split("/")[1]) for g, i in zip(split.groups, split.ids, strict=True)}
        assert len(by_group) == len(set(split.groups.tolist())) == 10


def test_parts(data: EmojiMotion) -> None:
    seen, unseen = set(data.part("seen")), set(data.part("unseen"))
    assert seen | unseen == set(range(80))
    assert len(seen) == len(unseen) == 40
    end = " moving left"
    objects = [
        {name for name in (data.classes[c] for c in part) if name.endswith(end)}
        for part in (seen, unseen)
    ]
    assert [len(part) for part in objects] == [5, 5]
    assert not objects[0] & objects[1]
    assert {data.classes[c].split()[-1] for c in data.part("up")} == {"up"}


@pytest.mark.parametrize(("one", "other"), OPPOSITES)
def test_a_clip_and_its_opposite_are_reversals(data: EmojiMotion, one: str, other: str) -> None:
    for o in (0, 7):
        a = arrays(data, clip(data, one, o), range(24))
        b = arrays(data, clip(data, other, o), range(24))
        assert np.array_equal(a, b[::-1])
        assert not np.array_equal(a[0], b[0])


@pytest.mark.parametrize(("length", "frames"), [(24, 8), (24, 24), (40, 8), (48, 16)])
def test_evaluated_frames_of_opposites_are_one_set(length: int, frames: int) -> None:
    """So no average over time can tell them apart, whatever looks at the frames."""
    data = open_dataset("", Options(objects=1, frames=length, size=32))
    indices = evaluation_frames(length, frames, data.position)
    for one, other in OPPOSITES:
        a, b = (arrays(data, clip(data, m), indices) for m in (one, other))
        assert np.array_equal(a, b[::-1])
        assert len({f.tobytes() for f in a}) == frames


def test_things_go_where_their_name_says(data: EmojiMotion) -> None:
    """By the centre and the amount of what differs from the canvas."""
    for o in range(10):

        def path(motion: str, o: int = o) -> tuple[np.ndarray, np.ndarray, np.ndarray]:  # type: ignore[type-arg]
            ink = [np.argwhere(abs(f - f[0, 0]).sum(-1) > 30)
                   for f in arrays(data, clip(data, motion, o), (8, 15))]  # fmt: skip
            y, x = np.array([p.mean(axis=0) for p in ink]).T
            return x, y, np.array([len(p) for p in ink])

        assert np.diff(path("left")[0]) < -10
        assert np.diff(path("right")[0]) > 10
        assert np.diff(path("up")[1]) < -10
        assert np.diff(path("down")[1]) > 10
        assert np.diff(path("growing")[2]) > 50
        assert np.diff(path("shrinking")[2]) < -50


def test_spinning_right_is_clockwise() -> None:
    data = open_dataset("", Options(objects=1))
    c = data.clips[clip(data, "spinning_right")]
    assert [c.pose(k, 24, 112).turn for k in (0, 6, 12)] == [0, ONE // 4, ONE // 2]


def test_the_same_bits_as_ever() -> None:
    """If this fails, the pixels changed: DRAWN in emoji_motion.py must go up."""
    import hashlib

    data = open_dataset("", Options(objects=1))
    content = hashlib.sha256()
    for motion in MOTIONS:
        for frame in data.frames(clip(data, motion), (0, 7, 23)):
            content.update(frame.tobytes())
    assert content.hexdigest()[:16] == "e9cf8c2fa543d51d"


def test_clips_of_a_class_differ(data: EmojiMotion) -> None:
    items = [i for i, c in zip(data.train.ids, data.train.labels, strict=True) if c == 0]
    assert len({data.image(i).tobytes() for i in items}) == 10
    assert len({data.fingerprint(i) for i in items}) == 10


def test_fingerprints_hold_what_is_drawn(data: EmojiMotion) -> None:
    everything = [*data.train.ids, *data.test.ids]
    assert len({data.fingerprint(i) for i in everything}) == len(everything)
    fewer = open_dataset("", Options(objects=3, motions=("left", "up")))
    assert all(fewer.fingerprint(i) == data.fingerprint(i) for i in fewer.test.ids)
    larger = open_dataset("", Options(size=64))
    assert larger.fingerprint(data.test.ids[0]) != data.fingerprint(data.test.ids[0])


def test_the_manifest_holds_what_is_drawn() -> None:
    options = [Options(objects=2), Options(objects=2, size=64), Options(objects=2, frames=40),
               Options(objects=2, clips=1), Options(objects=2, motions=("left",)),
               Options(objects=2, part="development"), Options(objects=3)]  # fmt: skip
    assert len({open_dataset("", o).manifest for o in options}) == len(options)


def test_more_objects_keep_the_first() -> None:
    small, large = (open_dataset("", Options(objects=n)) for n in (3, 6))
    assert large.classes[: len(small.classes)] == small.classes


def test_the_saved_objects_are_what_the_package_gives() -> None:
    import json

    saved = json.loads(emoji_motion.OBJECTS_FILE.read_text(encoding="utf-8"))
    some = saved[::20]
    assert saved == sorted(set(saved), key=saved.index)
    rows = {row["name"]: row["file"] for row in emoji.split()["classes"]}
    for name in some:
        assert all(emoji_motion._turns(emoji.art_folder() / v / rows[name])
                   for v in (*emoji.POOL, *emoji.TEST))  # fmt: skip
    assert not {"large red circle", "leftwards black arrow", "minidisc"} & set(saved)


def test_a_clip_is_a_clip(data: EmojiMotion) -> None:
    item = data.test.ids[0]
    assert data.length(item) == 24
    assert data.position == "centre"
    assert data.image(item).tobytes() == data.frames(item, [12])[0].tobytes()
    assert data.image(item).size == (112, 112)
    with pytest.raises(DataError, match="has no frame 24: it has 24"):
        data.frames(item, [0, 24])
    with pytest.raises(DataError, match="has no frame -1"):
        data.frames(item, [-1])
    with pytest.raises(DataError, match="no clip 'x'"):
        data.length("x")


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"motions": ["lef"]}, "Did you mean 'left'"),
        ({"motions": []}, "at least one motion"),
        ({"motions": ["left", "left"]}, "none twice"),
        ({"objects": 0}, "greater than or equal to 1"),
        ({"frames": 1}, "greater than or equal to 2"),
        ({"colour": 1}, "Extra inputs"),
    ],
)
def test_options_are_checked(given: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        Options(**given)  # type: ignore[arg-type]


def test_too_many_objects_and_an_argument_are_refused() -> None:
    with pytest.raises(DataError, match="objects: 999 of the 183 of part 'unseen'"):
        open_dataset("", Options(objects=999))
    with pytest.raises(DataError, match="takes no argument"):
        open_dataset("x", Options())
