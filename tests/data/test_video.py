"""Your own videos: the lists of the field, what is told of bad ones, groups, names, whole runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Call, WriteTask, records
from PIL import Image
from pydantic import ValidationError

from harness.core.errors import DataError
from harness.data import _decode, emoji_motion, video
from harness.data._videos import write_clips
from harness.data._words import words

from . import clips


def read(place: object, **options: Any) -> video.Videos:
    return video.open_dataset.__wrapped__(str(place), video.Options(**options))


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of a video of 12 frames."""
    return clips.write(tmp_path_factory.mktemp("short") / "a.mp4", 12).read_bytes()


def put(root: Path, paths: Sequence[str], content: bytes) -> None:
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)


# --- layouts -------------------------------------------------------------------------------------


def test_class_folders(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["train/ride_bike/1.mp4", "train/run/2.MP4", "test/run/3.mp4",
                   "test/ride_bike/4.mp4"], short)  # fmt: skip
    (tmp_path / "train/run/notes.txt").write_text("not a video")
    data = read(tmp_path)
    assert data.classes == ("ride bike", "run")
    assert data.train.ids == ("train/ride_bike/1.mp4", "train/run/2.MP4")
    assert data.test.labels.tolist() == [0, 1]
    assert data.test.groups.tolist() == [0, 1]
    (tmp_path / "test").rename(tmp_path / "val")
    assert read(tmp_path).test.ids[0] == "val/ride_bike/4.mp4"
    assert read(tmp_path / "val").test.ids == ("ride_bike/4.mp4", "run/3.mp4")
    assert read(tmp_path / "val").train.ids == ()


@pytest.mark.parametrize("end", ["txt", "csv"])
def test_lists_of_paths_and_labels(tmp_path: Path, short: bytes, end: str) -> None:
    put(tmp_path, ["videos/a b.mp4", "videos/c.mp4", "videos/d.mp4"], short)
    (tmp_path / f"train.{end}").write_text("a b.mp4 1\n\nc.mp4 0\n")
    (tmp_path / f"test.{end}").write_text("d.mp4 1\r\n")
    (tmp_path / "labels.csv").write_text("id,name\n1,Playing Chess\n0,archery\n")
    data = read(tmp_path)
    assert data.classes == ("archery", "Playing Chess")
    assert data.train.ids == ("a b.mp4", "c.mp4")
    assert data.train.labels.tolist() == [1, 0]
    assert data.root == tmp_path / "videos"
    only = read(tmp_path / f"test.{end}")
    assert only.test.ids == ("d.mp4",)
    assert only.classes == data.classes


def test_the_lists_and_the_videos_may_lie_elsewhere(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["clips/x.mp4", "clips/y.mp4"], short)
    (tmp_path / "lists").mkdir()
    (tmp_path / "lists/one.txt").write_text("x.mp4 jump\n")
    (tmp_path / "lists/two.txt").write_text("y.mp4 run\n")
    data = read(tmp_path / "lists", train="one.txt", test="two.txt", root="../clips")
    assert data.classes == ("jump", "run")
    assert data.root == tmp_path / "lists/../clips"
    assert data.length("x.mp4") == 12


def test_a_kind_of_video_that_is_not_read_is_told(tmp_path: Path, short: bytes) -> None:
    """A file that is passed over in silence would be missed in the counts."""
    folder = tmp_path / "clips" / "test" / "walk"
    folder.mkdir(parents=True)
    (folder / "a.mp4").write_bytes(short)
    (folder / "b.mpg").write_bytes(short)
    (folder / "notes.txt").write_text("none of the data")
    with pytest.raises(DataError, match=r"b\.mpg is of no kind that is read .*\.mp4"):
        video.open_dataset(str(tmp_path / "clips"), video.Options())


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
    video._frame_files.cache_clear()
    with pytest.raises(DataError, match="holds 8 frames; its list says 9"):
        read(tmp_path).frames("v2", [8])
    with pytest.raises(DataError, match=r"img_00009\.png"):
        read(tmp_path, frame="img_{:05d}.png").frames("v2", [8])


