"""The study of a command's arguments: its task, folders and overrides, and how it is launched."""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path

import pytest
from conftest import WriteTask

from harness.commands._studies import launch_options, study_of
from harness.core.errors import UnknownName


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
