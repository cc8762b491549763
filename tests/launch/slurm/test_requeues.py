"""Trainings that are longer than a job."""

from __future__ import annotations

from typing import Any

import pytest

from harness.launch.slurm.layout import forecast, lay_out
from harness.launch.slurm.profile import NamedProfile, Profile
from harness.launch.slurm.requeues import jobs_of, note_on_requeues

from ..examples import invented

HOUR = 3600.0


def profile(**keys: Any) -> Profile:
    return Profile.model_validate({"time": "12h", **keys})


def test_a_job_starts_and_saves_before_it_ends() -> None:
    """Of 12 h it trains all but 10 s to start and 90 s of grace."""
    each = 12 * HOUR - 100
    assert jobs_of(each, profile()) == 1
    assert jobs_of(each + 1, profile()) == 2
    assert jobs_of(144 * HOUR, profile()) == 13
    assert jobs_of(100.0, profile(time="1m")) == 4, "half of a job at least"


def test_one_sentence() -> None:
    assert note_on_requeues([5 * HOUR, 60.0], profile()) is None
    assert note_on_requeues([24 * HOUR, 60.0], profile()) == (
        "1 batch has a training longer than the 12 h of a job (the longest takes about 24 h): it "
        "goes on from checkpoints over 3 jobs, one after the other"
    )
    many = note_on_requeues([144 * HOUR, 60 * HOUR], profile())
    assert many is not None
    assert many.startswith("2 batches have a training longer than the 12 h")
    assert many.endswith("over 13 jobs, one after the other, which is more than timeouts=10 "
                         "allows: raise it")  # fmt: skip
    assert note_on_requeues([144 * HOUR], profile(timeouts=12)) is not None
    once = note_on_requeues([24 * HOUR], profile(requeue=False))
    assert once is not None
    assert once.endswith("but the profile does not requeue: set requeue=true")


def test_a_plan_says_so() -> None:
    settings = NamedProfile(profile(gpus=1), "p.yaml")
    layout = lay_out(invented(2), settings, lambda cell: 24 * HOUR)
    assert [batch.longest for batch in layout.batches] == [24 * HOUR] * 2
    lines = forecast(layout, 48 * HOUR).lines
    assert sum("goes on from checkpoints over 3 jobs" in line for line in lines) == 1
    assert not any("may not end within the time limit" in line for line in lines)


@pytest.mark.parametrize("cpus", [1, 8])
def test_a_training_is_not_divided_over_threads(cpus: int) -> None:
    settings = NamedProfile(profile(cpus=cpus), "p.yaml")
    layout = lay_out(invented(1), settings, lambda cell: 24 * HOUR)
    assert layout.seconds(layout.batches[0]) == pytest.approx(24 * HOUR + 10)
