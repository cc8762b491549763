"""One task through its commands: plan, run, status, report and grid agree with each other."""

from __future__ import annotations

import json
from pathlib import Path

from conftest import Call, WriteTask, records


def test_the_life_of_a_task(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    task, runs = tiny(), tmp_path / "runs"
    plan = json.loads(cli("plan", task, "--json").out)
    assert plan["counts"] == {"done": 0, "failed": 0, "waiting": 4, "infeasible": 0}
    assert not runs.exists()
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
    assert cli("status", task).code == 0
    assert cli("report", task).code == 0
    assert json.loads((runs / "tiny" / "keys.json").read_text()) == [
        cell["key"] for cell in plan["cells"]
    ]
    resolved = (runs / "tiny" / "task.yaml").read_text()
    again = tmp_path / "resolved.yaml"
    again.write_text(resolved)
    assert json.loads(cli("plan", again, "--json").out)["cells"] == [
        cell | {"status": "done"} for cell in plan["cells"]
    ], "the task as resolved is the same task"
    for name in ("tiny.md", "tiny.html", "tiny.tex", "tiny.csv", "tiny_contrasts.csv"):
        assert (tmp_path / "reports" / name).stat().st_size > 0
