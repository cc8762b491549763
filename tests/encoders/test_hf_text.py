"""hf_text: texts pooled over their tokens or at the first, against transformers itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.core.text_context import TextContext
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


def test_a_tokenizer_without_padding_or_at_the_left(root: Path) -> None:
    """A tower that reads from left to right, as GPT-2: a batch equals one text at a time."""
    from transformers import GPT2Config, GPT2Model

    folder = Path(tiny.t5(root / "gpt"))  # of which the tokenizer stays
    torch.manual_seed(0)
    config = GPT2Config(
        n_embd=12, n_layer=2, n_head=2, n_positions=16, vocab_size=32, bos_token_id=2,
        eos_token_id=12,
    )  # fmt: skip
    GPT2Model(config).eval().save_pretrained(folder)
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text()) | {"padding_side": "left"}
    for pad in ({}, {"pad_token": None}):
        file.write_text(json.dumps(settings | pad))
        tower = hf_text.build_text(str(folder), hf_text.Options())
        assert_same(tower.encode(TEXTS).detach(), tower.embed(TEXTS))
        context_ME = tower.token_vectors("a photo of")
        with_words = tower.embed([f"a photo of {text}" for text in TEXTS])
        assert_same(tower.encode(TEXTS, TextContext(context_ME)).detach(), with_words)


def test_the_form_of_tokenizers_like_berts(root: Path) -> None:
    folder = Path(tiny.bert(root / "form"))
    form = hf_text.facts(str(folder), hf_text.Options()).text_form
    assert form.clean("Caf\u00e9  Noir") == "cafe noir"
    assert form.script is None  # a vocabulary of 32 words says nothing
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text())
    file.write_text(json.dumps(settings | {"do_lower_case": False}))
    kept = hf_text.facts(str(folder), hf_text.Options()).text_form
    assert kept.clean("Caf\u00e9 Noir") == "Caf\u00e9 Noir"
    file.write_text(json.dumps(settings | {"tokenizer_class": "T5Tokenizer"}))
    other = hf_text.facts(str(folder), hf_text.Options()).text_form
    assert other.clean("Caf\u00e9  Noir") == "Caf\u00e9  Noir"
