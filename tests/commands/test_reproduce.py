"""`reproduce`: every table and figure of the paper, run and put on one page."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, TINY, Call

from harness.commands import reproduce
from harness.report.model.published import read_published
from harness.task import library
from harness.task.read import read_task


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """tasks/ with four small tasks under paper/: the folder in which they lie."""
    folder = tmp_path / "tasks"
    shutil.copytree(ROOT / "tasks" / "recipes", folder / "recipes")
    (folder / "paper").mkdir()
    claim = {"text": "Text wins.", "a": "text", "b": "random", "direction": ">"}
    real = {**TINY, "dataset": "folder:nowhere", "claims": [claim]}
    same = {"relation": "same", "replace": {"dataset": "emoji"}}
    never = {"relation": "not_testable", "why": "Nobody can."}
    own = {"preset": "lit_emoji", "epochs": 1}  # a cell that no other task has trained
    saved = {"dataset": "emoji", "seeds": [0], "classifier": "text", "recipe": own}
    tasks: dict[str, dict[str, Any]] = {
        "table01": {**real, "embedded": same},
        "table12": {**real, "embedded": never},
        "tableA1": {**real, "classifier": "text", "embedded": same, "report": {"rows": "init"},
                    "claims": [{**claim, "a": "tableA1_source_embedded", "b": "text"}]},
        "tableA1_source": {**real, "save": "last", "embedded": {**same, "replace": saved}},
    }  # fmt: skip
    for name, data in tasks.items():
        path = folder / "paper" / f"{name}.yaml"
        path.write_text(yaml.safe_dump(data | {"name": name}), encoding="utf-8")
    monkeypatch.setattr(library, "tasks_folder", lambda: folder)
    return folder / "paper"


def states(runs: Path) -> list[str]:
    return [json.loads(p.read_text("utf-8"))["status"] for p in runs.glob("cells/*/*.json")]


def test_reproduce_runs_all_and_writes_one_page(small: Path, cli: Call, tmp_path: Path) -> None:
    ended = cli("reproduce", "--jobs", "2")
    assert ended.code == 0, ended.err
    assert ended.out.strip() == "reports/reproduce.md"
    text = (tmp_path / "reports" / "reproduce.md").read_text(encoding="utf-8")
    titles = [line for line in text.splitlines() if line.startswith("## ")]
    assert [t[3:].partition(":")[0] for t in titles[1:-1]] == ["Table 1", "Table 12", "Table A.1"]
    assert "| Table 1 |  | the same study | 4 done |" in text
    assert "Nobody can." in text
    assert "tableA1_source_embedded#" in text  # the row that begins from the saved weights
    assert (tmp_path / "reports" / "reproduce.html").is_file()
    index = (tmp_path / "reports" / "README.md").read_text(encoding="utf-8")
    assert "| [The paper's tables and figures, run here](reproduce.md) |  | Claims: " in index
    assert index.index("(reproduce.md)") < index.index("(table01_embedded.md)")
    assert (tmp_path / "reports" / "table01_embedded.md").is_file()
    # 4 of Table 1, whose text row is also the first of Table A.1; the source, 2 that begin from it.
    assert states(tmp_path / "runs") == ["done"] * 7
    again = cli("reproduce", "--jobs", "2")
    assert again.code == 0
    assert len(states(tmp_path / "runs")) == 7


def test_one_table_that_cannot_run_does_not_stop_the_others(
    small: Path, cli: Call, tmp_path: Path
) -> None:
    data = yaml.safe_load((small / "table12.yaml").read_text(encoding="utf-8"))
    data["embedded"] = {"relation": "same"}
    (small / "table12.yaml").write_text(yaml.safe_dump(data), encoding="utf-8")
    ended = cli("reproduce", "table01", "table12")
    assert ended.code == 1
    text = (tmp_path / "reports" / "reproduce.md").read_text(encoding="utf-8")
    assert "**not run:**" in text
    assert "nowhere" in text
    assert "| Table 1 |  | the same study | 4 done |" in text


def test_the_studies_themselves_are_asked_for_with_full(
    small: Path, cli: Call, tmp_path: Path
) -> None:
    ended = cli("reproduce", "table01", "--full")
    assert ended.code == 1
    assert "nowhere" in ended.err
    assert "--full" in (tmp_path / "reports" / "reproduce.md").read_text(encoding="utf-8")


def test_an_unknown_table_has_a_nearest(cli: Call) -> None:
    ended = cli("reproduce", "table13")
    assert ended.code == 2
    assert "Did you mean 'table" in ended.err


def test_order_is_that_of_print() -> None:
    order = reproduce._chosen([])
    assert order[:2] == ["table01", "table02"]
    assert order[11:] == [
        "table12", "figure1", "figure3", "figure4", "tableA1", "tableA2", "figureA5"
    ]  # fmt: skip


def test_costs_are_of_the_clip_and_of_what_joins_its_frames() -> None:
    """The row of Table 7: 32 frames of ViT-L/14 and T-Trans are the printed 1662 G."""
    task = read_task(library.tasks()["paper/table07"])
    published = tuple(n for n in read_published("text4vis") if n.table == "Table 7")
    first, _ = reproduce._costs([task], published)
    assert (first.frames, round(first.macs_paper / 1e9)) == (32, 1662)
    assert reproduce._costs([task], ()) == ()
