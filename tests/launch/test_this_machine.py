"""Options of the launchers that run here: how many jobs, and the options of a cluster refused."""

from __future__ import annotations

import pytest

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
