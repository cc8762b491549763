"""The study of a command's arguments: its task, folders and overrides, and how it is launched."""

from __future__ import annotations

import json
import signal
from argparse import Namespace
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import pytest
from conftest import Call, WriteTask, interruptible

from harness.commands import _progress
from harness.commands._studies import launch_options, study_of
from harness.core import hashes
from harness.core.errors import UnknownName
from harness.core.hashes import Read


@pytest.fixture
def args(tmp_path: Path) -> Namespace:
    return Namespace(
        runs=tmp_path / "runs", reports=tmp_path / "reports", embedded=False, overrides=[]
    )


def test_folders_and_overrides_are_those_of_the_command_line(
    args: Namespace, tiny: WriteTask
) -> None:
    args.overrides = ["seeds=1", "classifier=text"]
    path = tiny()
    study = study_of(args, path)
    assert (study.store.root, study.reports) == (args.runs, args.reports)
    assert [c.cell.seed for c in study.plan().cells] == [0]
    assert study.command == f"python -m harness grid {path} seeds=1 classifier=text"


def test_a_bare_name_is_the_task_as_it_was_run(args: Namespace, tiny: WriteTask) -> None:
    args.overrides = ["seeds=1"]
    study_of(args, tiny()).write_task()
    args.overrides = []
    again = study_of(args, "tiny", as_run=True)
    assert again.file == str(args.runs / "tiny" / "task.yaml")
    assert len(again.plan().cells) == 2
    with pytest.raises(UnknownName):
        study_of(args, "tiny")


def test_overrides_are_of_the_task_and_not_of_what_was_run(
    args: Namespace, tiny: WriteTask
) -> None:
    study_of(args, tiny()).write_task()
    args.overrides = ["seeds=1"]
    with pytest.raises(UnknownName, match="'tiny'"):
        study_of(args, "tiny", as_run=True)


def test_the_variant_on_embedded_data(args: Namespace, tiny: WriteTask) -> None:
    path = tiny(embedded={"relation": "same", "replace": {"seeds": 1}})
    args.embedded = True
    study = study_of(args, path)
    assert study.task.name == "tiny_embedded"
    assert len(study.plan().cells) == 2
    assert study.command.endswith("--embedded")
    study.write_task()
    again = study_of(args, "tiny", as_run=True)
    assert again.file == str(args.runs / "tiny_embedded" / "task.yaml")
    assert [c.key for c in again.plan().cells] == [c.key for c in study.plan().cells]


def test_launch_options() -> None:
    options = launch_options(Namespace(profile="cpu", changes=["cpus=2"], jobs=3))
    assert (options.profile, options.changes, options.jobs) == ("cpu", ["cpus=2"], 3)


# --- files that are hashed while a study is planned ----------------------------------------------


@pytest.fixture
def own(tiny: WriteTask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A task on 8 files of one's own; a second passes between two of them."""
    for label in ("oak", "elm"):
        (tmp_path / "own" / label).mkdir(parents=True)
        for n in range(4):
            (tmp_path / "own" / label / f"{n}.png").write_bytes(f"{tmp_path} {label} {n}".encode())
    seconds = count(100)
    monkeypatch.setattr(_progress, "time", SimpleNamespace(monotonic=lambda: next(seconds)))
    monkeypatch.setattr(hashes, "TOLD_SECONDS", 0.0)
    return tiny(
        dataset=f"folder:{tmp_path / 'own'}", regime="zero_shot", classifier="text",
        classes=None, shots=None, seeds=None, recipe=None,
    )  # fmt: skip


@pytest.mark.parametrize("command", ["plan", "status", "report", "cancel"])
def test_files_are_counted_once(command: str, own: str, cli: Call) -> None:
    first = cli(command, own)
    assert [line for line in first.err.splitlines() if "files:" in line] == [
        "files: 1 of 8 after 1 s, about 7 s left", "files: 8 of 8 after 8 s"
    ]  # fmt: skip
    assert "files:" not in cli(command, own).err


def test_json_stays_json(own: str, cli: Call) -> None:
    ended = cli("plan", own, "--json")
    assert json.loads(ended.out)["counts"]["waiting"] == 1
    opened, read = ended.err.index("folders of own: 2 of 2"), ended.err.index("files: 1 of 8")
    assert opened < read


def test_an_interrupted_plan_keeps_what_is_hashed(
    own: str, cli: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    update, read = _progress.Progress.update, []
    whole = hashes.read_file

    def until(progress: _progress.Progress, name: str, done: int, total: int) -> None:
        update(progress, name, done, total)
        if done == 5:
            signal.raise_signal(signal.SIGINT)

    def reading(path: Path) -> Read:
        read.append(path.name)
        return whole(path)

    monkeypatch.setattr(hashes, "AT_ONCE", 1)
    monkeypatch.setattr(_progress.Progress, "update", until)
    with interruptible():
        ended = cli("plan", own)
    assert (ended.code, ended.out) == (130, "")
    assert ended.errors() == []
    monkeypatch.setattr(_progress.Progress, "update", update)
    monkeypatch.setattr(hashes, "read_file", reading)
    again = cli("plan", own)
    assert (again.code, len(read)) == (0, 3)
    assert "files: 3 of 3" in again.err
