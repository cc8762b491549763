"""Heads of whole cells: solved to their optimum as scikit-learn does, and equal whatever they are
solved beside.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import plan_of, run_study
from sklearn.linear_model import LogisticRegression

from harness.core.store import Store
from harness.run.runner import run_cells

CLASSES, WIDTH, TRAIN, TEST = 5, 16, 12, 800
L2 = 1e-3
#: Heads of every kind, by the key that makes them.
KINDS: dict[str, dict[str, Any]] = {
    "cosine": {"paradigm": "vision_text"},
    "linear": {"paradigm": "vision_only"},
    "lbfgs": {"paradigm": "vision_only", "recipe": {"l2": L2}},
    "ridge": {"paradigm": "vision_only", "recipe": {"solver": "ridge", "l2": L2}},
}


def features_file(folder: Path, seed: int = 0, test: int = TEST) -> Path:
    """Precomputed features of overlapping classes, with `test` test samples of each."""
    rng = np.random.default_rng(seed)
    centre_CD = rng.normal(size=(CLASSES, WIDTH))
    labels_N = np.repeat(np.arange(CLASSES), TRAIN + test)
    path = folder / f"made{seed}.npz"
    np.savez(
        path,
        features=(centre_CD[labels_N] + rng.normal(size=(len(labels_N), WIDTH))).astype("float32"),
        labels=labels_N,
        split=np.where(np.arange(len(labels_N)) % (TRAIN + test) < TRAIN, "train", "test"),
        class_names=np.array(["cat", "dog", "owl", "bee", "emu"]),
        text_features=centre_CD.astype("float32"),
        logit_scale=np.float32(10),
    )
    return path


def task(path: Path, **changes: Any) -> dict[str, Any]:
    return {
        "name": "heads", "dataset": f"features:{path}", "encoder": f"given:{path}",
        "regime": "few_shot", "shots": 4, "classifier": "text", "tuning": "head", "seeds": 2,
        "recipe": {"lr": 1e-2, "epochs": 3, "warmup_epochs": 0}, **changes,
    }  # fmt: skip


def reference(path: Path) -> float:
    """Test accuracy of scikit-learn's optimum on the normalised features."""
    saved = np.load(path)
    z_ND = saved["features"].astype(np.float64)
    z_ND /= np.linalg.norm(z_ND, axis=1, keepdims=True)
    train_N, y_N = saved["split"] == "train", saved["labels"]
    model = LogisticRegression(C=1 / (train_N.sum() * L2), tol=1e-10, max_iter=10_000)
    model.fit(z_ND[train_N], y_N[train_N])
    return float(model.score(z_ND[~train_N], y_N[~train_N]))


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_on_all_samples_every_start_is_scikit_learns_regression(tmp_path: Path, seed: int) -> None:
    path = features_file(tmp_path, seed)
    starts = {"classifier": ["text", "random", "prototype", "zeros", "lda", "orthogonal"]}
    study = task(path, **KINDS["lbfgs"]) | starts | {"regime": "full", "shots": None}
    records = run_study(study, tmp_path / "runs").records
    assert len(records) == 6, "no seed plays a part"
    for record in records:
        assert record.top1 == pytest.approx(reference(path), abs=1e-3)
        assert record.diagnostics["convex"]
        # At most 0.1% above the minimum: |gradient|^2 / (2 l2) <= 1e-3 objective.
        most = (2 * L2 * 1e-3 * record.diagnostics["objective"]) ** 0.5
        assert 0 <= record.diagnostics["gradient_norm"] <= most
    assert len({record.diagnostics["gradient_norm"] for record in records}) == 1


def test_heads_have_the_same_numbers_alone_beside_another_and_among_many(tmp_path: Path) -> None:
    path = features_file(tmp_path, test=4)
    first, *others = KINDS.values()
    included = [{"recipe": {"l2": None, "solver": None}} | each for each in others]
    study = task(path, **first) | {"include": included, "seeds": 16}
    plan = plan_of(study, tmp_path / "many")
    assert len(plan.cells) == 64
    runs = {
        "many": [plan.cells],
        "threads": [plan.cells],
        "alone": [[c] for c in plan.cells[::16]],
        "beside": [[c, plan.cells[i + 1]] for i, c in list(enumerate(plan.cells))[::16]],
    }
    of_run: dict[str, dict[str, str | None]] = {}
    for name, groups in runs.items():
        store = Store(tmp_path / name)
        for group in groups:
            run_cells(group, store, jobs=2 if name == "threads" else 1)
        found = [store.read(c.key) for group in groups for c in group]
        of_run[name] = {r.key: r.science_hash for r in found if r is not None}
        assert None not in of_run[name].values()
    assert len(set(of_run["many"].values())) == 64
    assert of_run["threads"] == of_run["many"]
    assert len(of_run["alone"]) == len(KINDS)
    assert of_run["alone"].items() <= of_run["many"].items()
    assert of_run["beside"].items() <= of_run["many"].items()