def ucf101(root: Path, content: bytes, splits: int = 2) -> Path:
    names = ("ApplyEyeMakeup", "HandstandPushups", "YoYo")
    lists = root / "ucfTrainTestlist"
    lists.mkdir(parents=True)
    (lists / "classInd.txt").write_text(
        "".join(f"{n} {name}\r\n" for n, name in enumerate(names, start=1))
    )
    for split in range(1, splits + 1):
        use: dict[str, list[str]] = {"train": [], "test": []}
        for number, name in enumerate(names, start=1):
            for scene in range(1, 5):
                for clip in (1, 2):
                    item = f"{name}/v_{name}_g{scene:02}_c{clip:02}.avi"
                    put(root / "UCF-101", [item], content)
                    tested = scene <= 2 if split == 1 else scene > 2
                    use["test" if tested else "train"].append(
                        item if tested else f"{item} {number}"
                    )
        for part, lines in use.items():
            (lists / f"{part}list{split:02}.txt").write_text("\r\n".join(lines) + "\r\n")
    return root


def test_ucf101_as_it_is_published(tmp_path: Path, short: bytes) -> None:
    root = ucf101(tmp_path, short)
    data = read(root)
    assert data.classes == ("apply eye makeup", "handstand pushups", "yo yo")
    assert len(data.train.ids) == len(data.test.ids) == 12
    assert data.root == root / "UCF-101"
    assert data.test.groups.tolist() == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5]
    second = read(root, split=2)
    assert set(second.train.ids) == set(data.test.ids)
    assert second.manifest != data.manifest
    assert read(root, camel_case=False).classes[2] == "YoYo"
    with pytest.raises(DataError, match=r"trainlist03\.txt cannot be read"):
        read(root, split=3)


def test_hmdb51_as_it_is_published(tmp_path: Path, short: bytes) -> None:
    lists = tmp_path / "testTrainMulti_7030_splits"
    lists.mkdir()
    for name in ("brush_hair", "wave"):
        rows = []
        for number, use in enumerate((1, 1, 2, 0)):
            item = f"Some_film_{number // 2}_{name}_u_cm_np1_ba_goo_{number}.avi"
            put(tmp_path / "hmdb51_org" / name, [item], short)
            rows.append(f"{item} {use} ")
        (lists / f"{name}_test_split1.txt").write_text("\n".join(rows) + "\n")
    data = read(tmp_path)
    assert data.classes == ("brush hair", "wave")
    assert len(data.train.ids) == 4
    assert len(data.test.ids) == 2
    assert data.train.groups.tolist() == [0, 0, 0, 0]  # one film, whatever is done in it


@pytest.mark.parametrize("place", ["{split}/{label}/{name}", "{split}/{name}",
                                   "videos/{split}/{spaced}/{name}"])  # fmt: skip
def test_kinetics_as_it_is_published(tmp_path: Path, short: bytes, place: str) -> None:
    for split in ("train", "val"):
        rows = ["label,youtube_id,time_start,time_end,split,is_cc"]
        for label in ("playing chess", "abseiling"):
            for number in range(2):
                video_id = f"{split}-{label[0]}_{number}"
                rows.append(f'"{label}",{video_id},7,17,{split},0')
                name = f"{video_id}_000007_000017.mp4"
                put(tmp_path, [place.format(split=split, label=label, name=name,
                                            spaced=label.replace(" ", "_"))], short)  # fmt: skip
        (tmp_path / f"{split}.csv").write_text("\n".join(rows) + "\n")
    data = read(tmp_path)
    assert data.classes == ("abseiling", "playing chess")
    assert len(data.train.ids) == len(data.test.ids) == 4
    assert data.length(data.test.ids[0]) == 12


