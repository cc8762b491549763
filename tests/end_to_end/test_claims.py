"""What the embedded studies must show, on the real task files: signs, significance, accuracy."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from harness.cli import main

BEATEN = ("random", "text_rotated", "text_shuffled")


def contrasts(reports: Path, task: str) -> list[dict[str, str]]:
    with (reports / f"{task}_contrasts.csv").open(encoding="utf-8", newline="") as handle:
        return list(csv.DictReader(handle))


@pytest.mark.slow
def test_at_one_shot_text_beats_random_and_the_controls(tmp_path: Path) -> None:
    folders = ["--runs", str(tmp_path / "runs"), "--reports", str(tmp_path)]
    rows = ["shots=[1]", "paradigm=vision_text", f"classifier=[text, {', '.join(BEATEN)}]"]
    assert main(["grid", "few_shot_projection", *rows, *folders]) == 0
    found = {r["a"]: r for r in contrasts(tmp_path, "few_shot_projection") if r["b"] == "text"}
    for row in BEATEN:
        assert found[row]["family"] == "reference"
        assert float(found[row]["difference"]) < 0, row
        assert float(found[row]["p_adjusted"]) < 0.05, row
    # The study of five class draws shares these cells as draw 0; the last stands for the rest.
    assert main(["grid", "few_shot_draws", "class_seed=[4]", *folders]) == 0
    other = {r["a"]: r for r in contrasts(tmp_path, "few_shot_draws") if r["b"] == "text"}
    for row in BEATEN:
        assert float(other[row]["difference"]) < 0, row
        assert float(other[row]["p_adjusted"]) < 0.05, row


@pytest.mark.slow
def test_zero_shot_on_the_300_unseen_classes(tmp_path: Path) -> None:
    changes = ["classes={from: unseen}", "train_classes=null", "classifier=text", "tuning=none"]
    folders = ["--runs", str(tmp_path / "runs"), "--reports", str(tmp_path)]
    changes += ["include=[]", "report.reference=null"]
    assert main(["grid", "zero_shot_intra", *changes, *folders]) == 0
    with (tmp_path / "zero_shot_intra.csv").open(encoding="utf-8", newline="") as handle:
        (row,) = csv.DictReader(handle)
    assert float(row["top1"]) > 0.15
    assert int(row["n"]) == 600
