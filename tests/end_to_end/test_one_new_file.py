"""A new plugin is one new file: it is listed, described, run, reported and found by its name."""

from __future__ import annotations

import shutil
from pathlib import Path

from conftest import ROOT, Call, WriteTask, records

from harness.core import registry

MEAN = '''
"""The mean of all texts for every class: a classifier that cannot tell anything."""

from __future__ import annotations

from harness.core.protocols.classifier import ClassifierOptions as Options

USES = ("text",)


def check(cell, facts):
    return None


def build(inputs, options):
    return inputs.text().mean(dim=0, keepdim=True).expand(inputs.n_classes, -1).clone()
'''


def test_one_new_file_is_a_new_classifier(tiny: WriteTask, run_cli: Call, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for folder in ("harness", "tasks", "baselines"):
        # What is compiled already is used; a file that is being compiled may vanish.
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.pyc.*"))
    (copy / "harness" / "classifiers" / "text_mean.py").write_text(MEAN)
    own = {"PYTHONPATH": str(copy)}
    listed = run_cli("list", "classifier", **own)
    assert "text_mean" in listed.out
    assert "cannot tell anything" in listed.out
    assert "text_mean" not in registry.names("classifier")
    assert "scale" in run_cli("describe", "classifier", "text_mean", **own).out
    task = tiny(classifier=["text", "text_mean"], seeds=1, allow="equal_texts")
    ended = run_cli("grid", task, "--jobs", "1", **own)
    assert ended.code == 0, ended.err
    found = {r["cell"]["classifier"]: r for r in records(tmp_path / "runs").values()}
    assert found["text_mean"]["top1"] < 0.5 < found["text"]["top1"], "one is near chance"
    assert "text_mean" in (tmp_path / "reports" / "tiny.md").read_text()
    assert "Did you mean 'text_mean'" in run_cli("plan", task, "classifier=txt_mean", **own).err
