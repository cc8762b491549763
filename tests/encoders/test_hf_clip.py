"""hf_clip: facts, features and texts of CLIP and SigLIP, against transformers itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import hf_clip

from . import tiny
from .compare import NONE, TEXTS, assert_same, embedded, prepared


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_it_equals_the_library(root: Path, kind: str) -> None:
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    folder = tiny.hf_clip(root / kind, kind)
    facts = hf_clip.facts(folder, NONE)
    encoder, text = hf_clip.build_image(folder, NONE), hf_clip.build_text(folder, NONE)
    library = AutoModel.from_pretrained(folder).eval()
    pictures = [tiny.picture(seed) for seed in range(3)]
    processor = AutoImageProcessor.from_pretrained(folder)
    expected_BCHW = processor(pictures, return_tensors="pt").pixel_values
    x_BCHW = prepared(encoder, pictures, facts.resolution)
    torch.testing.assert_close(x_BCHW, expected_BCHW)
    padding: dict[str, Any] = {"padding": True}
    if kind == "siglip":
        padding = {"padding": "max_length", "max_length": 12}
    tokens = AutoTokenizer.from_pretrained(folder)(list(TEXTS), return_tensors="pt", **padding)
    tokens.pop("token_type_ids")
    with torch.inference_mode():
        expected_BD = library.get_image_features(x_BCHW).pooler_output
        assert_same(embedded(encoder, x_BCHW), expected_BD)
        assert_same(text.embed(TEXTS), library.get_text_features(**tokens).pooler_output)
        assert encoder.features(torch.randn(1, 3, 48, 48)).shape == (1, facts.feature_dim)
    assert (facts.dim, facts.text_dim) == (16, 16)
    assert facts.feature_dim == (20 if kind == "clip" else 16)
    assert facts.logit_scale == pytest.approx(library.logit_scale.exp().item())


def test_facts_name_the_kind_of_tower(root: Path) -> None:
    """SigLIP pools by attention: it has no class token."""
    for kind, tower in (("clip", "vit"), ("siglip", "other")):
        folder = tiny.hf_clip(root / f"{kind}_tower", kind)
        assert hf_clip.facts(folder, NONE).tower == tower


def test_any_resolution_is_read_without_preparing(root: Path) -> None:
    encoder = hf_clip.build_image(tiny.hf_clip(root / "sizes"), NONE)
    encoder.resize(48)
    x_BCHW = prepared(encoder, [tiny.picture(1)], 48)
    assert x_BCHW.shape == (1, 3, 48, 48)
    assert encoder.features(x_BCHW).shape == (1, 20)


def test_a_folder_needs_no_fetching(root: Path) -> None:
    assert hf_clip.fetch(tiny.hf_clip(root / "here"), NONE) is False


def test_folders_that_do_not_fit(root: Path) -> None:
    folder = Path(tiny.hf_clip(root / "unfit"))
    with pytest.raises(EncoderError, match="model of type 'bert'"):
        hf_clip.facts(tiny.bert(root / "bert_as_clip"), NONE)
    (root / "no_config").mkdir()
    with pytest.raises(EncoderError, match=r"no config\.json"):
        hf_clip.facts(str(root / "no_config"), NONE)
    with pytest.raises(EncoderError, match="there is no folder"):
        hf_clip.facts(str(root / "no" / "where"), NONE)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="is missing"):
        hf_clip.build_image(str(folder), NONE)
    config["vision_config"] |= {"num_hidden_layers": 2, "hidden_size": 32}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="cannot be loaded"):
        hf_clip.build_image(str(folder), NONE)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(EncoderError, match="cut short"):
        hf_clip.facts(str(folder), NONE)
    weights.unlink()
    with pytest.raises(EncoderError, match="holds no weights"):
        hf_clip.facts(str(folder), NONE)
