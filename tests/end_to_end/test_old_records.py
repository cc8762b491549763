"""Records that an earlier version wrote (tests/fixtures/old_records): found done, equal, reported.

The fixture was written by commit 88c12c6: ten cells on precomputed features, one of which failed,
and three on pictures. science_hashes.json has the hashes of the same cells on processors of other
types, whose last bits differ; commit 0b63d96 computed them. Keys hold the content of what was read,
so these stay valid as long as the packages that carry the pictures and the encoder do not change.
"""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Call, records

from harness.core.records import record_from, science_hash
from harness.core.store import Store, arrays_hash

FIXTURE = ROOT / "tests" / "fixtures" / "old_records"
#: Task -> (done, failed).
TASKS = {"study": (9, 1), "pictures": (3, 0)}
REPORTS = {"study": "old_records", "pictures": "old_pictures"}


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A copy of the fixture in the working directory of `cli`."""
    shutil.copytree(FIXTURE, tmp_path, dirs_exist_ok=True)
    shutil.rmtree(tmp_path / "reports")
    return tmp_path


@pytest.mark.parametrize("task", TASKS)
def test_every_cell_is_found(task: str, old: Path, cli: Call) -> None:
    """No key has changed: nothing is left to run."""
    document = json.loads(cli("plan", f"{task}.yaml", "--json").out)
    done, failed = TASKS[task]
    assert document["counts"] == {"done": done, "failed": failed, "waiting": 0, "infeasible": 0}
    assert len({cell["key"] for cell in document["cells"]}) == done + failed


def test_science_hashes_are_the_same(old: Path) -> None:
    """Computed again from what is on disk."""
    store = Store(old / "runs")
    hashes = {}
    for key, data in records(old / "runs").items():
        record = record_from(data)
        hashes[key] = science_hash(record, arrays_hash(store.arrays(record)))
        assert hashes[key] == data["science_hash"]
    assert len(hashes) == 13


@pytest.mark.parametrize("task", TASKS)
def test_the_report_is_the_same(task: str, old: Path, cli: Call) -> None:
    """The leaderboard and both csv files; nothing is run, and no Record is touched."""
    before = {p: p.stat().st_mtime_ns for p in (old / "runs" / "cells").rglob("*.*")}
    ended = cli("grid", f"{task}.yaml")
    assert ended.code == (1 if TASKS[task][1] else 0)
    assert {p: p.stat().st_mtime_ns for p in (old / "runs" / "cells").rglob("*.*")} == before
    name = REPORTS[task]
    for file in (f"{name}.csv", f"{name}_contrasts.csv"):
        check_table(old / "reports" / file, FIXTURE / "reports" / file)
    pages = [folder / "reports" / f"{name}.md" for folder in (old, FIXTURE)]
    assert leaderboard(pages[0]) == leaderboard(pages[1])


def check_table(new: Path, old: Path) -> None:
    """Every column of the old file is in the new one, in the same order, with its values."""
    rows, before = read_csv(new), read_csv(old)
    columns = list(before[0]) if before else []
    assert [c for c in (rows[0] if rows else {}) if c in columns] == columns
    assert len(rows) == len(before)
    for row, expected in zip(rows, before, strict=True):
        for column in columns:
            wanted = value(expected[column])
            assert (row[column] if isinstance(wanted, str) else float(row[column])) == wanted


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8") as handle:
        return list(csv.DictReader(handle))


def value(text: str) -> Any:
    """A number to compare with; text as it is."""
    try:
        return pytest.approx(float(text), rel=1e-9)
    except ValueError:
        return text


def leaderboard(report: Path) -> list[str]:
    """The rows of the first table."""
    section = report.read_text(encoding="utf-8").split("## Leaderboard")[1].split("\n## ")[0]
    # The mark of a row that learned little came after the fixture.
    rows = [line.replace(" †", "") for line in section.splitlines() if line.startswith("|")]
    assert len(rows) > 2
    return rows


def test_the_failed_cell_can_be_run_again(old: Path, cli: Call) -> None:
    """It fails in the same way, and its Record is one of this version."""
    ended = cli("grid", "study.yaml", "--retry-failed")
    assert ended.code == 1
    failed = [r for r in records(old / "runs").values() if r["status"] == "failed"]
    assert len(failed) == 1
    assert failed[0]["schema"] == 2
    assert failed[0]["error"]["message"] == "the loss is not a finite number after epoch 3"


@pytest.mark.parametrize("task", TASKS)
def test_run_anew_every_cell_is_the_same(task: str, old: Path, cli: Call) -> None:
    """Trained by today's code into an empty runs folder: the same science hash, where the hashes of
    this type of processor and these versions are known; elsewhere last bits may differ.
    """
    known = json.loads((FIXTURE / "science_hashes.json").read_text(encoding="utf-8"))
    cli("grid", f"{task}.yaml", "--runs", "anew")
    anew, before = records(old / "anew"), records(old / "runs")
    assert len(anew) == sum(TASKS[task])
    for key, record in anew.items():
        expected = before[key]
        assert record["status"] == expected["status"]
        assert record.get("top1") == pytest.approx(expected.get("top1"), abs=0.03)
        assert [p["loss"] for p in record["curve"]] == pytest.approx(
            [p["loss"] for p in expected["curve"]], rel=1e-3
        )
        hashes = known.get(record["environment"]["cpu"])
        if hashes is not None and record["environment"]["versions"] == hashes["versions"]:
            assert record["science_hash"] == hashes["cells"][key]
