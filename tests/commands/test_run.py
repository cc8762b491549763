"""`run`: single cells by key; their Records are printed, and only what is missing runs."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, plan_of, records

from harness.core.errors import CellError
from harness.plan.resolve import ResolvedCell
from harness.run import runner


def test_records_are_printed_and_nothing_else_runs(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    task, runs = tiny(), tmp_path / "runs"
    first, second, *_ = [c.key for c in plan_of(task, runs).cells]
    ended = cli("run", task, "--cell", first)
    assert ended.code == 0
    assert json.loads(ended.out)["key"] == first
    (path,) = runs.glob("cells/*/*.json")
    assert ended.out == path.read_text(encoding="utf-8") + "\n"
    before = path.stat().st_ino
    both = cli("run", task, "--cell", second, first)
    assert both.code == 0
    assert [json.loads(text)["key"] for text in printed(both.out)] == [second, first]
    assert set(records(runs)) == {first, second}
    assert path.stat().st_ino == before


def test_a_finished_cell_is_not_run_again(
    tiny: WriteTask, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = tiny()
    first, second, *_ = [c.key for c in plan_of(task, tmp_path / "runs").cells]
    assert cli("run", task, "--cell", first).code == 0
    asked: list[list[str]] = []
    run_cells = runner.run_cells

    def watched(cells: Sequence[ResolvedCell], *args: Any, **more: Any) -> None:
        asked.append([c.key for c in cells])
        run_cells(cells, *args, **more)

    monkeypatch.setattr(runner, "run_cells", watched)
    assert cli("run", task, "--cell", first, second).code == 0
    assert asked == [[second]]


def printed(text: str) -> list[str]:
    """The JSON documents of an output, one after the other."""
    documents, rest = [], text.strip()
    while rest:
        _, end = json.JSONDecoder().raw_decode(rest)
        documents.append(rest[:end])
        rest = rest[end:].strip()
    return documents


def test_trained_weights_are_kept_if_the_task_says_so(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    task, runs = tiny(save="last"), tmp_path / "runs"
    (key, *_) = [c.key for c in plan_of(task, runs).cells]
    assert cli("run", task, "--cell", key).code == 0
    assert len(list(runs.rglob("*.safetensors"))) == 1


def test_a_cell_that_fails(
    tiny: WriteTask, cli: Call, tmp_path: Path, elsewhere: Callable[..., str]
) -> None:
    def build(inputs: Any, options: Any) -> Any:
        raise CellError("it diverged")

    task = tiny(classifier=elsewhere("broken", USES=("text",), build=build), seeds=1)
    (cell,) = plan_of(task, tmp_path / "runs").cells
    ended = cli("run", task, "--cell", cell.key)
    assert ended.code == 1
    assert json.loads(ended.out)["error"]["message"] == "it diverged"
    assert cli("run", task, "--cell", cell.key).code == 1


@pytest.mark.parametrize("key", ["0123", "../../x"])
def test_a_key_of_no_cell(key: str, tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    ended = cli("run", tiny(), "--cell", key)
    assert (ended.code, ended.out) == (2, "")
    assert f"no cell of this task is called '{key}'" in ended.errors()[0]
    assert not (tmp_path / "runs").exists()


def test_without_a_key(tiny: WriteTask, cli: Call) -> None:
    ended = cli("run", tiny())
    assert ended.code == 2
    assert "--cell" in ended.err
