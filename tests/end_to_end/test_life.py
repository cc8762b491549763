"""The life of a task on the command line: planned, run in part, run, reported, and read again."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Call, WriteTask, body, hashes, records


def test_the_life_of_a_task(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    task, runs = tiny(), tmp_path / "runs"
    plan = json.loads(cli("plan", task, "--json").out)
    assert plan["counts"] == {"done": 0, "failed": 0, "waiting": 4, "infeasible": 0}
    assert not runs.exists(), "a plan writes nothing"
    assert cli("status", task).code == 3

    key = plan["cells"][0]["key"]
    one = cli("run", task, "--cell", key)
    assert one.code == 0
    assert json.loads(one.out)["key"] == key
    assert set(records(runs)) == {key}
    partly = cli("status", task, "--json")
    assert partly.code == 3
    assert json.loads(partly.out)["counts"]["done"] == 1
    unfinished = cli("report", task)
    assert unfinished.code == 1
    assert "3 cells are missing" in unfinished.err

    ended = cli("grid", task)
    assert ended.code == 0
    assert ended.out.strip() == "reports/tiny.md"
    assert set(records(runs)) == {cell["key"] for cell in plan["cells"]}
    status = cli("status", task, "--json")
    assert status.code == 0
    assert {c["status"] for c in json.loads(status.out)["cells"]} == {"done"}
    for name in ("tiny.md", "tiny.html", "tiny.tex", "tiny.csv", "tiny_contrasts.csv"):
        assert (tmp_path / "reports" / name).stat().st_size > 0

    # What is in the runs folder is enough to read it again.
    assert json.loads((runs / "tiny" / "keys.json").read_text()) == [
        cell["key"] for cell in plan["cells"]
    ]
    again = tmp_path / "resolved.yaml"
    again.write_text((runs / "tiny" / "task.yaml").read_text())
    assert json.loads(cli("plan", again, "--json").out)["cells"] == [
        cell | {"status": "done"} for cell in plan["cells"]
    ], "the task as resolved is the same task"
    report = body(tmp_path / "reports" / "tiny.md")
    assert cli("report", task).code == 0
    assert body(tmp_path / "reports" / "tiny.md") == report


def test_the_same_cells_whatever_the_order_and_the_threads(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    assert cli("grid", tiny(), "--jobs", "1").code == 0
    task = tiny("other.yaml", classifier=["random", "text"], seeds=[1, 0])
    assert cli("grid", task, "--jobs", "2", "--runs", "other").code == 0
    assert hashes(tmp_path / "other") == hashes(tmp_path / "runs")


def test_embedded_runs_the_variant_beside_the_task(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    embedded = {"relation": "same", "replace": {"dataset": "emoji"}}
    task = tiny(dataset="folder:nowhere", embedded=embedded, seeds=1)
    assert cli("plan", task).code == 2
    ended = cli("grid", task, "--embedded")
    assert ended.code == 0, ended.err
    assert ended.out.strip() == "reports/tiny_embedded.md"
    assert cli("status", "tiny", "--embedded").code == 0
    assert "--embedded" in (tmp_path / "reports" / "tiny_embedded.md").read_text("utf-8")
