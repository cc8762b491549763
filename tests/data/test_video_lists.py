"""The lists of the field: folders, lists, UCF-101, HMDB-51, Kinetics; and bad ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import DataError
from harness.data import video

from .videos import put, read, ucf101


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
    with pytest.raises(DataError, match=r"there is no file .*trainlist03\.txt"):
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
        ({"train.txt": "x.mp4 a\nx.mp4 a\n"}, r"x\.mp4 is listed twice, first in train.txt"),
        ({"train.txt": "x.mp4 a_b\ny.mp4 A_B\n"}, "duplicate class names"),
        ({"train.txt": "x.mp4 a\nz.mp4 a\n"}, r"1 of the 3 .* not there: .*z\.mp4 \(train.txt, "),
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
