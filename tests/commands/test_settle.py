"""`grid --settle`: looks one after the other, kept in settle.json and in the Records."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from conftest import Call, WriteTask, records

from harness.core.protocols.launcher import Launched, LaunchRequest
from harness.report.model import settling

ROWS = ["text", "random", "text_shuffled"]
SETTLING: dict[str, Any] = {
    "classifier": ROWS, "seeds": 5, "budget": {"settle": 10}, "recipe": {"preset": "lit_emoji",
    "epochs": 1},
}  # fmt: skip


def looks(tmp_path: Path) -> list[dict[str, Any]]:
    data = json.loads((tmp_path / "runs/tiny/settle.json").read_bytes())
    assert data["rule"]["sizes"] == [5, 10]
    found: list[dict[str, Any]] = data["looks"]
    return found


def seeds_by_row(runs: Path) -> dict[str, set[int]]:
    found: dict[str, set[int]] = {}
    for record in records(runs).values():
        row = record["cell"].get("classifier", "text")
        found.setdefault(row, set()).add(record["cell"]["seed"])
    return found


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Seeds may always decide: five classes of two items are seldom worth more seeds."""
    monkeypatch.setattr(settling, "LEAST_CHANCE", 0.0)


@pytest.mark.usefixtures("always")
def test_all_rows_get_the_seeds_of_the_looks_and_pages_keep_the_rule(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    task, page = tiny(**SETTLING), tmp_path / "reports/tiny.md"
    ended = cli("grid", task, "--settle", "--jobs", 1)
    assert (ended.code, ended.out) == (0, "reports/tiny.md\n"), ended.err
    lines = ended.err.splitlines()
    assert any(
        line.startswith(
            "look 1: 5 seeds of every row in 1 shot, at level 0.00078 of 0.05; 15 cells to run ("
        )
        for line in lines
    )
    assert any(
        line.startswith("look 2: 10 seeds of every row in 1 shot, at level 0.049") for line in lines
    )
    assert any(line.startswith("settled: ") for line in lines)
    assert seeds_by_row(tmp_path / "runs") == {row: set(range(10)) for row in ROWS}
    taken = [look["taken"] for look in looks(tmp_path)]
    assert [len(t["decided"]) + len(t["undecided"]) for t in taken] == [3, 3]
    for record in records(tmp_path / "runs").values():
        (mark,) = record["settle"]
        assert mark["look"] == (record["cell"]["seed"] >= 5)
        assert mark["levels"] == [0.00078125, 0.04921875]
    first = page.read_text(encoding="utf-8")
    assert "with looks at 5 and 10 seeds at the levels 0.00078 and 0.049, together 0.05" in first
    assert "95.08% at 10 seeds" in first
    assert "The task declares 5 seeds; the others were added." in first
    assert "tiny.yaml --settle`" in first

    again = cli("grid", task, "--settle", "--jobs", 1)
    assert again.code == 0
    assert "0 cells to run" in again.err
    assert [x for x in again.err.splitlines() if "look 2: " in x and "decided" in x] == [
        x for x in lines if "look 2: " in x and "decided" in x
    ]
    assert len(records(tmp_path / "runs")) == 30, "nothing ran twice"

    # Without --settle, and by the report alone, the task has the seeds that were looked at.
    for words in (("grid", task), ("report", task)):
        assert cli(*words).code == 0
        assert page.read_text(encoding="utf-8").split("## Cost")[0] == first.split("## Cost")[0]

    # Without the file the Records still hold the rule, also for another task.
    (tmp_path / "runs/tiny/settle.json").unlink()
    assert cli("report", task).code == 0
    page_of_five = page.read_text(encoding="utf-8")
    assert "S = 5 seeds" in page_of_five
    assert "99.92% at 5 seeds" in page_of_five
    assert cli("grid", task, "name=other", "seeds=10").code == 0
    assert "95.08% at 10 seeds" in (tmp_path / "reports/other.md").read_text(encoding="utf-8")
    compared = cli("compare", "text", "random", "--task", "other", "--json")
    (one,) = json.loads(compared.out)["comparisons"]
    assert one["p"] == pytest.approx(_csv(tmp_path / "reports/other_contrasts.csv")["p"])


def _csv(path: Path) -> dict[str, float]:
    import csv

    with path.open() as handle:
        line = next(csv.DictReader(handle))
    assert float(line["level"]) == 0.04921875
    return {"p": float(line["p"])}


@pytest.mark.usefixtures("always")
def test_an_interrupted_look_goes_on(
    tiny: WriteTask, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.commands import grid

    real, calls = grid._run_to_the_end, []

    def interrupted(prepared: Any) -> Any:
        calls.append(len(prepared.cells))
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(prepared)

    monkeypatch.setattr(grid, "_run_to_the_end", interrupted)
    task = tiny(**SETTLING)
    assert cli("grid", task, "--settle").code == 130
    assert [look["taken"] is None for look in looks(tmp_path)] == [False, True]
    assert cli("grid", task, "--settle").code == 0
    assert calls == [15, 15, 15]
    assert [look["taken"] is None for look in looks(tmp_path)] == [False, False]


def test_where_seeds_cannot_decide_no_seed_is_added(
    tiny: WriteTask, cli: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settling, "LEAST_CHANCE", 2.0)
    ended = cli("grid", tiny(**SETTLING), "--settle")
    assert ended.code == 0
    assert seeds_by_row(tmp_path / "runs") == {row: set(range(5)) for row in ROWS}
    assert len(looks(tmp_path)) == 1
    assert "settled: " in ended.err


@pytest.mark.usefixtures("always")
def test_a_look_above_the_budget_is_not_planned(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny(**SETTLING)).code == 0
    task = tiny(**SETTLING | {"budget": {"settle": 10, "hours": 1e-9}})
    ended = cli("grid", task, "--settle")
    assert ended.code == 2
    assert "more than the budget" in ended.err
    assert len(looks(tmp_path)) == 1
    assert cli("grid", task, "--settle", "--yes").code == 0
    assert len(looks(tmp_path)) == 2


@pytest.mark.usefixtures("always")
def test_what_is_added_to_the_task_gets_the_seeds_of_its_column(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    assert cli("grid", tiny(**SETTLING), "--settle").code == 0
    more = tiny(**SETTLING | {"classifier": [*ROWS, "text_rotated"]})
    assert cli("grid", more, "--settle").code == 0
    assert seeds_by_row(tmp_path / "runs")["text_rotated"] == set(range(10))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"budget": None}, "budget.settle: --settle needs the largest number of seeds"),
        ({"budget": {"settle": 8}}, "8: the task has 5 seeds, so at least 10 are needed"),
        ({"seeds": 12}, "10: the task has 12 seeds, so at least 13 are needed"),
        ({"budget": {"settle": "x"}}, "must be a whole number of seeds"),
        ({"classifier": "text"}, "--settle decides between rows, and this task has one"),
        ({"tuning": "none", "classifier": ["text"]}, "every row is deterministic"),
        (
            {"include": [{"classifier": "text_rotated", "seeds": 3}]},
            "--settle adds to all rows alike",
        ),
    ],
)
def test_tasks_that_cannot_be_settled(
    changes: dict[str, Any], said: str, tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    ended = cli("grid", tiny(**SETTLING | changes), "--settle")
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert not (tmp_path / "runs/cells").exists()


@pytest.mark.usefixtures("always")
def test_a_rule_stays_as_it_was(tiny: WriteTask, cli: Call) -> None:
    task = tiny(**SETTLING)
    assert cli("grid", task, "--settle").code == 0
    ended = cli("grid", task, "budget.settle=20", "--settle")
    assert ended.code == 2
    assert "a rule that changes with what was seen holds no level" in ended.err


@pytest.mark.usefixtures("always")
def test_a_detached_launcher_is_given_one_look_at_a_time(
    tiny: WriteTask, cli: Call, tmp_path: Path, elsewhere: Callable[..., str]
) -> None:
    submitted: list[int] = []

    def submit(request: LaunchRequest) -> Launched:
        submitted.append(len(request.cells))
        if len(submitted) > 1:
            request.run_here(request.cells, 1)  # the jobs end at once
        return Launched(messages=("submitted",))

    far = elsewhere("far", DETACHED=True, submit=submit)
    task = tiny(**SETTLING)
    first = cli("grid", task, "--settle", "--launch", far)
    assert (first.code, first.out) == (0, "submitted\n")
    assert "when all cells are done, the same command takes the look and goes on" in first.err
    assert [look["taken"] for look in looks(tmp_path)] == [None]
    assert cli("grid", task, "--settle", "--launch", far).code == 0
    second = cli("grid", task, "--settle", "--launch", far)
    assert "look 1: " in second.err
    assert [look["taken"] is None for look in looks(tmp_path)] == [False, True]
    assert submitted == [15, 15, 15]
    last = cli("grid", task, "--settle", "--launch", far)
    assert (last.code, last.out) == (0, "reports/tiny.md\n")
    assert submitted == [15, 15, 15]
    assert seeds_by_row(tmp_path / "runs") == {row: set(range(10)) for row in ROWS}
