"""`save: last`: what of a trained cell goes into the file; tests/end_to_end begins from it."""

from __future__ import annotations

from pathlib import Path

import torch
from conftest import run_study

from harness.run.saving import keep_weights
from harness.training.weights import load_weights

from .outside import NAMES, task
from .prepared import prepared
from .test_train import train_one


def test_trained_weights_are_kept_under_the_training(tmp_path: Path) -> None:
    p = prepared(tmp_path, tuning="all")
    trained = train_one(p)
    keep_weights(p.cell, trained, p.context)
    file = tmp_path / "checkpoints" / p.cell.train_key / "weights.safetensors"
    weights = load_weights(file)
    assert trained.embedding is not None
    assert trained.head is not None
    assert torch.equal(weights.projection.weight_DF, trained.embedding.projection.weight_DF)
    assert weights.module is not None
    assert torch.equal(weights.head["classifier"], trained.head.weight())
    assert weights.head["logit_scale"].item() != 10.0
    assert weights.source.classes == NAMES
    assert weights.source.encoder == p.cell.setup.facts.weights
    assert weights.source.unnamed == 0


def test_a_method_leaves_no_weights(tmp_path: Path) -> None:
    p = prepared(tmp_path, method="run.outside:RIDGE")
    trained = train_one(p)
    assert trained.method is not None
    keep_weights(p.cell, trained, p.context)
    assert not (tmp_path / "checkpoints").exists()


def test_the_map_of_an_alignment_is_part_of_the_model(tmp_path: Path) -> None:
    """A random one would be drawn anew, by another seed."""
    wide = {"text_encoder": "embedded/lit-emoji", "alignment": "projection", "classifier": "text"}
    ran = run_study(task(seeds=[3], save="last", **wide), tmp_path)
    init = f"small#{ran.records[0].train_key}"
    (again,) = run_study(task(seeds=[5], init=init, tuning="none", **wide), tmp_path).records
    assert again.nll == ran.records[0].nll
