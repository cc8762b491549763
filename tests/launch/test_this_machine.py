"""Options of the launchers that run here: how many jobs, and the options of a cluster refused."""

from __future__ import annotations

import pytest
import torch

from harness.core import registry
from harness.core.errors import BadInput
from harness.core.protocols.launcher import Launcher, LaunchOptions
from harness.training.threads import cores

HERE = pytest.mark.parametrize("name", ["inline", "local"])


@HERE
def test_jobs_are_as_many_as_asked_for_or_as_cores(name: str) -> None:
    launcher = registry.load(Launcher, name)
    assert launcher.settings(LaunchOptions(jobs=3)) == 3
    assert launcher.settings(LaunchOptions()) == cores() > 0
    assert launcher.DETACHED is False


@HERE
@pytest.mark.parametrize(
    ("options", "option"),
    [
        (LaunchOptions(profile="p.yaml"), "--profile"),
        (LaunchOptions(changes=["cpus=2"]), "--set"),
        (LaunchOptions(profile="p.yaml", changes=["cpus=2"]), "--profile"),
    ],
)
def test_options_of_a_cluster_are_refused(name: str, options: LaunchOptions, option: str) -> None:
    with pytest.raises(BadInput) as caught:
        registry.load(Launcher, name).settings(options)
    assert str(caught.value) == f"{option} belongs to --launch slurm, not to --launch {name}"


@pytest.mark.parametrize(
    ("name", "gpus", "jobs", "expected", "told"),
    [
        ("local", 8, None, 8, ""), ("local", 8, 3, 3, ""),
        ("local", 2, 5, 2, "--jobs 5: a GPU computes one cell at a time, so 2 of them compute 2"),
        ("inline", 1, None, 1, ""), ("inline", 1, 4, 1, "--jobs 4: a GPU computes one cell at"),
        ("inline", 8, None, 1, "one of 8 GPUs is used, one cell at a time; --launch local uses"),
    ],
)  # fmt: skip
def test_a_gpu_computes_one_cell_at_a_time(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    name: str, gpus: int, jobs: int | None, expected: int, told: str,
) -> None:  # fmt: skip
    for variable in ("HARNESS_DEVICE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert registry.load(Launcher, name).settings(LaunchOptions(jobs=jobs)) == expected
    printed = capsys.readouterr().err
    assert printed.startswith(f"note: {told}") if told else not printed
