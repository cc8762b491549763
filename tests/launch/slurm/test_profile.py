"""Profiles: every key reaches sbatch, what is wrong is reported, the page explains every key."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from harness.cli import parser
from harness.core.errors import BadInput
from harness.launch.slurm.profile import (
    Profile,
    profiles,
    profiles_folder,
    read_profile,
    sbatch_options,
    sbatch_parameters,
)


def write(tmp_path: Path, text: str) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(text)
    return str(path)


def test_every_key_reaches_sbatch(tmp_path: Path) -> None:
    text = """
    partition: gpu
    account: lab
    qos: normal
    constraint: a100&nvlink
    nodes: 2
    tasks_per_node: 4
    cpus: 8
    gpus: 4
    gpu_type: a100
    memory: 64G
    time: "1-02:30:00"
    grace: 120
    requeue: false
    sbatch: {mail-type: END, exclusive: true, hold: false}
    """
    named = read_profile(write(tmp_path, text))
    assert named.file.endswith("mine.yaml")
    assert sbatch_options(named.profile) == {
        "partition": "gpu", "account": "lab", "qos": "normal", "constraint": "'a100&nvlink'",
        "nodes": "2", "ntasks-per-node": "4", "cpus-per-task": "8", "gpus-per-node": "a100:4",
        "mem": "64G", "time": "1590", "signal": "USR2@120", "no-requeue": "yes",
        "mail-type": "END", "exclusive": "yes",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("90m", 90), ("4h", 240), ("2d", 2880), ("'04:00:00'", 240), ("'00:00:30'", 1),
     ("'12:00:00'", 720), ("1-00:00:00", 1440)],
)  # fmt: skip
def test_times(tmp_path: Path, text: str, minutes: int) -> None:
    assert read_profile(write(tmp_path, f"time: {text}")).profile.time == minutes


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("memori: 3G", ("memori", "no such key", "Did you mean 'memory'?")),
        ("memory: 3", ("memory: 3", "16G")),
        ("memory: 16GB", ("'16GB'", "16G")),
        ("time: 12:00:00", ("line 1: 12:00:00", "in quotes")),
        ("time: 43200", ("time: 43200", "in quotes")),
        ("time: 0m", ("time", "a minute or more")),
        ("cpus: 0", ("cpus: 0", "greater than 0")),
        ("gpus: two", ("gpus: 'two'", "integer")),
        ("partition: a b", ("partition", "'a b'")),
        ("setup: module load cuda", ("setup", "list")),
        ("environment: {A B: c}", ("environment.A B",)),
        ("environment: {A: 1}", ("environment.A: 1", "string")),
        ("sbatch: {--mem: 3}", ("sbatch.--mem",)),
        ("- 1", ("mapping",)),
    ],
)
def test_what_is_wrong_is_reported(tmp_path: Path, text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(BadInput) as caught:
        read_profile(write(tmp_path, text))
    assert "\n" not in str(caught.value)
    for word in ("mine.yaml", *words):
        assert word in str(caught.value)


def test_cells_that_a_batch_trains_at_once() -> None:
    assert Profile(cpus=4).threads == 4
    assert Profile(cpus=8, gpus=1).threads == 1
    assert Profile(cpus=4, tasks_per_node=2).threads == Profile(cpus=4, nodes=2).threads == 1


def test_variables_and_setup_come_before_python() -> None:
    profile = Profile(environment={"A": "b c"}, setup=["module load x"])
    parameters = sbatch_parameters(profile, "few-a", ["export PYTHONSAFEPATH=1"])
    assert parameters["setup"] == ["export A='b c'", "module load x", "export PYTHONSAFEPATH=1"]
    assert parameters["job_name"] == "few-a"
    assert parameters["partition"] is None, "the cluster has a default"


def test_changes_on_the_command_line(tmp_path: Path) -> None:
    file = write(tmp_path, "partition: gpu\ncpus: 2")
    changes = ["partition=low", "cpus=4", "environment.A=b c", "sbatch.mail-type=END"]
    profile = read_profile(file, changes).profile
    assert (profile.partition, profile.cpus) == ("low", 4)
    assert profile.environment == {"A": "b c"}
    assert profile.sbatch == {"mail-type": "END"}
    for change, word in (("partition", "key=value"), ("cpus.x=1", "no keys"), ("cpu=1", "'cpus'")):
        with pytest.raises(BadInput, match=word):
            read_profile(file, [change])


def test_profiles_of_the_repository() -> None:
    assert set(profiles()) >= {"a100", "cpu", "test"}
    for name in profiles():
        assert isinstance(read_profile(name).profile, Profile)
    with pytest.raises(BadInput, match="Did you mean 'a100'"):
        read_profile("a10")


def page() -> str:
    return (profiles_folder() / "README.md").read_text(encoding="utf-8")


def test_every_key_is_explained() -> None:
    table = page().split("## Profiles")[1].split("\n## ")[0]
    first_cells = re.findall(r"^\| (`.+?`) \|", table, re.MULTILINE)
    explained = {key for cell in first_cells for key in re.findall(r"`(\w+)`", cell)}
    assert explained == set(Profile.model_fields)


def test_every_command_of_the_page_is_accepted() -> None:
    lines = re.findall(r"^python -m harness (.+)$", page(), re.MULTILINE)
    assert len(lines) > 4
    for line in lines:
        args, rest = parser().parse_known_args(shlex.split(line, comments=True))
        assert rest == []
        if getattr(args, "profile", None):
            assert args.profile in profiles()
