"""Tuning the whole encoder on a real SLURM: shared by tasks of two nodes, and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import hashes, records

from .conftest import Cluster
from .study import Study, make_study, wait_for

TUNED: dict[str, Any] = {
    "classifier": "random",
    "tuning": "all",
    "resolution": 32,
    "shots": 2,
    "classes": {"pick": 4, "from": "development"},
    "recipe": {"lr": 5e-5, "epochs": 3, "batch": 8, "warmup_epochs": 0, "dropout": 0.2},
    "seeds": 1,
}


def record(runs: Path) -> dict[str, Any]:
    (only,) = records(runs).values()
    assert only["status"] == "done", only["error"]
    return only


def alone(study: Study) -> Path:
    """The same in one process, in another runs folder."""
    ended = study.harness("grid", "tiny.yaml", "--runs", "one", "--reports", "one_reports")
    assert ended.code == 0, ended.err
    return study.folder / "one"


def test_two_nodes_with_two_tasks_have_the_loss_of_one_process(
    cluster: Cluster, cache: Path, tmp_path: Path
) -> None:
    """Matching, whose loss is over the whole batch: embeddings are gathered over gloo."""
    task = TUNED | {"classifier": None, "paradigm": "matching", "gather": True}
    task["recipe"] = TUNED["recipe"] | {"micro_batch": 2, "optimiser": "sgd", "lr": 1e-2}
    profile = {"nodes": 2, "tasks_per_node": 2}
    study = make_study(tmp_path / "study", cluster, cache, profile, **task)
    study.submit()
    one = record(alone(study))
    study.wait_for_the_end()
    four = record(study.runs)
    assert four["cost"]["processes"] == 4
    assert (four["n"], four["test"], four["support"]) == (one["n"], one["test"], one["support"])
    losses = [[point["loss"] for point in record["curve"]] for record in (one, four)]
    assert losses[0] == pytest.approx(losses[1], abs=1e-5)
    assert len(set(losses[0])) > 1, "it should have learnt something"


def test_a_preempted_cell_goes_on_from_its_last_epoch(
    cluster: Cluster, cache: Path, tmp_path: Path
) -> None:
    """Warned by USR2 and requeued: the Record holds what was trained before, unchanged."""
    task = TUNED | {"recipe": TUNED["recipe"] | {"epochs": 120}}
    profile = {"partition": "low", "gpus": 4, "constraint": "n2",
               "environment": {"HARNESS_CHECKPOINT_MINUTES": "0"}}  # fmt: skip
    study = make_study(tmp_path / "study", cluster, cache, profile, **task)
    job = study.submit()
    before = wait_for(lambda: checkpoint(study.runs), "the first epochs")
    study.cluster.ask("sbatch", "-p", "high", "-C", "n2", "--gpus-per-node=4", "-o", "/dev/null",
                      "--wrap", "true")  # fmt: skip
    one = alone(study)  # meanwhile
    study.wait_for_the_end()
    assert study.restarts(job) == 1
    curve = record(study.runs)["curve"]
    assert len(curve) == 120
    assert curve[: len(before)] == before, "seconds included"
    assert hashes(study.runs) == hashes(one)


def checkpoint(runs: Path) -> list[Mapping[str, Any]]:
    """The curve of the training that runs, as its checkpoint has it."""
    import torch

    for path in runs.glob("checkpoints/*/0.pt"):
        curve: list[Mapping[str, Any]] = torch.load(path, weights_only=True)["curve"]
        return curve
    return []
