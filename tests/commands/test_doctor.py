"""`doctor`: a line for everything that a first run needs, and exit code 2 if one is wrong."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import Call

from harness.commands import doctor
from harness.core.errors import DataError

CHECKS = ["python", "packages", "emoji", "encoder", "cores", "cache", "runs", "reports"]


def test_all_is_well(cli: Call, tmp_path: Path) -> None:
    ended = cli("doctor")
    assert (ended.code, ended.err) == (0, "")
    lines = [line.split(maxsplit=2) for line in ended.out.splitlines()]
    assert [name for _, name, _ in lines] == CHECKS
    assert {state for state, _, _ in lines} == {"ok"}
    assert "1268 classes" in ended.out
    assert "1280 -> 384" in ended.out
    assert "torch 2" in ended.out


def test_a_folder_that_cannot_be_written(cli: Call) -> None:
    ended = cli("doctor", "--runs", "/dev/null/runs")
    assert ended.code == 2
    wrong = [line for line in ended.out.splitlines() if line.startswith("WRONG")]
    assert len(wrong) == 1
    assert wrong[0].startswith("WRONG runs")
    assert "/dev/null/runs" in wrong[0]


@pytest.mark.parametrize(
    "error", [DataError("no drawings"), ImportError("no module"), OSError("no file")]
)
def test_what_goes_wrong_is_reported_and_the_rest_is_checked(
    error: Exception, cli: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_emoji", raising(error))
    ended = cli("doctor")
    assert ended.code == 2
    assert [line.split()[1] for line in ended.out.splitlines()] == CHECKS
    assert f"WRONG emoji     {error}\n" in ended.out


def raising(error: Exception) -> Callable[[], str]:
    def check() -> str:
        raise error

    return check
