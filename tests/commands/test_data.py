"""`data check`: layout, counts against the official ones, and files that cannot be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import Call, WriteTask, paint
from data import clips, shards
from precomputed import npz

from harness.data._official import Count, differences, official

#: Eight bytes of an mp4 that hold nothing: other bytes for the same frames.
FREE_ATOM = b"\0\0\0\x08free"


@pytest.fixture(scope="module")
def short(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return clips.write(tmp_path_factory.mktemp("short") / "a.mp4", 10).read_bytes()


def hmdb51(root: Path, content: bytes, classes: int = 51) -> Path:
    """With the official counts, of one short video."""
    lists = root / "splits"
    lists.mkdir(parents=True)
    for c in range(classes):
        name = f"act_{c}"
        (root / "hmdb51_org" / name).mkdir(parents=True)
        rows = []
        for number in range(100):
            item = f"film{number}_{name}_goo_{number}.avi"
            (root / "hmdb51_org" / name / item).write_bytes(content)
            rows.append(f"{item} {1 if number < 70 else 2}")
        (lists / f"{name}_test_split1.txt").write_text("\n".join(rows))
    return root


def check(cli: Call, *args: object) -> tuple[int, dict[str, Any]]:
    ended = cli("data", "check", *args, "--json")
    return ended.code, json.loads(ended.out)


def test_all_is_well(cli: Call, tmp_path: Path, short: bytes) -> None:
    root = hmdb51(tmp_path / "hmdb", short)
    code, found = check(cli, "hmdb51", root, "--sample", 1)  # two would be the same video
    assert code == 0, found["problems"]
    assert found["problems"] == found["remarks"] == []
    assert found["classes"] == 51
    assert found["splits"]["train"]["there"] == 3570
    assert found["splits"]["test"]["per_class"]["act 7"] == 30
    assert (found["sampled"], found["not_checked"]) == (1, 5099)
    assert "Kuehne" in found["source"]
    ended = cli("data", "check", "hmdb51", root, "--sample", 0)
    assert ended.code == 0
    assert "train: 3570 items, 70 to 70 per class" in ended.out
    assert ended.out.endswith("no problems were found\n")


def test_what_is_missing_and_damaged_is_counted_and_named(
    cli: Call, tmp_path: Path, short: bytes
) -> None:
    root = hmdb51(tmp_path / "hmdb", short, classes=2)
    videos = root / "hmdb51_org"
    (videos / "act_0" / "film3_act_0_goo_3.avi").unlink()
    (videos / "act_1" / "film80_act_1_goo_80.avi").write_bytes(short[:500])
    code, found = check(cli, "hmdb51", root, "--sample", 1000)
    assert code == 1
    assert found["splits"]["train"]["missing"] == 1
    assert found["splits"]["train"]["per_class"] == {"act 0": 69, "act 1": 70}
    assert list(found["unreadable"]) == ["act_1/film80_act_1_goo_80.avi"]
    problems = "\n".join(found["problems"])
    for text in ("2 classes; officially 51", "train: 139 items; officially 3570",
                 "fewer than 70 items: act 0 69", "1 listed files are missing: act_0/film3",
                 "1 of 199 sampled files cannot be read"):  # fmt: skip
        assert text in problems
    ended = cli("data", "check", "hmdb51", root, "--sample", 1000)
    assert ended.code == 1
    assert "problem: 2 classes; officially 51" in ended.out
    assert "film80_act_1_goo_80.avi" in ended.out


def test_a_data_set_of_your_own(cli: Call, pictures: Path) -> None:
    paint(pictures, {"test/red_car/0.png": (9, 9, 9), "test/blue_boat/0.png": (8, 8, 8)})
    code, found = check(cli, f"folder:{pictures}")
    assert code == 0
    assert found["source"] is None
    assert found["splits"]["train"]["per_class"] == {"blue boat": 2, "red car": 2}
    (pictures / "test/red_car/0.png").write_bytes(b"no picture")
    code, found = check(cli, f"{{name: 'folder:{pictures}', max_corrupt: 0}}")
    assert code == 1
    assert list(found["unreadable"]) == ["test/red_car/0.png"]


def test_the_same_picture_in_training_and_test_or_under_two_classes(
    cli: Call, tmp_path: Path
) -> None:
    paint(tmp_path / "p", {
        "train/oak/1.png": (200, 0, 0), "train/elm/1.png": (0, 0, 200),
        "train/elm/2.png": (1, 2, 3), "test/oak/1.bmp": (200, 0, 0),
        "test/elm/1.png": (0, 0, 201), "test/oak/2.png": (1, 2, 3),
    })  # fmt: skip
    code, found = check(cli, f"folder:{tmp_path / 'p'}")
    assert code == 1
    assert (found["sampled"], found["not_checked"]) == (6, 0)
    assert found["overlap"]["train_test"]["count"] == 2
    assert found["overlap"]["two_classes"] == {
        "count": 1,
        "pairs": [[{"item": "train/elm/2.png", "class": "elm"},
                   {"item": "test/oak/2.png", "class": "oak"}]],
    }  # fmt: skip
    assert found["problems"] == [
        "test items that are training items as well: 2 (train/oak/1.png = test/oak/1.bmp, "
        "train/elm/2.png (elm) = test/oak/2.png (oak))",
        "items whose content is under two classes: 1 "
        "(train/elm/2.png (elm) = test/oak/2.png (oak))",
    ]
    ended = cli("data", "check", f"folder:{tmp_path / 'p'}", "--sample", 2)
    assert "read: 2 sampled files, 0 cannot be read; 4 others were not checked" in ended.out
    assert "read: 2 of 2" in ended.err


def test_the_same_video_and_equal_features(cli: Call, tmp_path: Path, short: bytes) -> None:
    for name, end in (("train/hop/a", 1), ("train/run/b", 2), ("test/hop/c", 1), ("test/run/d", 3)):
        path = tmp_path / "clips" / f"{name}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(short + bytes(FREE_ATOM * end))
    code, found = check(cli, f"video:{tmp_path / 'clips'}")
    assert code == 1
    assert found["problems"] == [
        "test items that are training items as well: 1 (train/hop/a.mp4 = test/hop/c.mp4)"
    ]
    features_NF = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    features_NF[3] = features_NF[0]
    np.savez(tmp_path / "f.npz", features=features_NF, labels=["a", "b", "a", "b"],
             split=["train", "train", "test", "test"])  # fmt: skip
    code, found = check(cli, f"features:{tmp_path / 'f.npz'}")
    assert code == 1
    assert found["overlap"]["train_test"]["count"] == 1
    assert found["overlap"]["two_classes"]["count"] == 1


def test_the_embedded_clips(cli: Call) -> None:
    code, found = check(cli, "{name: emoji_motion, objects: 2, motions: left}", "--sample", 3)
    assert code == 0
    assert found["splits"]["test"]["listed"] == 8


def test_one_class_alone_is_a_problem(cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    """`grid` refuses it."""
    paint(tmp_path / "p", {"train/oak/1.png": (1, 2, 3), "test/oak/1.png": (1, 2, 4)})
    data = f"folder:{tmp_path / 'p'}"
    code, found = check(cli, data)
    assert (code, found["problems"]) == (
        1, ["'oak' is the only class: the accuracy would always be 100"]
    )  # fmt: skip
    ran = cli("grid", tiny(dataset=data, classes={}, shots=1))
    assert ran.code == 2
    assert "'oak' is the only class that is tested" in ran.err


def test_precomputed_features_are_no_files_to_read(cli: Call, tmp_path: Path) -> None:
    path = npz(tmp_path)
    code, found = check(cli, f"features:{path}")
    assert code == 0
    assert (found["sampled"], found["unreadable"], found["problems"]) == (0, {}, [])
    assert found["splits"]["test"]["listed"] == 6
    assert cli("data", "check", f"features:{path}").out.endswith("no problems were found\n")


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["Train/oak/1.png", "Train/elm/1.png", "Test/oak/1.png", "Test/elm/1.png"], ""),
        (
            [f"flowers/{use}/{tree}/1.png" for use in ("train", "test") for tree in ("oak", "elm")],
            "holds one folder, flowers/",
        ),
        (["train/oak/1.png", "train/elm/1.png"], "no split 'test'"),
        (["flowers/oak/1.png", "flowers/elm/1.png"], "hold folders in place of pictures"),
    ],
)
def test_the_check_and_grid_agree_on_a_layout(
    cli: Call, tiny: WriteTask, tmp_path: Path, paths: list[str], said: str
) -> None:
    paint(tmp_path / "data", {path: (n, 3 * n, 200) for n, path in enumerate(paths)})
    data = f"folder:{tmp_path / 'data'}"
    checked = cli("data", "check", data)
    ran = cli("grid", tiny(dataset=data, classes={}, shots=1))
    assert said in checked.out + checked.err
    assert (checked.code == 0) == (ran.code == 0)
    assert (ran.code == 2) == (len(ran.errors()) == 1)
    if checked.code:
        assert said in ran.err


def test_imagenet_is_class_folders(cli: Call, pictures: Path) -> None:
    (pictures / "test").rename(pictures / "val")
    code, found = check(cli, "imagenet", pictures)
    assert code == 1
    assert found["dataset"] == {"name": f"folder:{pictures}", "test": "val"}
    assert "2 classes; officially 1000" in found["problems"]


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["ucf101"], "PATH is missing"), (["ucf11", "x"], "Did you mean 'ucf101'"),
        (["ucf101", "nowhere"], "there is no folder"), (["folder:nowhere"], "there is no folder"),
        (["{name: 3}"], "must be a name"), (["{a: ["], "NAME"), (["emojy"], "Did you mean 'emoji'"),
        (["emoji", "--sample", "-1"], "sample"), (["ucf101", "."], "no file classInd.txt"),
    ],
)  # fmt: skip
def test_bad_input(cli: Call, tmp_path: Path, args: list[str], said: str) -> None:
    ended = cli("data", "check", *args)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert len(ended.errors()) == 1


def test_clips_that_vanish_are_a_remark() -> None:
    """Kinetics loses clips; more than there should be is a problem all the same."""
    known = official()["kinetics400"]
    per_class = {f"c{n}": 260 for n in range(400)}
    counts = {
        "train": Count(400 * 260, 0, per_class),
        "test": Count(19_800, 0, dict.fromkeys(per_class, 50) | {"c0": 49}),
    }
    problems, remarks = differences(counts, known, 1)
    assert problems == []
    assert remarks == ["test: 19800 items; officially 20000",
                       "test: 1 classes have fewer than 50 items: c0 49"]  # fmt: skip
    counts["test"] = Count(20_001, 0, dict.fromkeys(per_class, 50) | {"c0": 51})
    problems, _ = differences(counts, known, 1)
    assert problems == ["test: 20001 items; officially 20000",
                        "test: 1 classes have more than 50 items: c0 51"]  # fmt: skip


def test_the_official_counts_agree_with_each_other() -> None:
    known = official()
    assert set(known) == {"kinetics400", "ucf101", "hmdb51", "imagenet"}
    for entry in known.values():
        for split in entry["splits"].values():
            for use, (low, high) in entry["per_class"].items():
                if split[use] is not None:
                    assert low * entry["classes"] <= split[use] <= high * entry["classes"]
    assert [sum(s.values()) for s in known["ucf101"]["splits"].values()] == [13320] * 3


def test_tar_shards_are_checked(tmp_path: Path, cli: Call) -> None:
    root = shards.data_set(tmp_path / "d")
    ended = cli("data", "check", f"webdataset:{root}", "--json")
    document = json.loads(ended.out)
    assert (ended.code, document["problems"]) == (0, [])
    assert document["splits"]["train"]["per_class"] == {"red cat": 5, "red dog": 5}
    assert document["sampled"] == 14
    twice = shards.samples(100, 4) | {"s0101.png": shards.png(1)}
    shards.write(root / "test" / "0.tar", twice)
    ended = cli("data", "check", f"{{name: 'webdataset:{root}'}}")
    assert ended.code == 1
    assert "test items that are training items as well: 1" in ended.out
    (root / "test" / "0.tar").write_bytes(b"")
    ended = cli("data", "check", f"webdataset:{root}")
    assert (ended.code, "is empty" in ended.err) == (2, True)
