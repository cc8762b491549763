"""coop: what CoOp's split files say, and what is said of those that are wrong."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import plan_of

from harness.core.cells import Choice
from harness.core.errors import DataError
from harness.data import coop
from harness.data._image_files import ImageFiles
from harness.sampling.sets import draw_support, draw_test
from tests.sampling.equal_pictures import duplicates

from . import sources
from .sources import NAMES


def read(where: Path | str, **options: Any) -> ImageFiles:
    return coop.open_dataset(str(where), coop.Options(**options))


def look_at(where: Path, **options: Any) -> None:
    """Open it and read every training picture."""
    data = read(where, **options)
    for item in data.train.ids:
        data.image(item)


SPLIT_FILES = [name for name, layout in coop._layout().items() if "split" in layout]


def test_the_eleven() -> None:
    assert len(coop._layout()) == 11
    assert len(SPLIT_FILES) == 9


@pytest.mark.parametrize("name", SPLIT_FILES)
def test_a_split_file(name: str, tmp_path: Path) -> None:
    data = read(sources.coop(tmp_path, name))
    assert data.classes == ("red car", "blue boat", "green bus")  # in the order of the labels
    assert (len(data.train.ids), len(data.test.ids), len(data.val.ids)) == (9, 6, 1)
    assert "'val'" in data.notes[0]
    assert data.notes[0].endswith(": 1.")
    assert list(data.part("base")) == [0, 1]
    assert list(data.part("new")) == [2]
    assert data.image(data.test.ids[0]).size == (24, 24)
    assert read(tmp_path, dataset=name).manifest == data.manifest


def test_val_changes_no_manifest_and_needs_no_picture(tmp_path: Path) -> None:
    sources.coop(tmp_path / "a")
    sources.coop(tmp_path / "b", val=[])
    found = [read(tmp_path / each / "oxford_pets") for each in "ab"]
    assert found[0].manifest == found[1].manifest
    assert found[1].notes == ()


def test_aircraft_is_read_from_its_lists(tmp_path: Path) -> None:
    root = tmp_path / "fgvc_aircraft"
    (root / "images").mkdir(parents=True)
    names = ("A 300/B4", "707-320", "Spitfire")
    (root / "variants.txt").write_text("\n".join(names) + "\n")
    for split in ("train", "val", "test"):
        lines = []
        for c, n in sources.rows(split):
            (root / f"images/{split}{c}{n}.jpg").write_bytes(sources.encoded(c, n))
            lines.append(f"{split}{c}{n} {names[c]}\n")
        (root / f"images_variant_{split}.txt").write_text("".join(lines))
    data = read(root)
    assert data.classes == names
    assert data.train.labels.tolist() == [0, 1, 2] * 3
    (root / "images_variant_val.txt").write_text("1 Spitfir\n")
    with pytest.raises(DataError, match=r"variants.txt does not name the class 'Spitfir'"):
        read(root)


def test_imagenet_is_read_from_its_folders(tmp_path: Path) -> None:
    root = tmp_path / "imagenet"
    for split, source in (("train", "train"), ("test", "val")):
        for c, n in sources.rows(split):
            path = root / "images" / source / f"n0{c}" / f"{n}.JPEG"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(sources.encoded(c, n))
    (root / "classnames.txt").write_text("n00 great white shark\nn01 tench\nn02 crane bird\n")
    data = read(root)
    assert data.classes == ("great white shark", "tench", "crane bird")
    assert (len(data.train.ids), len(data.test.ids)) == (9, 6)
    (root / "classnames.txt").write_text("n00 great white shark\nn01 tench\n")
    with pytest.raises(DataError, match=r"has no name for the folder .*n02"):
        read(root)


def _rewrite(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    def spoil(root: Path) -> None:
        path = root / "split_zhou_OxfordPets.json"
        data = json.loads(path.read_text())
        change(data)
        path.write_text(json.dumps(data))

    return spoil


def _raw(content: bytes) -> Callable[[Path], None]:
    return lambda root: (root / "split_zhou_OxfordPets.json").write_bytes(content) and None


def _remove_pictures(root: Path) -> None:
    for path in (root / "images" / "train").glob("1_*.png"):
        path.unlink()


def _spoil_pictures(root: Path) -> None:
    for path in (root / "images" / "train").glob("1_*.png"):
        path.write_bytes(b"no picture")


def _remove_split(root: Path) -> None:
    (root / "split_zhou_OxfordPets.json").unlink()


FILE = "split_zhou_OxfordPets.json"
BAD: list[tuple[str, Callable[[Path], None], dict[str, Any], tuple[str, ...]]] = [
    ("pictures", _remove_pictures, {},
     ("3 of the 15 pictures", FILE, "images/train/1_0.png", "images/train/1_2.png")),
    ("no-file", _remove_split, {}, ("no file", FILE, "DATASETS.md")),
    ("no-json", _raw(b"{"), {}, (FILE, "no JSON")),
    ("no-utf-8", _raw("{'Größe'".encode("latin-1")), {}, (FILE, "UTF-8")),
    ("a-list", _raw(b"[]"), {}, (FILE, "lists under train, val, test")),
    ("no-test", _rewrite(lambda d: d.pop("test")), {}, (FILE, "lists under train, val, test")),
    ("all-empty", _rewrite(lambda d: d.update(train=[], test=[])), {}, (FILE, "no picture")),
    ("short", _rewrite(lambda d: d["test"].append(["x.png", 1])), {},
     ("test, entry 6", "[path, label, class name]", '["x.png", 1]')),
    ("label", _rewrite(lambda d: d["test"].append(["x.png", "1", "a"])), {}, ("test, entry 6",)),
    ("truth", _rewrite(lambda d: d["test"].append(["x.png", True, "a"])), {}, ("test, entry 6",)),
    ("mixed", _rewrite(lambda d: d["test"].append(["x.png", 1, "cat"])), {},
     ("label 1 is 'cat' here and 'blue_boat' before",)),
    ("duplicates", _rewrite(lambda d: d["val"].append(["x.png", 3, "Red car"])), {},
     ("duplicate class names", "'red car'", "'Red car'")),
    ("outside", _rewrite(lambda d: d["test"].append(["../../x.png", 1, NAMES[1]])), {},
     ("leaves the folder",)),
    ("twice", _rewrite(lambda d: d["test"].append(d["test"][0])), {}, ("1 pictures more than",)),
    ("corrupt", _spoil_pictures, {}, ("1_", "3 of the 15 pictures of coop:oxford_pets")),
    ("too-corrupt", _spoil_pictures, {"max_corrupt": 2}, ("3 of the 15", "max_corrupt: 2")),
]  # fmt: skip


@pytest.mark.parametrize(
    ("spoil", "options", "says"), [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_what_is_wrong_is_one_sentence(
    spoil: Callable[[Path], None], options: dict[str, Any], says: tuple[str, ...], tmp_path: Path
) -> None:
    spoil(sources.coop(tmp_path))
    with pytest.raises(DataError) as told:
        look_at(tmp_path, dataset="oxford_pets", **options)
    assert "\n" not in str(told.value)
    for word in says:
        assert word in str(told.value)


def test_every_bad_entry_is_told_in_one_go(tmp_path: Path) -> None:
    spoil = _rewrite(
        lambda d: (d["train"].append(["x.png", 1]), d["test"].append(["y.png", 1, "cat"]))
    )
    spoil(sources.coop(tmp_path))
    with pytest.raises(DataError) as told:
        look_at(tmp_path, dataset="oxford_pets")
    first, *lines = str(told.value).splitlines()
    assert first.endswith(f"{FILE}: 2 problems:")
    assert "train, entry 9 is not [path, label, class name]" in lines[0]
    assert "test, entry 6 (y.png): label 1 is 'cat' here and 'blue_boat' before" in lines[1]


@pytest.mark.parametrize(
    ("argument", "options", "reason"),
    [
        ("", {}, "needs a path"),
        ("{}/oxford_pet", {}, "none of CoOp's.*Did you mean 'oxford_pets'"),
        ("{}", {"dataset": "dtd2"}, "none of CoOp's.*Did you mean 'dtd'"),
        ("{}/dtd", {}, "there is no folder"),
        ("{}/nowhere/dtd", {}, "there is no folder .*nowhere"),
        ("{}/nowhere", {"dataset": "dtd"}, "there is no folder .*nowhere"),
    ],
)
def test_names_that_cannot_be(
    argument: str, options: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=reason):
        read(argument.format(tmp_path), **options)


def test_a_missing_folder_is_told_with_all_that_are_missing(tmp_path: Path) -> None:
    sources.coop(tmp_path)
    (tmp_path / "dtd").mkdir()
    with pytest.raises(DataError, match="there is no folder") as one:
        read(f"{tmp_path}/eurosat")
    told = str(one.value)
    assert "download 9 of the eleven as CoOp's DATASETS.md" in told
    assert told.count(str(tmp_path)) == 2 + 9
    assert f"{tmp_path}/ucf101" in told
    assert f"{tmp_path}/dtd" not in told
    with pytest.raises(DataError, match=r"there is no folder .*elsewhere: download the eleven"):
        read(f"{tmp_path}/elsewhere/eurosat")


def test_the_study_of_the_eleven_is_planned_where_the_data_are(tmp_path: Path) -> None:
    val = [[f"val/{c}.png", c, name] for c, name in enumerate(NAMES)]
    root = sources.coop(tmp_path, val=val)
    (root / "images" / "val").mkdir()
    for file, label, _ in val:
        (root / "images" / str(file)).write_bytes(sources.encoded(int(label), 9))
    changes = {"dataset": f"coop:{root}", "shots": [1, 2], "encoder": "embedded/lit-emoji"}
    plan = plan_of("coop11", tmp_path / "runs", **changes)
    assert plan.infeasible == []
    searched = [c.cell for c in plan.cells if c.cell.search]
    assert {(str(c.paradigm), c.shots, c.seed) for c in searched} == {
        ("vision_only", shots, seed) for shots in (1, 2) for seed in (1, 2, 3)
    }
    assert {c.cell.support for c in plan.cells if c.cell.recipe} == {Choice("coop")}


def test_support_sets_are_drawn_from_train(tmp_path: Path) -> None:
    data = read(sources.coop(tmp_path))
    support = draw_support(data, (0, 1, 2), 0, shots=2)
    assert np.bincount(support.labels).tolist() == [2, 2, 2]
    assert duplicates(data, support.items, draw_test(data, (0, 1, 2)).items) == []


def test_the_manifest_sees_the_split(tmp_path: Path) -> None:
    root = sources.coop(tmp_path)
    before = read(root).manifest
    path = root / "split_zhou_OxfordPets.json"
    data = json.loads(path.read_text())
    path.write_text(json.dumps(data | {"train": data["test"], "test": data["train"]}))
    assert read(root).manifest != before


def test_special_and_damaged_files_stay_in_the_list_that_is_drawn_from(tmp_path: Path) -> None:
    root = sources.coop(tmp_path)
    folder = root / "images" / "train"
    (folder / "0_0.png").unlink()
    os.mkfifo(folder / "0_0.png")
    (folder / "1_1.png").write_bytes(b"damaged")
    data = read(root, max_corrupt=2)
    whole = [f"images/train/{label}_{n}.png" for label, n in sources.rows("train")]
    assert list(data.listed("train").ids) == whole
    assert set(whole) - set(data.train.ids) == {"images/train/0_0.png", "images/train/1_1.png"}
    assert data.listed("val").ids == ("images/val/9.png",)


def test_lists_are_read_without_pictures(tmp_path: Path) -> None:
    root = sources.coop(tmp_path)
    data = read(root)
    shutil.rmtree(root / "images")
    listing = coop.read_listing(str(root), coop.Options())
    assert (listing.name, listing.classes) == ("oxford_pets", data.classes)
    assert listing.listed("train").ids == data.train.ids
    assert listing.listed("val").ids == data.listed("val").ids
