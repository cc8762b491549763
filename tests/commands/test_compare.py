"""`compare`: rows, cells, runs folders and csv files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Call, WriteTask, records

SCHEMA = {"where", "mean_a", "mean_b", "a", "b", "difference", "low", "high", "p", "p_adjusted",
          "seeds", "items", "groups", "estimand", "test", "note", "level", "over",
          "verdict"}  # fmt: skip


@pytest.fixture
def ran(tiny: WriteTask, cli: Call) -> str:
    """A task with two rows, two seeds and two columns, that was run."""
    path = tiny(shots=[1, 2], report={"rows": "classifier", "columns": "shots"})
    assert cli("grid", path).code == 0
    return path


def test_every_kind_of_side(ran: str, cli: Call, tmp_path: Path) -> None:
    ended = cli("compare", "text", "random", "--task", ran, "--json")
    assert (ended.code, ended.err) == (0, "")
    document = json.loads(ended.out)
    assert (document["kind"], document["not_compared"]) == ("rows", [])
    assert [c["where"] for c in document["comparisons"]] == ["1 shot", "2 shots"]
    assert set(document["comparisons"][0]) == SCHEMA
    assert {c["verdict"] for c in document["comparisons"]} <= {
        "descriptive", "equal on every item and seed",
    }  # fmt: skip

    found = records(tmp_path / "runs")
    of_row = {
        name: [k for k, r in found.items()
               if r["cell"]["classifier"] == name and r["cell"]["shots"] == 1]
        for name in ("text", "random")
    }  # fmt: skip
    a, b = (",".join(keys) for keys in of_row.values())
    by_key = json.loads(cli("compare", a, b, "--json").out)
    assert by_key["kind"] == "cells"
    assert by_key["comparisons"][0]["difference"] == document["comparisons"][0]["difference"]

    folders = cli("compare", "runs", "runs", "--json")
    comparisons = json.loads(folders.out)["comparisons"]
    assert len(comparisons) == 4
    assert {c["verdict"] for c in comparisons} == {"equal on every item and seed"}

    csv = tmp_path / "reports" / "tiny.csv"
    other = tmp_path / "other.csv"
    lines = csv.read_text("utf-8").splitlines()
    kept = [lines[0], *(line for line in lines[1:] if ",random," not in line)]
    other.write_text("\n".join(kept) + "\n", "utf-8")
    of_files = cli("compare", csv, other)
    assert of_files.code == 0
    assert f"2 configurations of {csv} without a partner" in of_files.err
    assert "nothing is known of new ones" in of_files.out


def test_what_cannot_be_compared_is_refused(ran: str, cli: Call, tmp_path: Path) -> None:
    key = next(iter(records(tmp_path / "runs")))
    (tmp_path / "empty").mkdir()
    for words, said in (
        (("text", "random"), "rows of a task are compared with --task"),
        (("runs", key), "two of a kind"),
        (("runs", "empty"), "no Record of a done cell"),
        ((key, "0" * 16), "there is no Record of cell 0000000000000000"),
        (("text", "text", "--task", ran), "are the same row"),
        (("text", "randon", "--task", ran), "Did you mean 'random'"),
        (("runs", "runs", "shots=1"), "changes a task"),
        (("runs", "runs", "--margin", "0"), "above 0"),
    ):
        ended = cli("compare", *words)
        assert (ended.code, ended.out) == (2, ""), words
        assert said in ended.err, words
        assert len(ended.errors()) == 1, words


def test_missing_cells_are_named(tiny: WriteTask, cli: Call) -> None:
    assert cli("grid", tiny(shots=[1, 2]), "seeds=1", "shots=1").code == 0
    ended = cli("compare", "text", "random", "--task", tiny(shots=[1, 2]), "seeds=1")
    assert ended.code == 0
    assert "not compared: 2 shots: text is missing, random is missing" in ended.err
    none = cli("compare", "text", "random", "--task", tiny(name="x", shots=[2]), "seeds=1")
    assert (none.code, none.out) == (2, "")
    assert "can be paired" in none.err