def test_moving_emoji_as_files(tmp_path: Path) -> None:
    """The same frames to the bit, through an encoder, a file and the decoder."""
    drawn = emoji_motion.open_dataset(
        "", emoji_motion.Options(objects=2, motions=("left", "up"), clips=1, size=40)
    )
    assert write_clips(drawn, tmp_path / "out") == 28
    data = read(tmp_path / "out")
    assert data.classes == drawn.classes
    for ours, theirs in ((data.train, drawn.train), (data.test, drawn.test)):
        assert np.array_equal(ours.labels, theirs.labels)
        assert np.array_equal(ours.groups, theirs.groups)
        for item, other in zip(ours.ids, theirs.ids, strict=True):
            assert data.length(item) == drawn.length(other)
            pairs = zip(data.frames(item, range(24)), drawn.frames(other, range(24)), strict=True)
            assert all(a.tobytes() == b.tobytes() for a, b in pairs)


# --- names and groups ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "read_as"),
    [
        (["ApplyEyeMakeup", "Archery", "YoYo"], ("apply eye makeup", "archery", "yo yo")),
        (["Archery", "Biking"], ("Archery", "Biking")),
        (["ApplyEyeMakeup", "brush_hair"], ("ApplyEyeMakeup", "brush hair")),
        (["playing chess", "TV"], ("playing chess", "TV")),
    ],
)
def test_words(given: list[str], read_as: tuple[str, ...]) -> None:
    assert words(given, split_camel=True) == read_as


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
        ({"frame": "img.jpg"}, "a place for the number"), ({"frame": "{a}"}, "one place"),
        ({"position": "middle"}, "'centre' or 'first'"), ({"split": 4}, "less than or equal to 3"),
        ({"max_corrupt": -1}, "must be a number of pictures"), ({"colour": 1}, "Extra inputs"),
    ],
)  # fmt: skip
def test_options_are_checked(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        video.Options(**given)


# --- what can be wrong ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"train.txt": "x.mp4\n"}, "line 1 is neither 'path label' nor"),
        ({"train.txt": "x.mp4 0\n"}, "there is no"),
        ({"train.txt": "x.mp4 2\n", "labels.csv": "id,name\n0,a\n1,b\n"}, "has no id 2"),
        ({"train.txt": "x.mp4 0\n", "labels.csv": "id,name\n1,a\n"}, "must be 0 to 0, each once"),
        ({"train.txt": "x.mp4 0\n", "labels.csv": "number,name\n"}, "no column 'id'"),
        ({"train.txt": "/data/x.mp4 a\n"}, r"must be relative to the folder .*option root"),
        ({"train.txt": "../x.mp4 a\n"}, "must be relative"),
        ({"train.txt": "x.mp4 a\nx.mp4 a\n"}, "lists 1 videos more than once"),
        ({"train.txt": "x.mp4 a_b\ny.mp4 A_B\n"}, "duplicate class names"),
        ({"train.txt": "x.mp4 a\nz.mp4 a\n"}, r"1 of the 3 videos .* not there; .*z\.mp4"),
        ({"classInd.txt": "2 Archery\n"}, "is not '1 ClassName'"),
        ({"classInd.txt": "1 Archery\n", "trainlist01.txt": "Archery/x.avi 1\n"}, "line 1 is not"),
        ({"a_test_split1.txt": "x.avi 3\n"}, r"is not 'video.avi 0\|1\|2'"),
        ({"val.csv": "label,youtube_id\n"}, "no column 'time_start'"),
        ({"val.csv": "label,youtube_id,time_start,time_end\na,x,soon,7\n"}, "line 2: could not"),
        ({"classInd.txt": "1 Archery\n", "a_test_split1.txt": ""}, "several formats"),
        ({"train/run/notes.txt": ""}, "there is no video in"), ({"x.mp4": ""}, "holds no video"),
    ],
)  # fmt: skip
def test_lists_that_are_wrong(
    tmp_path: Path, short: bytes, files: dict[str, str], said: str
) -> None:
    root = tmp_path / "root"
    put(root, ["videos/x.mp4", "videos/y.mp4"], short)
    if any(name in files for name in ("train.txt",)):
        files = {"test.txt": "y.mp4 a\n" if " a" in files["train.txt"] else "y.mp4 0\n", **files}
    else:
        (root / "videos/x.mp4").unlink()
        (root / "videos/y.mp4").unlink()
        (root / "videos").rmdir()
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    with pytest.raises(DataError, match=said):
        read(root)


