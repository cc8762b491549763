"""Studies on features that another program computed."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import ROOT, Call, records

from harness.core.precomputed import read_precomputed


def write_study(tmp_path: Path, **changes: Any) -> dict[str, np.ndarray[Any, Any]]:
    """study.yaml and f.npz, with classes that are hard to tell apart; the arrays."""
    rng = np.random.default_rng(1)
    texts_CF = rng.normal(size=(5, 16)).astype(np.float32)
    labels = np.repeat(np.arange(5), 24)
    values = {
        "features": texts_CF[labels] + 2.5 * rng.normal(size=(120, 16)).astype(np.float32),
        "labels": labels,
        "class_names": np.array(["ant", "bee", "cat", "dog", "eel"]),
        "split": np.where(np.arange(120) % 24 < 4, "train", "test"),
        "text_features": texts_CF,
    }
    np.savez(tmp_path / "f.npz", **values)
    task = {
        "name": "study", "dataset": "features:f.npz", "encoder": "given:f.npz",
        "regime": "few_shot", "shots": 2, "seeds": 1, "classifier": "text",
        "recipe": {"lr": 1e-3, "weight_decay": 0, "warmup_epochs": 0, "epochs": 10},
    } | changes  # fmt: skip
    (tmp_path / "study.yaml").write_text(json.dumps(task), encoding="utf-8")
    return values


def test_zero_shot_is_that_of_numpy(tmp_path: Path, cli: Call) -> None:
    values = write_study(tmp_path, regime="zero_shot", shots=None, tuning="none")
    ended = cli("grid", "study.yaml")
    assert ended.code == 0, ended.err
    [record] = records(tmp_path / "runs").values()
    tested = values["split"] == "test"
    w_CF, h_NF = values["text_features"], values["features"][tested]
    cosines_NC = h_NF @ (w_CF / np.linalg.norm(w_CF, axis=1, keepdims=True)).T
    assert record["top1"] == (cosines_NC.argmax(axis=1) == values["labels"][tested]).mean()
    assert record["n"] == 100
    assert record["cost"].get("flops_per_view") is None


def test_every_classifier_and_paradigm_trains_on_them(tmp_path: Path, cli: Call) -> None:
    write_study(
        tmp_path, classifier=["text", "random", "orthogonal", "lda", "prototype"],
        paradigm=["vision_text", "vision_only", "matching"],
    )  # fmt: skip
    ended = cli("grid", "study.yaml")
    assert ended.code == 0, ended.err
    done = records(tmp_path / "runs").values()
    assert [r["status"] for r in done] == ["done"] * 7
    text = [r["top1"] for r in done if r["cell"].get("classifier") == "text"]
    assert text[0] > 0.3, "chance is 0.2"


def test_choosing_on_the_test_set_takes_the_best_of_the_fixed_recipes(
    tmp_path: Path, cli: Call
) -> None:
    rates = [1e-5, 1e-2, 1.0]
    write_study(tmp_path)
    assert cli("grid", "study.yaml", f"recipe.lr={rates}", "name=fixed").code == 0
    fixed = {r["cell"]["recipe"]["lr"]: r["top1"] for r in records(tmp_path / "runs").values()}
    assert len(set(fixed.values())) > 1
    search = [f"search={{recipe.lr: {rates}}}", "selection=test", "allow_test_selection=true"]
    ended = cli("grid", "study.yaml", *search)
    assert ended.code == 0, ended.err
    [record] = (
        r for r in records(tmp_path / "runs").values() if r["cell"].get("selection") == "test"
    )
    assert record["top1"] == max(fixed.values())
    assert fixed[record["diagnostics"]["chosen"]["lr"]] == record["top1"]
    page = (tmp_path / "reports/study.md").read_text(encoding="utf-8")
    assert page.startswith("# study\n\n**Chosen on the test set.**")


def test_the_example_of_the_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Call
) -> None:
    """Its program writes a file, and its task can be planned on it."""
    page = (ROOT / "docs/tasks.md").read_text(encoding="utf-8")
    section = page.split("## Precomputed features")[1].split("\n## ")[0]
    program, task = re.findall(r"```(?:python|yaml)\n(.*?)```", section, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(program, {})
    assert read_precomputed(tmp_path / "animals.npz").dim == 64
    (tmp_path / "animals.yaml").write_text(task, encoding="utf-8")
    ended = cli("plan", "animals.yaml", "--json")
    assert ended.code == 0, ended.err
    counts = json.loads(ended.out)["counts"]
    assert (counts["waiting"], counts["infeasible"]) == (40, 5)  # lda at one shot


@pytest.mark.parametrize(
    ("overrides", "says"),
    [
        (["encoder=embedded/lit-emoji"], "encoder must be given:PATH with the same path"),
        (["dataset=emoji"], "dataset must be features:f.npz, not emoji"),
        (["dataset=features:other/f.npz"], "dataset must be features:f.npz"),
        (["test_dataset=emoji", "regime=zero_shot", "shots=null"], "test_dataset must be features"),
        (["tuning=all"], "tuning: all needs pictures"),
        (["resolution=64"], "resolution: 64 needs pictures"),
        (["views=1x3"], "views: 1x3 needs pictures"),
        (["prompt=template"], "prompt: template needs a text tower"),
    ],
)
def test_planning_refuses_what_does_not_fit(
    tmp_path: Path, cli: Call, overrides: list[str], says: str
) -> None:
    write_study(tmp_path)
    (tmp_path / "other").mkdir()
    write_study(tmp_path / "other")
    ended = cli("plan", "study.yaml", *overrides)
    assert ended.code == 2
    [error] = ended.errors()
    assert says in error
