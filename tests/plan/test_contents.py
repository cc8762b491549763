"""Data are hashed before keys are made: all of it, once, told as one count."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.core import hashes
from harness.core.errors import TaskError
from harness.core.hashes import Read
from harness.core.store import Store
from harness.plan.plan import Plan, plan_rows
from harness.task.grid import expand_rows
from harness.task.read import validate

TASK = {
    "name": "two", "paradigm": "matching", "regime": "zero_shot", "classifier": "text",
    "encoder": "embedded/lit-emoji",
}  # fmt: skip
Told = list[tuple[int, int]]


def fill(root: Path, count: int) -> str:
    """Two classes, all of it test; planning reads bytes and decodes nothing."""
    for label in ("oak", "elm"):
        (root / label).mkdir(parents=True, exist_ok=True)
        for n in range(count):
            (root / label / f"{n}.png").write_bytes(f"{root.name} {label} {n}".encode())
    return f"folder:{root}"


def plan(tmp_path: Path, told: Told, **changes: Any) -> Plan:
    rows = expand_rows(validate(TASK | changes, "two.yaml"), "two.yaml")
    store = Store(tmp_path / "runs")
    return plan_rows(rows, store, "two.yaml", lambda *counts: told.append(counts))


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    paths: list[Path] = []
    whole = hashes.read_file

    def reading(path: Path) -> Read:
        if path.suffix == ".png":
            paths.append(path)
        return whole(path)

    monkeypatch.setattr(hashes, "read_file", reading)
    monkeypatch.setattr(hashes, "TOLD_SECONDS", 0.0)
    return paths


def test_data_sets_are_counted_together_and_once(tmp_path: Path, read: list[Path]) -> None:
    data = [fill(tmp_path / "one", 3), fill(tmp_path / "two", 2)]
    told: Told = []
    first = plan(tmp_path, told, dataset=data)
    assert len(read) == len(set(read)) == 10
    assert told == [(n, 6) for n in range(7)] + [(n, 10) for n in range(6, 11)]
    told.clear()
    read.clear()
    again = plan(tmp_path, told, dataset=data)
    assert (told, read) == ([], []), "there is nothing to hash"
    assert [c.key for c in again.cells] == [c.key for c in first.cells]


def test_only_what_has_changed_is_counted(tmp_path: Path, read: list[Path]) -> None:
    data = fill(tmp_path / "one", 3)
    before = plan(tmp_path, [], dataset=data).cells[0].key
    (tmp_path / "one/oak/1.png").write_bytes(b"another picture")
    told: Told = []
    assert plan(tmp_path, told, dataset=data).cells[0].key != before
    assert told == [(0, 1), (1, 1)]


def test_the_key_of_data_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes after the data set was opened."""
    whole = hashes.read_file

    def gone(path: Path) -> Read:
        if path.suffix != ".png":
            return whole(path)
        raise FileNotFoundError(2, "No such file or directory", str(path))

    monkeypatch.setattr(hashes, "read_file", gone)
    with pytest.raises(TaskError, match=r"two\.yaml: dataset: picture .*\.png cannot be read"):
        plan(tmp_path, [], dataset=fill(tmp_path / "one", 2))
