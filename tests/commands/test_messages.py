"""Messages go to standard error, and while a grid runs to the log of its task as well."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from conftest import TINY

from harness.commands._messages import logged, say
from harness.core.errors import OutputError
from harness.study import Study, open_study


@pytest.fixture
def study(tmp_path: Path) -> Study:
    return open_study(TINY, runs=tmp_path / "runs")


def test_messages_leave_standard_output_alone(capsys: pytest.CaptureFixture[str]) -> None:
    say("two", 2)
    assert capsys.readouterr() == ("", "two 2\n")


def test_the_log_keeps_what_is_said_under_the_command_without_bars(
    study: Study, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(2):
        with logged(study):
            say("said", number)
            sys.stderr.write("\x1b[2K a bar")
            assert not sys.stderr.isatty(), "the stream is asked"
    say("afterwards")
    shown = capsys.readouterr().err
    assert "said 0" in shown
    assert "a bar" in shown
    log = (tmp_path / "runs/logs/tiny.log").read_text(encoding="utf-8").splitlines()
    assert log[1::2] == ["said 0", "said 1"]
    assert all(line.startswith("--- ") and study.command in line for line in log[::2])
    assert len(log) == 4


def test_a_log_that_cannot_be_written(study: Study, tmp_path: Path) -> None:
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/logs").write_text("a file", encoding="utf-8")
    with pytest.raises(OutputError, match="logs"), logged(study):
        pass
