"""What a session tells beside results: notes, the log of a grid, the variant on embedded data."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest

from harness.commands._session import Session, logged, note_what_reads_oddly, open_session, say
from harness.core.errors import TaskError
from tests.conftest import WriteTask


@pytest.fixture
def opened(tmp_path: Path, tiny: WriteTask) -> Any:
    def call(*overrides: str, as_run: bool = False, task: str = "", **more: Any) -> Session:
        embedded = more.pop("embed", False)
        args = Namespace(
            task=task or tiny(**more), overrides=list(overrides), runs=tmp_path / "runs",
            reports=tmp_path / "reports", embedded=embedded,
        )  # fmt: skip
        return open_session(args, as_run=as_run)

    return call


@pytest.fixture
def notes(opened: Any, capsys: pytest.CaptureFixture[str]) -> Any:
    def call(*overrides: str, **more: Any) -> list[str]:
        session = opened(*overrides, **more)
        capsys.readouterr()
        note_what_reads_oddly(session)
        return capsys.readouterr().err.splitlines()

    return call


# --- notes ---------------------------------------------------------------------------------------


def test_a_plain_task_reads_well(notes: Any) -> None:
    assert notes() == []


@pytest.mark.parametrize(
    ("override", "note"),
    [
        (
            "exclude=[{classifier: lda}, {classifier: text, seed: 1}]",
            "exclude: {classifier: lda} matches no cell of this grid",
        ),
        ("gather=false", "gather: false applies to no cell of this task"),
        ("frames=8", "frames: 8 applies to no cell of this task"),
        ("schedule=[frozen, trained]", ""),
        ("loss=[kl, infonce]", "loss: infonce applies to no cell of this task"),
        ("report.reference=randm", "report.reference 'randm' is no row of this grid. Did you mean"),
        ("report.reference=random", ""),
    ],
)
def test_what_reads_oddly(notes: Any, override: str, note: str) -> None:
    told = notes(override)
    assert len(told) == bool(note)
    assert not note or told[0].startswith(f"note: {note}")


def test_values_that_exclude_takes_out_are_meant_so(notes: Any) -> None:
    assert notes("shots=[1, 2]", "exclude=[{shots: 2}]") == []


def test_rows_of_claims(notes: Any) -> None:
    claim = {"text": "x", "a": "text", "b": "randm", "direction": ">"}
    assert notes(claims=[claim | {"b": "random"}]) == []
    [note] = notes(claims=[claim])
    assert note.startswith("note: claims 1, b 'randm' is no row of this grid. Did you mean")


def test_axes_of_claims(opened: Any) -> None:
    claim = {"text": "x", "a": "text", "b": "random", "direction": ">", "where": {"shot": 1}}
    with pytest.raises(TaskError, match=r"claims\.where: shot: there is no such axis"):
        opened(claims=[claim])


# --- log -----------------------------------------------------------------------------------------


def test_what_is_told_is_kept(
    opened: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = opened()
    for number in range(2):
        with logged(session):
            say("told", number)
            sys.stderr.write("\x1b[2K a bar")
            assert not sys.stderr.isatty()
    said = capsys.readouterr().err
    assert "told 0" in said
    assert "a bar" in said
    log = (tmp_path / "runs/logs/tiny.log").read_text(encoding="utf-8").splitlines()
    assert log[1::2] == ["told 0", "told 1"]
    assert all(line.startswith("--- ") and "harness grid" in line for line in log[::2])


def test_a_log_that_cannot_be_written(opened: Any, tmp_path: Path) -> None:
    from harness.core.errors import OutputError

    (tmp_path / "runs").mkdir()
    (tmp_path / "runs/logs").write_text("in the way", encoding="utf-8")
    with pytest.raises(OutputError, match="logs"), logged(opened()):
        pass


# --- embedded ------------------------------------------------------------------------------------


def test_the_variant_is_opened_and_found_again(opened: Any, tmp_path: Path) -> None:
    variant = {"relation": "same", "replace": {"seeds": 1}}
    session = opened(embed=True, **{"embedded": variant})
    assert session.task.name == "tiny_embedded"
    assert len(session.plan.cells) == 2
    assert session.command.endswith("--embedded")
    session.write_task()
    again = opened(task="tiny", as_run=True, embed=True)
    assert again.file == tmp_path / "runs/tiny_embedded/task.yaml"
    assert [p.key for p in again.plan.cells] == [p.key for p in session.plan.cells]
