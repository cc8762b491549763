"""`cancel`: the jobs of a task are cancelled in every launcher; Records are kept."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import pytest
from conftest import Call, WriteTask, plan_of, records

from harness.core.errors import BadInput
from harness.core.protocols.launcher import Cancelled
from harness.core.store import Store


@pytest.fixture
def cancels(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[tuple[Path, set[str], str]]]:
    """Set what launchers have cancelled, or why they refuse. Returns a list: how they are asked."""

    def give(answer: Cancelled | BadInput) -> list[tuple[Path, set[str], str]]:
        received: list[tuple[Path, set[str], str]] = []

        def cancel(store: Store, keys: Collection[str], task_name: str) -> Cancelled:
            received.append((store.root, set(keys), task_name))
            if isinstance(answer, BadInput):
                raise answer
            return answer

        monkeypatch.setattr("harness.study.cancel_jobs", cancel)
        return received

    return give


def test_jobs_and_unfinished_cells_are_counted(
    tiny: WriteTask, cli: Call, tmp_path: Path, cancels: Callable[..., list[object]]
) -> None:
    received = cancels(Cancelled(jobs=2, cells=3))
    ended = cli("cancel", tiny(), "--runs", tmp_path / "elsewhere")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out == "tiny: cancelled 2 jobs with 3 unfinished cells\n"
    keys = {c.key for c in plan_of(tmp_path / "tiny.yaml", tmp_path / "runs").cells}
    assert received == [(tmp_path / "elsewhere", keys, "tiny")]


def test_a_task_without_jobs_keeps_its_records(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny(), "seeds=1").code == 0
    before = records(tmp_path / "runs")
    ended = cli("cancel", "tiny")
    assert (ended.code, ended.out) == (0, "tiny: cancelled 0 jobs with 0 unfinished cells\n")
    assert records(tmp_path / "runs") == before


def test_overrides_choose_the_cells(
    tiny: WriteTask, cli: Call, tmp_path: Path, cancels: Callable[..., list[object]]
) -> None:
    received = cancels(Cancelled())
    assert cli("cancel", tiny(), "seeds=[1]", "classifier=text").code == 0
    (cell,) = plan_of(tmp_path / "tiny.yaml", tmp_path, seeds=[1], classifier="text").cells
    assert received == [(Path("runs"), {cell.key}, "tiny")]


def test_a_scheduler_that_refuses(
    tiny: WriteTask, cli: Call, cancels: Callable[..., list[object]]
) -> None:
    cancels(BadInput("scancel: no answer"))
    ended = cli("cancel", tiny())
    assert (ended.code, ended.out, ended.err) == (2, "", "error: scancel: no answer\n")


def test_a_task_that_there_is_not(cli: Call) -> None:
    ended = cli("cancel", "few_shoot")
    assert (ended.code, ended.out) == (2, "")
    assert "Did you mean 'few_shot'" in ended.errors()[0]
