"""`data check` and a study agree on messy data sets: both take one, or both say why not."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import paint
from data import shards
from PIL import Image

from harness.cli import parser
from harness.commands import data as command
from harness.core.cells import Choice
from harness.core.errors import DataError
from harness.plan.catalogue import Catalogue

Make = Callable[[Path], None]


def folders(root: Path) -> None:
    places = [(s, c, n) for s in ("train", "test") for c in ("oak", "alder") for n in range(2)]
    paint(root, {f"{s}/{c}/{n}.png": (40 * len(c), 40 * n, len(s) * 9) for s, c, n in places})


def table(text: str, encoding: str = "utf-8") -> Make:
    def make(root: Path) -> None:
        folders(root)
        (root / "labels.csv").write_text(text, encoding=encoding)

    return make


def with_change(change: Make) -> Make:
    def make(root: Path) -> None:
        folders(root)
        change(root)

    return make


def animation(path: Path) -> None:
    white, black = Image.new("RGB", (8, 8), "white"), Image.new("RGB", (8, 8))
    white.save(path, save_all=True, append_images=[black])


def frames(said: int) -> Make:
    def make(root: Path) -> None:
        for name, red in (("v1", 0), ("v2", 99)):
            (root / name).mkdir(parents=True)
            for number in range(9):
                colour = (red, 20 * number, 0)
                Image.new("RGB", (8, 8), colour).save(root / name / f"{number}.png")
        (root / "test.txt").write_text(f"v1 9 0\nv2 {said} 1\n")
        (root / "labels.csv").write_text("id,name\n0,run\n1,hop\n")

    return make


def cut_frame(root: Path) -> None:
    frames(9)(root)
    path = root / "v2" / "0.png"
    path.write_bytes(path.read_bytes()[:-30])


def lists(test: str, train: str = "") -> Make:
    def make(root: Path) -> None:
        frames(9)(root)
        (root / "test.txt").write_text(test)
        if train:
            (root / "train.txt").write_text(train)

    return make


def shard(*members: tuple[str, bytes]) -> Make:
    """A good set of shards, and one more with these members."""

    def make(root: Path) -> None:
        shards.write(shards.data_set(root) / "test" / "1.tar", members)

    return make


ROWS = "train/oak/0.png,oak,train\ntrain/alder/0.png,alder,train\ntest/oak/0.png,oak,test\n" \
       "test/alder/0.png,alder,test\n"  # fmt: skip
HEAD = "path,label,split\n"

#: name -> (family, what it holds, what is said where it is refused)
CASES: dict[str, tuple[str, Make, str]] = {
    "class folders": ("folder", folders, ""),
    "semicolons": ("folder", table((HEAD + ROWS).replace(",", ";")), ""),
    "a byte-order mark": ("folder", table(HEAD + ROWS, "utf-8-sig"), ""),
    "UTF-16": ("folder", table(HEAD + ROWS, "utf-16"), "is in UTF-16"),
    "one file twice": ("folder", table(f"{HEAD}{ROWS}./test/oak/0.png,oak,train\n"),
                       "line 6: ./test/oak/0.png is listed twice, first in line 4"),
    "a blank label": ("folder", table(f"{HEAD}{ROWS}test/oak/1.png, ,test\n"), "line 6: the label"),
    "names of classes": ("folder", table("id,name\noak,Quercus\nalder,Alnus\n"), ""),
    "a name too few": ("folder", table("id,name\noak,Quercus\n"), "has no id alder"),
    "an empty class": ("folder", with_change(lambda r: (r / "test/elm").mkdir()), "'elm' is empty"),
    "an animation": (
        "folder", with_change(lambda r: animation(r / "test/oak/x.gif")), "has 2 frames",
    ),
    "a path of this machine": (
        "folder", table(f"{HEAD}{ROWS}/dev/null,oak,test\n"), "line 6: the path /dev/null must be",
    ),
    "a FIFO": ("folder", with_change(lambda r: os.mkfifo(r / "test/oak/x.png")), "(a FIFO)"),
    "a FIFO as table": ("folder", with_change(lambda r: os.mkfifo(r / "labels.csv")), "a FIFO"),
    "another encoding": (
        "folder", with_change(lambda r: paint(r, {"test/oak/\udcff.png": (1, 2, 3)})), "not UTF-8",
    ),
    "a picture of text": (
        "folder", with_change(lambda r: (r / "test/oak/x.png").write_text("x") and None), "x.png",
    ),
    "train alone": (
        "folder", with_change(lambda r: (r / "test").rename(r.parent / "t") and None), "no split",
    ),
    "shards": ("webdataset", lambda r: shards.data_set(r) and None, ""),
    "a number of no class": (
        "webdataset", shard(("a.png", shards.png(1)), ("a.cls", b"-1")), "has the label '-1'",
    ),
    "a sample without a label": (
        "webdataset", shard(("a.png", shards.png(1))), "sample a of ",
    ),
    "a shard of text": (
        "webdataset", lambda r: (shards.data_set(r) / "test/1.tar").write_text("x") and None,
        "1.tar is no whole tar archive",
    ),
    "a damaged picture in a shard": (
        "webdataset", shard(("a.png", b"x"), ("a.cls", b"1")), "picture test/1/a of ",
    ),
    "frames": ("video", frames(9), ""),
    "fewer frames than said": ("video", frames(10), "holds 9 frames; its list says 10"),
    "more frames than said": ("video", frames(8), "holds 9 frames; its list says 8"),
    "a cut frame": ("video", cut_frame, "0.png"),
    "an empty list": ("video", lists("", "v1 9 0\nv2 9 1\n"), "test.txt lists no video"),
    "a bad line": ("video", lists("v1 9 0\nv2 9 1\nv3\n"), "test.txt, line 3"),
    "no label of that number": ("video", lists("v1 9 0\nv2 9 7\n"), "no id 7, which test.txt, l"),
    "a video that is not there": ("video", lists("v1 9 0\nv9 9 1\n"), "v9"),
}  # fmt: skip


def refused(choice: Choice) -> str:
    """What a study says of a data set of which it uses all; '' if it takes it."""
    try:
        data = Catalogue().dataset(choice)
        for item in (*data.train.ids, *data.test.ids):
            data.fingerprint(item)
            data.image(item)
    except DataError as error:
        return str(error)
    return "" if data.test.ids else " ".join(data.notes)


@pytest.mark.parametrize("name", CASES)
def test_they_agree(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))
    family, make, says = CASES[name]
    make(tmp_path / "data")
    reference = f"{family}:{tmp_path / 'data'}"
    study = refused(Choice(reference))
    try:
        args = parser().parse_args(["data", "check", reference])
        code, said = command.run(args), ""
    except DataError as error:
        code, said = 2, str(error)
    said += capsys.readouterr().out
    assert bool(study) == bool(says), study
    assert bool(code) == bool(says), said
    assert says in study
    assert says in said


def test_all_problems_are_told_in_one_go(tmp_path: Path) -> None:
    rows = "".join(f"gone/{n}.png,oak,test\n" for n in range(25))
    table(f"{HEAD}{ROWS}{rows}test/oak/1.png,oak,tset\ntest/oak/1.png,,test\n")(tmp_path / "data")
    message = refused(Choice(f"folder:{tmp_path / 'data'}"))
    lines = message.split("\n")
    assert lines[0].endswith("27 problems:")
    assert sum("there is no file" in line for line in lines) == 20
    assert "  ... and 5 more" in lines
    assert "split 'tset'; allowed: train, test, val. Did you mean 'test'?" in message
    assert "line 32: the label is empty" in message


def test_groups_of_train_and_test_are_noted(tmp_path: Path) -> None:
    root = tmp_path / "data"
    rows = ROWS.replace("\n", ",a\n", 3).replace("alder,test\n", "alder,test,b\n")
    table(f"path,label,split,group\n{rows}")(root)
    data = Catalogue().dataset(Choice(f"folder:{root}"))
    assert data.notes == (f"Groups of folder:{root} that are in train and in test: 1 (a).",)
