"""The field `cost` of Records, and what the paper's encoders cost over a clip."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from conftest import run_study
from encoders import tiny

from harness.core.cells import Choice
from harness.core.multiply_adds import transformer_macs
from harness.core.protocols.temporal import TemporalInputs
from harness.plan.operations import TEXT_LAYERS, TEXT_TOKENS
from harness.run.costs import clip_cost_of, encoder_counts, record_cost
from harness.temporal import t_trans
from harness.training.cost import clip_cost, module_cost

from .outside import FEATURES, D, task
from .prepared import prepared

LINEAR = FEATURES * FEATURES
MACS = LINEAR + FEATURES * D
PARAMS = LINEAR + FEATURES + FEATURES * D


def test_an_encoder_is_counted_in_full_and_as_the_paper_counts(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    assert encoder_counts(p.cell, p.resources) == {
        "flops_per_view": MACS, "flops_per_view_paper": LINEAR,
        "params_encoder": PARAMS, "params_encoder_paper": LINEAR + FEATURES,
    }  # fmt: skip


def test_the_cost_of_a_training_on_kept_features(tmp_path: Path) -> None:
    """Every sample is read once, with two operations for a multiply-add."""
    (record,) = run_study(task(classifier="text", seeds=1), tmp_path).records
    cost = record.cost
    assert cost["params"] == D * FEATURES + 1
    assert (cost["processes"], cost["views"], cost["gpu_s"]) == (1, "1x1", 0.0)
    assert cost["peak_bytes"] > 1_000_000
    assert cost["wall_s"] > 0
    assert cost["operations"] == 2 * MACS * 12
    assert cost["v100_days"] == pytest.approx(2 * MACS * 12 / 2.13e13 / 86_400)
    assert cost["a100_days"] < cost["v100_days"]


def test_the_cost_of_tuning_the_backbone(tmp_path: Path) -> None:
    """Six operations for a multiply-add, every sample once an epoch."""
    (record,) = run_study(task(classifier="text", seeds=1, tuning="all"), tmp_path).records
    assert record.cost["operations"] == 6 * MACS * 12 * 3


@pytest.mark.parametrize(("iterations", "samples"), [(1, 8), (2, 12), (3, 12 + 8), (5, 24 + 8)])
def test_the_cost_of_a_budget_in_steps(tmp_path: Path, iterations: int, samples: int) -> None:
    """An epoch of 12 samples is a batch of 8 and one of 4; `epochs` plays no part."""
    recipe = {"lr": 1e-2, "iterations": iterations, "warmup_epochs": 0, "batch": 8}
    changes = {"classifier": "text", "seeds": 1, "tuning": "all", "recipe": recipe}
    (record,) = run_study(task(**changes), tmp_path).records
    assert record.cost["operations"] == 6 * MACS * samples


def test_the_cost_of_a_text_tower_that_every_step_runs(tmp_path: Path) -> None:
    """Two texts, one for each class of a batch that is contrasted, in each of four steps."""
    changes = {
        "encoder": f"hf_clip:{tiny.hf_clip(tmp_path / 'clip')}", "resolution": 32,
        "dataset": {"name": "emoji_motion", "objects": 1, "motions": ["left", "right"],
                    "size": 48, "clips": 1},
        "regime": "few_shot", "shots": 4, "frames": 2, "temporal": "tap", "paradigm": "matching",
        "recipe": {"epochs": 2, "batch": 4, "warmup_epochs": 0, "lr": 1e-3}, "seeds": 1,
        "allow": ["equal_texts"],
    }  # fmt: skip
    fixed, online = (
        run_study({"name": "texts", "tuning": "all", "text_tower": text_tower, **changes},
                  tmp_path / text_tower).records[0].cost
        for text_tower in ("offline", "online")
    )  # fmt: skip
    assert fixed["text_operations"] == 0
    macs = transformer_macs(TEXT_LAYERS, 8, TEXT_TOKENS)
    assert online["text_operations"] == pytest.approx(6 * macs * 2 * 4)
    assert online["operations"] - fixed["operations"] == online["text_operations"]


def test_stages_that_train_w_alone_only_read(tmp_path: Path) -> None:
    """60% of three epochs forwards and backwards, the rest forwards."""
    stages = [{"share": 0.6, "tuning": "all"}, {"share": 0.4, "tuning": "head"}]
    changes = {"classifier": "text", "seeds": 1, "stages": stages}
    (record,) = run_study(task(**changes), tmp_path).records
    wanted = (0.6 * 6 + 0.4 * 2) * MACS * 12 * 3
    assert record.cost["operations"] == pytest.approx(wanted)


def test_what_was_not_trained_has_no_days(tmp_path: Path) -> None:
    (record,) = run_study(task(classifier="text", seeds=1, tuning="none"), tmp_path).records
    assert "operations" not in record.cost
    assert record.cost["params"] == 0
    assert record.cost["flops_per_view"] == MACS
    p = prepared(tmp_path)
    failed = record_cost(p.cell, None, p.resources, 2.0)
    assert failed["wall_s"] == 2.0
    assert failed["params"] is None
    assert "flops_per_view" not in failed


def test_an_architecture_of_open_clip_needs_no_weights() -> None:
    cost = clip_cost_of(Choice("open_clip:ViT-B-16/openai"), 8)
    assert cost == clip_cost("ViT-B-16").times(8)


def test_t_trans_joins_the_frames() -> None:
    """Table 7: over the embeddings of the frames, in their width."""
    plain = clip_cost_of(Choice("open_clip:ViT-B-16/openai"), 8)
    joined = clip_cost_of(Choice("open_clip:ViT-B-16/openai"), 8, t_trans=True)
    module = t_trans.build(TemporalInputs(512, 8, torch.Generator()), t_trans.Options())
    assert joined == plain + module_cost(module, 1, 8, 512)


def test_other_encoders_are_counted_with_their_weights() -> None:
    one = clip_cost_of(Choice("run.outside:TOWERS"), 1)
    assert (one.macs, one.params) == (MACS, PARAMS)
    assert clip_cost_of(Choice("run.outside:TOWERS"), 4).macs == 4 * MACS
