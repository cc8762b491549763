"""Where the parts of an open_clip model are, and what is said of names that do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core.errors import EncoderError
from harness.encoders import _open_clip_source, open_clip
from harness.encoders._open_clip_trained import Stated

from . import tiny


@pytest.mark.parametrize(
    ("reference", "word"),
    [
        ("ViT-B-23/openai", "Did you mean 'ViT-B-32'"),
        ("ViT-B-32/laion2b_s34b_b79", "Did you mean 'laion2b_s34b_b79k'"),
        ("ViT-B-32/openai", "ViT-B-32-quickgelu/openai"),
        ("ViT-B-32", "write open_clip:ARCH/PRETRAINED"),
        ("ViT-B-32@", "write open_clip:ARCH/PRETRAINED"),
        ("nowhere.json@x.pt", "there is no file nowhere.json"),
    ],
)
def test_open_clip_says_what_it_cannot_find(reference: str, word: str) -> None:
    with pytest.raises(EncoderError, match=word):
        open_clip.facts(reference, open_clip.Options())


def test_a_file_of_ones_own_has_its_architecture_and_preprocessing(root: Path) -> None:
    declared = {"mean": [0.5] * 3, "resize_mode": "squash", "size": 32}
    reference = tiny.open_clip_model(
        root / "own", {"model_cfg": tiny.VIT, "preprocess_cfg": declared}
    )
    source = _open_clip_source.locate(reference, Stated())
    assert source.arch == str(root / "own" / "tiny.json")
    assert source.file == root / "own" / "weights.pt"
    assert source.config == tiny.VIT
    assert source.preprocess == {"mean": [0.5] * 3, "resize_mode": "squash"}


@pytest.mark.parametrize(
    ("argument", "parts"),
    [
        ("ViT-B-32/laion2b_s34b_b79k", ("ViT-B-32", "laion2b_s34b_b79k", "")),
        ("ViT-B/32/openai", ("ViT-B-32", "openai", "")),
        ("ViT-B-32@/a/b.pt", ("ViT-B-32", "", "/a/b.pt")),
        ("x/config.json@y.pt", ("x/config.json", "", "y.pt")),
    ],
)
def test_an_argument_has_an_architecture_and_its_weights(
    argument: str, parts: tuple[str, str, str]
) -> None:
    assert _open_clip_source.parts(argument) == parts


def test_files_of_the_hub_are_looked_for_as_safetensors_first() -> None:
    assert _open_clip_source.candidates("a.bin") == ("a.safetensors", "a.bin")
    assert _open_clip_source.candidates("")[0].endswith(".safetensors")
