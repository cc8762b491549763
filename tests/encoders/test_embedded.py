"""embedded/lit-emoji: the right tensors in the right place, and all of them in its hashes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch.nn import functional as F

from harness.core.errors import EncoderError
from harness.data import emoji
from harness.encoders import embedded
from harness.training.features import FeatureStore

from .compare import NONE


@pytest.fixture(scope="module")
def image_encoder() -> embedded.LitEmojiImage:
    return embedded.build_image("lit-emoji", NONE)


@pytest.fixture(scope="module")
def text_encoder() -> embedded.LitEmojiText:
    return embedded.build_text("lit-emoji", NONE)


def test_the_backbone_knows_imagenet(image_encoder: embedded.LitEmojiImage) -> None:
    """A photo of a Chinese palace on a lake: were one tensor in another's place, the answer would
    be noise.
    """
    import timm
    from sklearn.datasets import load_sample_image

    saved = torch.load(embedded.backbone_file(), weights_only=True)
    model = timm.create_model("efficientnet_lite0").eval()
    assert len(saved) == len(model.state_dict()) == 296
    head = dict(zip(model.state_dict(), saved.values(), strict=True))
    photo = image_encoder.preprocess(Image.fromarray(load_sample_image("china.jpg")), 224)
    with torch.inference_mode():
        h_1F = image_encoder.features(photo[None])
        logits_C = F.linear(h_1F, head["classifier.weight"], head["classifier.bias"])[0]
    palace, bell_cote = 698, 442
    assert {palace, bell_cote} <= set(logits_C.topk(5).indices.tolist())


def test_preprocessing_is_the_declared_one(image_encoder: embedded.LitEmojiImage) -> None:
    x_CHW = image_encoder.preprocess(Image.new("RGB", (72, 73), (127, 255, 0)), 64)
    assert x_CHW.shape == (3, 64, 64)
    expected = torch.tensor([0.0, 1.0, -127 / 128])
    torch.testing.assert_close(x_CHW.mean(dim=(1, 2)), expected, atol=1e-6, rtol=0)


def test_facts_fit_the_encoders(
    image_encoder: embedded.LitEmojiImage, text_encoder: embedded.LitEmojiText
) -> None:
    facts = embedded.facts("lit-emoji", NONE)
    weight_DF, bias_D = image_encoder.projection()
    assert weight_DF.shape == (facts.dim, facts.feature_dim)
    assert facts.tower == "resnet"
    assert bias_D.shape == (facts.dim,)
    assert text_encoder.embed(["a cat", "a dog"]).shape == (2, facts.text_dim)


def test_text_knows_meaning(text_encoder: embedded.LitEmojiText) -> None:
    cat, kitten, tractor = F.normalize(text_encoder.embed(["cat", "kitten", "tractor"]), dim=-1)
    assert cat @ kitten > cat @ tractor + 0.2


def test_text_equals_a_padded_batch(text_encoder: embedded.LitEmojiText) -> None:
    """One at a time or as sentence encoders do it, with a mask over the padding."""
    from transformers import AutoModel, AutoTokenizer

    folder = str(embedded.text_file().parent)
    tokens = AutoTokenizer.from_pretrained(folder)(
        ["cat", "a slice of pizza"], padding=True, return_tensors="pt"
    )
    with torch.inference_mode():
        hidden_NTD = AutoModel.from_pretrained(folder)(**tokens).last_hidden_state
    mask_NT1 = tokens["attention_mask"][..., None]
    mean_ND = (hidden_NTD * mask_NT1).sum(dim=1) / mask_NT1.sum(dim=1)
    found = embedded.load_text_tower().embed(["cat", "a slice of pizza"])
    torch.testing.assert_close(found, mean_ND, atol=1e-5, rtol=1e-4)


def test_another_name_is_an_error_with_the_nearest() -> None:
    with pytest.raises(EncoderError, match="Did you mean 'lit-emoji'"):
        embedded.facts("lit-emoij", NONE)


def test_features_do_not_depend_on_what_was_computed_beside_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, image_encoder: embedded.LitEmojiImage
) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path))
    data = emoji.open_dataset("", NONE)
    facts = embedded.facts("lit-emoji", NONE)
    items = list(data.test.ids[:20])

    def store(resolution: int) -> FeatureStore:
        return FeatureStore(data, facts, lambda: image_encoder, resolution)

    whole = store(64).get(items)
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "other"))
    store(64).get(items[7:9])
    store(64).get(items[::3])
    assert torch.equal(store(64).get(items), whole)
    shards = list((tmp_path / "other" / "features").rglob("*.npy"))
    assert sum(len(np.load(s)) for s in shards) == 20  # nothing was computed twice


@pytest.mark.parametrize(
    "name", ["model.safetensors", "tokenizer.json", "config.json", "tokenizer_config.json"]
)
def test_every_file_that_texts_are_read_with_is_hashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    for file in embedded.text_file().parent.glob("*"):
        if file.is_file():
            (tmp_path / file.name).symlink_to(file)
    monkeypatch.setattr(embedded, "text_file", lambda: tmp_path / "model.safetensors")
    before = embedded.facts("lit-emoji", NONE)
    (tmp_path / name).unlink()
    (tmp_path / name).write_bytes(b"another")
    after = embedded.facts("lit-emoji", NONE)
    assert after.weights != before.weights
    assert after.backbone == before.backbone
