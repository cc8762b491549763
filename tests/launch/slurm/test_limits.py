"""What SLURM says of its limits, and what is assumed where it does not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.launch.slurm.limits import Limits, ask_limits
from harness.launch.slurm.profile import Profile


def asked(**keys: Any) -> Limits:
    return ask_limits(Profile.model_validate(keys))


@pytest.mark.parametrize(("size", "array"), [(1001, 1001), (100_000, 100_000), (11, 11), (0, 1)])
def test_the_length_of_an_array(fake_slurm: Any, size: int, array: int) -> None:
    fake_slurm.answer("config", "MaxArrayTasks = 3", f"MaxArraySize            = {size}")
    assert asked() == Limits(array)


def test_the_jobs_of_a_user(fake_slurm: Any) -> None:
    fake_slurm.answer("config", "MaxArraySize = 1001", "MaxJobCount = 10000")
    assert asked() == Limits(1001, 10_000)
    fake_slurm.answer("limits_of_association", "vision||400", "speech||30", "vision|gpu|90")
    assert asked(account="vision").jobs == 400
    assert asked(account="vision", partition="gpu").jobs == 90
    assert asked().jobs == 30, "the account that SLURM takes is not known"
    assert asked(account="other").jobs == 10_000
    fake_slurm.answer("limits_of_qos", "20")
    assert asked(account="vision").jobs == 400
    assert asked(account="vision", qos="short").wanted == 20
    fake_slurm.answer("limits_of_qos", "")
    assert asked(account="vision", qos="short").jobs == 400


def test_a_cluster_without_accounts(fake_slurm: Any) -> None:
    (fake_slurm.folder / "bin" / "sacctmgr").write_text("#!/bin/sh\necho no database >&2\nexit 1\n")
    assert asked(qos="short") == Limits(1001, 10_000)


def test_what_is_not_said_is_assumed(fake_slurm: Any, tmp_path: Path) -> None:
    fake_slurm.answer("config", "SLURM_VERSION = 99")
    assert asked() == Limits(
        notes=(
            "SLURM's MaxArraySize is not known (scontrol names no MaxArraySize): 1,000 is assumed",
        )
    )
    (fake_slurm.folder / "bin" / "scontrol").write_text("#!/bin/sh\necho down >&2\nexit 1\n")
    (note,) = asked().notes
    assert note == "SLURM's MaxArraySize is not known (scontrol: down): 1,000 is assumed"
