"""`cache adopt`: what it takes over and says, and the note of plan and grid that leads to it."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest
from conftest import Call, Ended, WriteTask, records

from harness.data._own_files import OwnFiles

Old = tuple[str, Path]


@pytest.fixture
def old(
    pictures: Path, tiny: WriteTask, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Old:
    """A task, and the runs folder of a study from when keys held names and sizes."""
    path = tiny(dataset=f"folder:{pictures}", classes=None, save="last")
    with monkeypatch.context() as before:
        before.setattr(OwnFiles, "content", lambda self, used, progress=None: self.manifest)
        assert cli("grid", path).code == 0
    return path, tmp_path / "runs"


def said(ended: Ended) -> str:
    assert (ended.code, ended.err) == (0, "")
    return ended.out.strip()


def test_from_the_note_to_the_report(old: Old, cli: Call, pictures: Path) -> None:
    path, runs = old
    before = records(runs)
    note = (
        f"4 Records of this task are under the size-based key of folder:{pictures}, from before "
        "keys held the bytes; if the data have not changed since, "
        f"`python -m harness cache adopt {path}` takes them over; else they are run again"
    )
    planned = said(cli("plan", path))
    assert f"  note: {note}" in planned.splitlines()
    assert planned.startswith("tiny: 4 cells, 0 done, 0 failed, 4 to run")
    document = json.loads(said(cli("plan", path, "--json")))
    assert note in document["notes"]
    assert records(runs) == before, "a plan takes nothing over"

    command = note.split("`")[1].removeprefix("python -m harness ")
    assert said(cli(*shlex.split(command))) == "tiny: 4 Records were taken over"
    after = records(runs)
    keys = [cell["key"] for cell in document["cells"]]
    assert after.keys() == {*before, *keys}
    assert json.loads((runs / "tiny" / "keys.json").read_bytes()) == keys
    assert sorted(after[k]["environment"]["adopted_from"] for k in keys) == sorted(before)
    assert {p.parent.name for p in runs.glob("checkpoints/*/*")} == {
        r["train_key"] for r in after.values()
    }

    again = said(cli("plan", path))
    assert again.startswith("tiny: 4 cells, 4 done, 0 failed, 0 to run")
    assert "size-based" not in again
    grid = cli("grid", path)
    assert grid.code == 0
    assert "4 cells done, 0 failed, 0 missing" in grid.err
    assert records(runs) == after, "nothing ran"
    report = (runs.parent / "reports" / "tiny.md").read_text(encoding="utf-8")
    assert "- **Taken over:** the Records of 4 cells are from before keys held " in report


def test_a_second_time(old: Old, cli: Call) -> None:
    path, runs = old
    cli("cache", "adopt", path)
    before = records(runs)
    assert said(cli("cache", "adopt", path)) == (
        "tiny: nothing to take over: no cell without a Record in runs has one under a size-based "
        "key"
    )
    assert records(runs) == before


def test_overrides_and_another_runs_folder(old: Old, cli: Call) -> None:
    path, runs = old
    runs.rename(runs.with_name("my runs"))
    arguments = [path, "seeds=1", "classifier=text", "--runs", "my runs"]
    (note,) = (line for line in said(cli("plan", *arguments)).splitlines() if "size-based" in line)
    command = note.split("`")[1].removeprefix("python -m harness ")
    assert shlex.split(command) == ["cache", "adopt", *arguments]
    assert note.lstrip().startswith("note: 1 Record of this task is under ")
    assert said(cli(*shlex.split(command))) == "tiny: 1 Record was taken over"


def test_grid_says_it_and_runs(old: Old, cli: Call) -> None:
    path, runs = old
    ended = cli("grid", path)
    assert ended.code == 0
    assert "4 Records of this task are under the size-based key of folder:" in ended.err
    assert len(records(runs)) == 8
    assert said(cli("cache", "adopt", path)).startswith("tiny: nothing to take over")


def test_other_samples(old: Old, cli: Call) -> None:
    path, runs = old
    key, record = next(iter(records(runs).items()))
    file = runs / "cells" / key[:2] / f"{key}.json"
    file.write_text(json.dumps({**record, "test": "00" * 8}, indent=1))
    assert said(cli("cache", "adopt", path)).splitlines() == [
        "tiny: 3 Records were taken over",
        "tiny: 1 Record was not taken over, as the cell would be trained or tested on other "
        f"samples now: {key}",
    ]


def test_data_that_changed_in_size_have_no_earlier_record(
    old: Old, cli: Call, pictures: Path
) -> None:
    path, _ = old
    file = next(pictures.glob("train/*/*.png"))
    file.write_bytes(file.read_bytes() + b"more")
    assert "size-based" not in said(cli("plan", path))
    assert said(cli("cache", "adopt", path)).startswith("tiny: nothing to take over")


def test_an_empty_runs_folder(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert said(cli("cache", "adopt", tiny())).startswith("tiny: nothing to take over")
    assert not (tmp_path / "runs").exists()
