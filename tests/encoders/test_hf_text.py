"""hf_text: texts pooled over their tokens or at the first, against transformers itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import hf_text

from . import tiny
from .compare import TEXTS, assert_same


def test_it_equals_the_library(root: Path) -> None:
    from transformers import AutoTokenizer, BertModel

    folder = tiny.bert(root / "bert")
    tokens = AutoTokenizer.from_pretrained(folder)(list(TEXTS), padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden_NTD = BertModel.from_pretrained(folder, add_pooling_layer=False)(**tokens)[0]
        mask_NT1 = tokens["attention_mask"][..., None]
        mean_ND = (hidden_NTD * mask_NT1).sum(dim=1) / mask_NT1.sum(dim=1)
        for pooling, expected in (("mean", mean_ND), ("cls", hidden_NTD[:, 0])):
            options = hf_text.Options(pooling=pooling)
            assert_same(hf_text.build_text(folder, options).embed(TEXTS), expected)
    assert hf_text.facts(folder, hf_text.Options()).text_dim == 12
    weights = {hf_text.facts(folder, hf_text.Options(pooling=p)).weights for p in ("mean", "cls")}
    assert len(weights) == 2


def test_there_is_no_image_side(root: Path) -> None:
    facts = hf_text.facts(tiny.bert(root / "bert"), hf_text.Options())
    assert (facts.dim, facts.text_dim, facts.feature_dim) == (12, 12, 0)
    assert facts.tower == "other"
    assert hf_text.READS == ("texts",)


def test_a_config_without_a_width_is_refused(root: Path) -> None:
    folder = Path(tiny.bert(root / "narrow"))
    config = json.loads((folder / "config.json").read_text())
    del config["hidden_size"]
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match=r"names no width \(hidden_size, "):
        hf_text.facts(str(folder), hf_text.Options())
