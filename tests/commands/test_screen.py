"""`screen`: classifiers ranked before training, and a measure judged on held-out studies."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import pytest
from conftest import Call, WriteTask

ROWS = ["text", "random", "orthogonal", "text_rotated", "text_shuffled"]


def test_candidates_are_ranked_without_training(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    ended = cli("screen", tiny(classifier=["random", "text"]))
    assert ended.code == 0, ended.err
    assert ended.out == "reports/tiny_screen.md\n"
    assert "cells have no outcome yet" in ended.err
    page = (tmp_path / "reports" / "tiny_screen.md").read_text(encoding="utf-8")
    assert page.index("| 1 | text |") < page.index("| 2 | random |")
    with (tmp_path / "reports" / "tiny_screen.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    assert {line["samples"] for line in lines} == {"support"}
    assert all(float(line["zero_shot"]) <= 1 and line["top1"] == "" for line in lines)
    assert not (tmp_path / "runs" / "cells").exists(), "nothing was run"
    index = (tmp_path / "reports" / "README.md").read_text(encoding="utf-8")
    assert "[tiny: screen](tiny_screen.md)" in index


def test_outcomes_of_records_or_of_the_csv_of_the_report(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    path = tiny(classifier=ROWS)
    assert cli("grid", path).code == 0
    ended = cli("screen", path, "--json")
    assert (ended.code, ended.err) == (0, "")
    first = json.loads(ended.out)
    (study,) = first["studies"]
    assert (first["chosen"], first["held_out"], study["task"]) == (None, [], "tiny")
    assert set(study["agreement"]) == {"alignment", "gram_cka", "margin", "zero_shot"}
    assert study["agreement"]["margin"]["spearman"]["candidates"] == 5
    assert (tmp_path / "reports" / "tiny_screen" / "scatter.png").is_file()
    shutil.rmtree(tmp_path / "runs")
    again = cli("screen", path, "--json")
    assert "outcomes of 10 cells are from reports/tiny.csv" in again.err
    assert json.loads(again.out) == first


def test_a_measure_is_chosen_on_some_studies_and_judged_on_others(
    tiny: WriteTask, cli: Call, tmp_path: Path
) -> None:
    path = tiny(classifier=ROWS)
    other = tiny("other.yaml", name="other", classifier=ROWS, shots=2)
    for each in (path, other):
        assert cli("grid", each).code == 0
    ended = cli("screen", path, "--held-out", other, "--json")
    assert ended.code == 0, ended.err
    document = json.loads(ended.out)
    agreement = document["studies"][0]["agreement"]
    best = max(agreement, key=lambda name: agreement[name]["spearman"]["mean"])
    assert document["chosen"] == best
    assert [s["task"] for s in document["held_out"]] == ["other"]
    page = (tmp_path / "reports" / "screen.md").read_text(encoding="utf-8")
    assert f"(`{best}`) has the highest Spearman correlation on tiny" in page
    assert f"python -m harness screen {path} --held-out {other}" in page


def test_bad_input_is_one_sentence(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    path = tiny(classifier=["text", "random"])
    other = tiny("other.yaml", name="other", classifier=["text", "random"])
    for words, said in (
        (("few_shoot",), "Did you mean 'few_shot'"),
        (("shots=[1]",), "screen needs a task"),
        ((path, "--by", "margn"), "Did you mean 'margin'"),
        ((path, "--measure", "no.such:thing"), "cannot be imported"),
        ((path, "--held-out", path), "cannot be chosen on and held out"),
        ((path, "--held-out", other), "no measure can be chosen"),
        ((path, "paradigm=vision_only", "tuning=projection"), "no cell can be measured"),
    ):
        ended = cli("screen", *words)
        assert (ended.code, ended.out) == (2, ""), words
        assert said in ended.err
        assert ended.err.count("error:") == 1
    (tmp_path / "reports").mkdir(exist_ok=True)
    (tmp_path / "reports" / "tiny.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    ended = cli("screen", path)
    assert (ended.code, ended.out) == (2, "")
    assert "is not a csv of cells" in ended.err


@pytest.mark.parametrize("words", [("screen", "--help")])
def test_help_loads_no_torch(run_cli: Call, words: tuple[str, ...]) -> None:
    ended = run_cli(*words)
    assert ended.code == 0
    assert "--held-out" in ended.out
