"""video: frames of files and of folders, groups, options, and errors that count the others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from pydantic import ValidationError

from harness.core.errors import DataError
from harness.data import _decode, video

from . import clips
from .videos import put, read, spoiled, ucf101


def test_folders_of_extracted_frames(tmp_path: Path) -> None:
    for name, count in (("v1", 12), ("v2", 9)):
        (tmp_path / name).mkdir()
        for number in range(count):
            picture = Image.fromarray(clips.picture(number))
            picture.save(tmp_path / name / f"img_{number + 1:05d}.png")
    (tmp_path / "train.txt").write_text("v1 12 0\n")
    (tmp_path / "test.txt").write_text("v2 9 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,walk\n")
    for options in ({}, {"frame": "img_{:05d}.png"}):
        data = read(tmp_path, **options)
        assert data.length("v1") == 12
        assert [clips.number_of(f) for f in data.frames("v1", [11, 0, 3])] == [11, 0, 3]
        assert clips.number_of(data.image("v2")) == 4
        assert data.fingerprint("v1") == data.fingerprint("v1") != data.fingerprint("v2")
    before = read(tmp_path).fingerprint("v1")
    Image.fromarray(clips.picture(40)).save(tmp_path / "v1" / "img_00002.png")
    assert read(tmp_path).fingerprint("v1") != before
    (tmp_path / "v2" / "img_00009.png").unlink()
    with pytest.raises(DataError, match="holds 8 frames; its list says 9"):
        read(tmp_path).frames("v2", [8])
    with pytest.raises(DataError, match=r"holds 8 frames; its list says 9"):
        read(tmp_path, frame="img_{:05d}.png").frames("v2", [8])


@pytest.mark.parametrize("suffix", ["jpg", "png", "bmp"])
def test_a_cut_frame_is_found_though_it_is_not_shown(tmp_path: Path, suffix: str) -> None:
    (tmp_path / "v").mkdir()
    for number in range(9):
        Image.effect_noise((40, 40), 80).save(tmp_path / "v" / f"{number}.{suffix}")
    (tmp_path / "test.txt").write_text("v 9 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,walk\n")
    cut = tmp_path / "v" / f"3.{suffix}"
    cut.write_bytes(cut.read_bytes()[:-100])
    data = read(tmp_path)
    data.frames("v", [4])
    for look in (data.fingerprint, data.read_whole):
        with pytest.raises(DataError, match=rf"3\.{suffix} cannot be read"):
            look("v")
    Image.effect_noise((40, 40), 80).save(cut)
    assert read(tmp_path).fingerprint("v")


def test_a_folder_with_more_frames_than_its_list_says(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    for number in range(1, 11):
        Image.new("RGB", (8, 8)).save(tmp_path / "v" / f"{number}.png")
    (tmp_path / "test.txt").write_text("v 9 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,walk\n")
    for options in ({}, {"frame": "{}.png"}):
        data = read(tmp_path, **options)
        for look in (data.fingerprint, data.read_whole, lambda item, d=data: d.frames(item, [0])):
            with pytest.raises(DataError, match=r"holds (at least )?10 frames; its list says 9"):
                look("v")


def test_groups(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, [f"test/run/film{n // 2}_{n}.mp4" for n in range(4)], short)
    assert read(tmp_path).test.groups.tolist() == [0, 1, 2, 3]
    found = read(tmp_path, groups=r"(film\d+)_")
    assert found.test.groups.tolist() == [0, 0, 1, 1]
    assert found.manifest != read(tmp_path).manifest
    with pytest.raises(DataError, match=r"option groups: '\(scene\)' finds nothing in test/run"):
        read(tmp_path, groups="(scene)")
    root = ucf101(tmp_path / "ucf", short)
    assert len(set(read(root, groups="none").test.groups.tolist())) == 12


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"groups": "film"}, "must have one bracket"), ({"groups": "("}, "no regular expression"),
        ({"frame": "img.jpg"}, "a field for the number"), ({"frame": "{a}"}, "one field"),
        ({"position": "middle"}, "'centre' or 'first'"), ({"split": 4}, "less than or equal to 3"),
        ({"max_corrupt": -1}, "must be a number of pictures"), ({"colour": 1}, "Extra inputs"),
    ],
)  # fmt: skip
def test_options_are_checked(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        video.Options(**given)


def test_a_path_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="there is no folder or list"):
        read(tmp_path / "nowhere")
    with pytest.raises(DataError, match="needs a path"):
        read("")


def test_opening_decodes_nothing(
    tmp_path: Path, short: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, ["train/run/1.mp4", "test/run/2.mp4"], short)

    def never(*_: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr(_decode, "_opened", never)
    assert read(tmp_path).test.ids == ("test/run/2.mp4",)


def test_a_video_that_cannot_be_read_is_an_error_that_counts_all(
    tmp_path: Path, short: bytes
) -> None:
    data = read(spoiled(tmp_path, short))
    assert data.length("train/run/0.mp4") == 12
    with pytest.raises(DataError) as told:
        data.frames("train/run/3.mp4", [0])
    message = str(told.value)
    assert "train/run/3.mp4" in message
    assert f"3 of the 12 videos of video:{tmp_path} cannot be read" in message
    assert "train/run/7.mp4" in message
    assert "test/run/b.mp4" in message
    with pytest.raises(DataError, match=r"b\.mp4 is too short: 5 frames, and min_frames is 8"):
        data.length("test/run/b.mp4")
    assert read(tmp_path, min_frames=5).length("test/run/b.mp4") == 5


def test_a_fingerprint_is_of_the_content(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["test/run/1.mp4", "test/walk/2.mp4"], short)
    clips.write(tmp_path / "test/walk/3.mp4", 20)
    data = read(tmp_path)
    one, two, three = (data.fingerprint(item) for item in data.test.ids)
    assert one == two != three
    assert read(tmp_path, side=128).fingerprint(data.test.ids[0]) != one
    with pytest.raises(DataError, match="has no frame 12: it has 12"):
        data.frames(data.test.ids[0], [12])


def test_frames_are_kept_as_large_as_the_pictures_need(tmp_path: Path) -> None:
    clips.write(tmp_path / "test/run/1.mp4", 12, size=(640, 360))
    data = read(tmp_path)
    item = data.test.ids[0]
    large = data.for_pictures(336, 336)
    assert [d.frames(item, [0])[0].size for d in (data, large)] == [(455, 256), (597, 336)]
    assert data.frames(item, [0])[0].size == (455, 256), "not from the larger frames in the cache"
    assert data.for_pictures(224, 256) is data
    assert large.manifest != data.manifest
    assert large.fingerprint(item) != data.fingerprint(item)
    assert large.for_pictures(224, 256).fingerprint(item) == data.fingerprint(item)
    assert read(tmp_path, side=336).fingerprint(item) == large.fingerprint(item)


def test_a_side_that_is_asked_for_is_kept_or_refused(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["test/run/1.mp4"], short)
    asked = read(tmp_path, side=300)
    assert asked.side == 300
    assert asked.for_pictures(224, 256) is asked
    assert asked.for_pictures(300, 343) is asked
    with pytest.raises(
        DataError, match=r"option side: 300 is smaller than the resolution 336.*336"
    ):
        asked.for_pictures(336, 336)


def test_extracted_frames_are_as_large_as_the_pictures_need(tmp_path: Path) -> None:
    (tmp_path / "v").mkdir()
    for number in range(8):
        Image.new("RGB", (800, 450)).save(tmp_path / "v" / f"{number}.png")
    (tmp_path / "test.txt").write_text("v 8 0\n")
    (tmp_path / "labels.csv").write_text("id,name\n0,walk\n")
    data = read(tmp_path)
    sizes = [d.frames("v", [7])[0].size for d in (data, data.for_pictures(384, 384))]
    assert sizes == [(455, 256), (683, 384)]
