"""Views of support pictures: the crops that they are, and their features in the cache."""

from __future__ import annotations

import hashlib
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageOps

from harness.core.facts import EncoderFacts
from harness.encoders._pixels import Undivided
from harness.sampling.support_views import RandomCrop, RandomCrops
from harness.sampling.views import FrameView, Views
from harness.training import extraction
from harness.training.features import FeatureStore
from harness.training.item_views import ItemViews
from harness.training.support_crops import crop_of

SIDE = 8
CROPS = RandomCrops(20, (0.3, 0.9), True)


class Noise:
    """Pictures of 20 x 15 pixels whose content is their name."""

    kind = "pictures"
    manifest = "noise"

    def __init__(self) -> None:
        self.reads: list[str] = []

    def image(self, item: str) -> Image.Image:
        self.reads.append(item)
        seed = int.from_bytes(hashlib.sha256(item.encode()).digest()[:4], "big")
        pixels = np.random.default_rng(seed).integers(0, 256, (15, 20, 3), dtype=np.uint8)
        return Image.fromarray(pixels)

    def fingerprint(self, item: str) -> str:
        return f"content {item}"


class Pixels(Undivided):
    """Its features are the pixels; a picture of another size is not resized."""

    def __init__(self) -> None:
        self.encoded = 0

    def preprocess(self, image: Image.Image, resolution: int) -> torch.Tensor:
        return self.as_tensor(image.resize((resolution, resolution)))

    def as_tensor(self, image: Image.Image) -> torch.Tensor:
        return torch.from_numpy(np.asarray(image, dtype=np.float32).copy())

    def features(self, x_BHWC: torch.Tensor) -> torch.Tensor:
        self.encoded += len(x_BHWC)
        return x_BHWC.flatten(1)


FACTS = EncoderFacts("weights", "pixels", 1, 3 * SIDE * SIDE, SIDE, 1.0)


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HARNESS_CACHE", str(tmp_path / "cache"))


def features(crops: RandomCrops, items: list[str], encoder: Any = None, data: Any = None) -> Any:
    """(N, V, F)."""
    store = FeatureStore(data or Noise(), FACTS, lambda: encoder or Pixels(), SIDE)
    views = ItemViews(data or Noise(), items, None, Views(random=crops))
    return store.get(views).reshape(len(items), crops.n, -1)


def independent(item: str, number: int) -> tuple[Image.Image, bool]:
    """The crop of a picture by the definition alone."""
    text = f"None/support view/content {item}/{number}/0.3/0.9/True"
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") >> 1
    stream = np.random.default_rng(seed)
    while True:
        area = 20 * 15 * stream.uniform(0.3, 0.9)
        ratio = math.exp(stream.uniform(math.log(3 / 4), math.log(4 / 3)))
        width, height = math.sqrt(area * ratio), math.sqrt(area / ratio)
        if width <= 20 and height <= 15:
            break
    left, top = stream.uniform(0, 20 - width), stream.uniform(0, 15 - height)
    box = (left, top, left + width, top + height)
    crop = Noise().image(item).resize((SIDE, SIDE), Image.Resampling.BICUBIC, box=box)
    flip = bool(stream.random() < 0.5)
    return (ImageOps.mirror(crop) if flip else crop), flip


def test_features_are_those_of_crops_drawn_by_the_definition() -> None:
    h_NVF = features(CROPS, ["a", "b"])
    flips = []
    for i, item in enumerate(["a", "b"]):
        for number in range(CROPS.n):
            crop, flip = independent(item, number)
            flips.append(flip)
            expected_F = np.asarray(crop, dtype=np.float32).ravel()
            # Boxes in fractions and in pixels differ in their last bits.
            np.testing.assert_allclose(h_NVF[i, number].numpy(), expected_F, atol=1)
    assert 5 < sum(flips) < 35


def test_crops_stay_in_their_range() -> None:
    for number in range(200):
        draw = crop_of(RandomCrop(number, (0.3, 0.9), False), "a", (100, 100))
        left, top, width, height = draw.box
        assert 0.3 - 1e-9 <= width * height <= 0.9 + 1e-9
        assert 3 / 4 - 1e-9 <= width / height <= 4 / 3 + 1e-9
        assert min(left, top) >= 0
        assert max(left + width, top + height) <= 1 + 1e-9
        assert not draw.flip


def test_views_are_encoded_once_and_read_again() -> None:
    first, second = Pixels(), Pixels()
    h_NVF = features(CROPS, ["a", "b"], first)
    assert first.encoded == 48, "40 crops in batches of 16"
    torch.testing.assert_close(features(CROPS, ["a", "b"], second), h_NVF, rtol=0, atol=0)
    few = features(RandomCrops(5, CROPS.scale, CROPS.flip), ["b"], second)
    assert torch.equal(few[0], h_NVF[1, :5])
    assert second.encoded == 0


@pytest.mark.parametrize(
    "other", [RandomCrops(20, (0.3, 1.0), True), RandomCrops(20, CROPS.scale, False)]
)
def test_other_values_are_other_views(other: RandomCrops) -> None:
    h_NVF = features(CROPS, ["a"])
    encoder = Pixels()
    others_NVF = features(other, ["a"], encoder)
    assert encoder.encoded == 32
    assert not any(torch.equal(h_NVF[0, v], others_NVF[0, v]) for v in range(20))


def test_whole_pictures_have_features_of_their_own() -> None:
    encoder = Pixels()
    features(CROPS, ["a"])
    store = FeatureStore(Noise(), FACTS, lambda: encoder, SIDE)  # type: ignore[arg-type]
    (whole_F,) = store.get(["a"])
    assert encoder.encoded == 16
    resized = Noise().image("a").resize((SIDE, SIDE))
    assert whole_F.numpy().tolist() == np.asarray(resized, dtype=np.float32).ravel().tolist()


def test_a_picture_is_read_and_hashed_once_for_the_views_of_a_batch(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hashed: list[Image.Image] = []
    picture_hash = extraction.picture_hash
    monkeypatch.setattr(
        extraction, "picture_hash", lambda image: (hashed.append(image), picture_hash(image))[1]
    )
    data = Noise()
    features(CROPS, ["a", "b"], data=data)
    assert sorted(data.reads) == ["a", "a", "b", "b"], "40 views in batches of 16"
    assert len(hashed) == 4


def test_views_of_very_many_pictures_are_made_when_they_are_asked_for() -> None:
    views = ItemViews(Noise(), ["a", "b"], None, Views(random=CROPS))  # type: ignore[arg-type]
    assert len(views) == 40
    assert views[23] == list(views)[23] == FrameView("b", random=CROPS.at(3))