def test_a_place_that_is_not_there(tmp_path: Path) -> None:
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


def spoiled(root: Path, short: bytes) -> Path:
    """Ten training videos, of which one is cut and one is of text, and two tests, one too short."""
    put(root, [f"train/run/{n}.mp4" for n in range(10)], short)
    put(root, ["test/run/a.mp4"], short)
    (root / "train/run/3.mp4").write_bytes(short[: len(short) // 2])
    (root / "train/run/7.mp4").write_text("<html>404</html>")
    clips.write(root / "test/run/b.mp4", 5)
    return root


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


def test_bad_videos_are_left_out_and_told(tmp_path: Path, short: bytes) -> None:
    root = spoiled(tmp_path, short)
    data = read(root, max_corrupt=0.25)
    assert len(data.train.ids) == 8
    assert data.test.ids == ("test/run/a.mp4",)
    note = data.notes[0]
    assert "3 of the 12 videos" in note
    assert "train/run/3.mp4, train/run/7.mp4, test/run/b.mp4" in note
    assert "0 not there and 3 damaged or shorter than 8 frames" in note
    assert data.manifest != read(root).manifest
    with pytest.raises(DataError, match=r"3 of the 12 videos .* more than max_corrupt: 2 allows"):
        read(root, max_corrupt=2)


def test_videos_that_are_not_there_count_as_well(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["videos/a.mp4", "videos/b.mp4"], short)
    (tmp_path / "train.txt").write_text("a.mp4 run\ngone.mp4 run\n")
    (tmp_path / "test.txt").write_text("b.mp4 run\n")
    data = read(tmp_path, max_corrupt=1)
    assert data.train.ids == ("a.mp4",)
    assert "1 not there and 0 damaged" in data.notes[0]


def test_what_was_found_is_remembered(
    tmp_path: Path, short: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    root = spoiled(tmp_path / "data", short)
    first = read(root, max_corrupt=3)

    def never(*_: object) -> None:
        raise AssertionError("a video was opened")

    monkeypatch.setattr(_decode, "_opened", never)
    assert read(root, max_corrupt=3).notes == first.notes


def test_a_fingerprint_is_of_the_content(tmp_path: Path, short: bytes) -> None:
    put(tmp_path, ["test/run/1.mp4", "test/walk/2.mp4"], short)
    clips.write(tmp_path / "test/walk/3.mp4", 20)
    data = read(tmp_path)
    one, two, three = (data.fingerprint(item) for item in data.test.ids)
    assert one == two != three
    assert read(tmp_path, side=128).fingerprint(data.test.ids[0]) != one
    with pytest.raises(DataError, match="has no frame 12: it has 12"):
        data.frames(data.test.ids[0], [12])


def test_a_few_shot_run_over_files(cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    """From lists and files to a Record, with the frames that the drawn clips have."""
    drawn = emoji_motion.open_dataset(
        "", emoji_motion.Options(objects=1, motions=("left", "up"), clips=1, size=32)
    )
    write_clips(drawn, tmp_path / "clips")
    for name, dataset in (
        ("files", "video:clips"),
        ("drawn", {"name": "emoji_motion", "objects": 1, "motions": ["left", "up"],
                   "clips": 1, "size": 32}),
    ):  # fmt: skip
        task = tiny(name=name, dataset=dataset, classes=None, temporal="tap", frames=8, seeds=1,
                    resolution=32, classifier="text")  # fmt: skip
        ended = cli("grid", task, "--runs", f"runs_{name}")
        assert ended.code == 0, ended.err
    files, same = (records(tmp_path / f"runs_{name}") for name in ("files", "drawn"))
    top1 = [next(iter(found.values()))["top1"] for found in (files, same)]
    assert top1[0] == top1[1]
    assert json.dumps(next(iter(files.values()))["cell"]).count("video:clips") == 1
