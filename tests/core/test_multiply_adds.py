"""Multiply-adds without torch equal those that torch counts, and a count is kept."""

from __future__ import annotations

from pathlib import Path

import open_clip
import pytest

from harness.core.multiply_adds import clip_resnet_macs, counted, known, transformer_macs, vit_macs
from harness.training.cost import clip_cost


def test_a_transformer_by_hand() -> None:
    """Per layer and token 12 W^2 for the linear layers, and 2 L W for attention."""
    assert transformer_macs(2, 8, 5) == 2 * 5 * (12 * 64 + 2 * 5 * 8)


@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-16", "ViT-L-14"])
def test_a_vit_of_clip(name: str) -> None:
    config = open_clip.get_model_config(name)
    vision = config["vision_cfg"]
    shape = (vision[key] for key in ("layers", "width", "patch_size", "image_size"))
    assert vit_macs(*shape, config["embed_dim"]) == clip_cost(name).macs


@pytest.mark.parametrize("name", ["RN50", "RN50x4"])
def test_a_resnet_of_clip(name: str) -> None:
    config = open_clip.get_model_config(name)
    vision = config["vision_cfg"]
    shape = (vision[key] for key in ("layers", "width", "image_size"))
    assert clip_resnet_macs(*shape, config["embed_dim"]) == clip_cost(name).macs


def test_a_count_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    assert known("a", 224) is None
    assert counted("a", 224, lambda: 17.5) == 17.5
    assert counted("a", 224, lambda: 3.0) == 17.5
    assert (known("a", 224), known("a", 32), known("b", 224)) == (17.5, None, None)
    (file,) = tmp_path.glob("multiply_adds/*.json")
    for damaged in ("", "{", "null", '"x"', "-1"):
        file.write_text(damaged)
        assert known("a", 224) is None
