"""Studies on a researcher's own data: every form of pictures and videos, damage, and leakage."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, body, leftovers, paint, records
from data import sources

from harness.data import emoji_motion
from harness.data._video_writer import write_clips


def pictures(root: Path, kind: str) -> str:
    """The name of a data set in one of the forms that are read."""
    if kind == "coop":
        return f"coop:{sources.coop(root)}"
    write = {"parquet": sources.parquet, "saved": sources.saved, "folder": sources.class_folders}
    return f"{'folder' if kind == 'folder' else 'hf'}:{write[kind](root / kind)}"


@pytest.mark.parametrize("kind", ["folder", "parquet", "saved", "coop"])
def test_a_few_shot_grid(kind: str, cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    task = tiny(dataset=pictures(tmp_path, kind), classes={}, shots=2)
    assert cli("grid", task).code == 0
    found = records(tmp_path / "runs")
    assert len(found) == 4
    assert {r["status"] for r in found.values()} == {"done"}
    assert {r["n"] for r in found.values()} == {6}


@pytest.mark.parametrize("kind", ["coop", "hf"])
def test_damage_is_one_line_and_leaves_nothing_behind(
    kind: str, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    if kind == "coop":
        root = sources.coop(tmp_path)
        for path in (root / "images" / "train").glob("1_*.png"):
            path.write_bytes(b"no picture")
        dataset = f"coop:{root}"
    else:
        bad = {0: b"no picture", 1: b"", 2: sources.encoded(2, 0)[:200]}
        dataset = f"hf:{sources.parquet(tmp_path / 'd', pictures=bad)}"
    ended = cli("grid", tiny(dataset=dataset, classes={}, shots=3))
    assert ended.code == 2, ended
    (error,) = ended.errors()
    assert "Traceback" not in ended.err + ended.out
    assert f"3 of the 15 pictures of {dataset if kind == 'hf' else 'coop:oxford_pets'}" in error
    assert "max_corrupt" in error
    assert leftovers(tmp_path) == []


def test_corrupt_pictures_within_the_limit_are_left_out_and_named(
    cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    bad = {0: b"no picture", 1: b"", 2: sources.encoded(2, 0)[:200]}
    sources.parquet(tmp_path / "d", pictures=bad)
    dataset = {"name": f"hf:{tmp_path / 'd'}", "max_corrupt": 0.2}
    task = tiny(dataset=dataset, classes={}, shots=2, seeds=1)
    assert cli("grid", task).code == 0
    report = body(tmp_path / "reports" / "tiny.md")
    assert "3 of the 15 pictures" in report
    assert "train/000002" in report
    (support,) = (tmp_path / "runs" / "support").glob("*.json")
    assert not {f"train/{n:06d}" for n in range(3)} & set(json.loads(support.read_text())["items"])


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


# --- leakage -------------------------------------------------------------------------------------


def task(root: Path, tiny: WriteTask, **changes: Any) -> str:
    own = {"dataset": f"folder:{root}", "classes": None, "shots": None, "regime": "full"}
    written: str = tiny(**(own | changes))
    return written


@pytest.mark.parametrize("tuning", ["projection", "all"])
def test_pictures_trained_and_tested_on_are_counted(
    tmp_path: Path, tiny: WriteTask, cli: Call, tuning: str
) -> None:
    paint(tmp_path / "p", {
        "train/oak/1.png": (200, 0, 0), "train/elm/1.png": (0, 0, 200),
        "test/oak/1.png": (200, 0, 0), "test/oak/2.png": (200, 0, 0), "test/oak/3.png": (9, 0, 0),
        "test/elm/1.png": (0, 0, 201),
    })  # fmt: skip
    ended = cli("grid", task(tmp_path / "p", tiny, seeds=1, tuning=tuning))
    assert ended.code == 0, ended.err
    found = [record["diagnostics"]["twins"] for record in records(tmp_path / "runs").values()]
    assert found == [2] * len(found) != []
    (line,) = [line for line in ended.err.splitlines() if "support" in line]
    assert line.startswith("warning: ")
    assert "2 (test/oak/1.png, test/oak/2.png)" in line


def test_the_same_pixels_in_other_files_are_named_in_the_report(
    tmp_path: Path, tiny: WriteTask, cli: Call
) -> None:
    """Also by the second run, which finds the hashes beside the features."""
    root = tmp_path / "p"
    paint(root, {
        "train/oak/1.png": (200, 0, 0), "train/elm/1.png": (0, 0, 200),
        "test/oak/1.bmp": (200, 0, 0), "test/elm/1.png": (0, 0, 201), "test/oak/2.png": (7, 7, 7),
        "test/elm/2.bmp": (7, 7, 7),
    })  # fmt: skip
    said = (
        f"Test items of folder:{root} that are training items of folder:{root} as well, pixel for "
        "pixel: 1 (train/oak/1.png = test/oak/1.bmp)"
    )
    mixed = (
        f"Items of folder:{root} whose content is under two classes: "
        "1 (test/elm/2.bmp (elm) = test/oak/2.png (oak))"
    )
    for runs in ("one", "two"):
        ended = cli("grid", task(root, tiny, seeds=1), "--runs", runs, "--reports", runs)
        assert ended.code == 0, ended.err
        assert f"warning: {said}" in ended.err
        assert f"warning: {mixed}" in ended.err
        for record in records(tmp_path / runs).values():
            assert record["diagnostics"]["twins"] == 0
            assert record["warnings"] == [said, mixed]
        report = (tmp_path / runs / "tiny.md").read_text()
        assert f"{said} (2 cells)" in report.replace("\\", "")


def test_nothing_is_said_of_pictures_that_are_apart(
    tmp_path: Path, tiny: WriteTask, cli: Call
) -> None:
    paint(tmp_path / "p", {
        "train/oak/1.png": (200, 0, 0), "train/elm/1.png": (0, 0, 200),
        "test/oak/1.png": (201, 0, 0), "test/elm/1.png": (0, 0, 201),
    })  # fmt: skip
    ended = cli("grid", task(tmp_path / "p", tiny, seeds=1))
    assert ended.code == 0, ended.err
    assert {r["diagnostics"]["twins"] for r in records(tmp_path / "runs").values()} == {0}
    assert "warning" not in ended.err
