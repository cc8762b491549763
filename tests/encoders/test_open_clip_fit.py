"""Whether a file is one of an architecture: traits of shapes and configs, and what is said."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import open_clip
from harness.encoders._open_clip_fit import traits_of_config, traits_of_shapes
from harness.encoders._open_clip_library import architectures, config_of

from . import tiny


@pytest.mark.parametrize("config", [tiny.VIT, tiny.RESNET, tiny.CUSTOM, tiny.COCA, tiny.TIMM_TOWER])
def test_shapes_tell_the_traits_of_their_config(config: Any) -> None:
    with torch.device("meta"):
        tensors = open_clip._empty(config).state_dict()
    found = traits_of_shapes({name: tuple(t.shape) for name, t in tensors.items()})
    wanted = traits_of_config(config)
    shared = found.keys() & wanted.keys()
    assert {k: found[k] for k in shared} == {k: wanted[k] for k in shared}
    assert wanted.keys() - shared <= {"embedding"}


@pytest.mark.parametrize("arch", ["ViT-B-32", "ViT-L-14-336", "RN50x4", "ViT-B-16-plus-240"])
def test_every_trait_of_published_architectures(arch: str) -> None:
    with torch.device("meta"):
        tensors = open_clip._empty(config_of(arch)).state_dict()
    found = traits_of_shapes({name: tuple(t.shape) for name, t in tensors.items()})
    assert found == traits_of_config(config_of(arch))


def changed(tmp_path: Path, part: str, **values: Any) -> str:
    """Weights of VIT under a config that differs from it."""
    file = tiny.open_clip_model(tmp_path / "w", tiny.VIT).partition("@")[2]
    config = json.loads(json.dumps(tiny.VIT))
    (config[part] if part else config).update(values)
    (tmp_path / "other.json").write_text(json.dumps(config))
    return f"{tmp_path / 'other.json'}@{file}"


@pytest.mark.parametrize(
    ("part", "key", "value", "words"),
    [
        ("", "embed_dim", 32, "its embeddings are 16 wide, not 32"),
        ("vision_cfg", "width", 32, "its features are 24 wide, not 32"),
        ("vision_cfg", "layers", 3, "its visual tower has 2 layers, not 3"),
        ("vision_cfg", "layers", [1, 1, 1, 1], "its visual tower has 2 layers, not 1-1-1-1"),
        ("vision_cfg", "image_size", 48, "its pictures have 4 patches a side, not 6"),
        ("vision_cfg", "patch_size", 16, "its patches have sides of 8 pixels, not 16"),
        ("text_cfg", "width", 16, "its text tower is 8 wide, not 16"),
        ("text_cfg", "layers", 4, "its text tower has 2 layers, not 4"),
        ("text_cfg", "context_length", 77, "its texts have 12 tokens, not 77"),
        ("text_cfg", "vocab_size", 100, "it knows 49408 tokens, not 100"),
    ],
)
def test_every_difference_is_named(
    tmp_path: Path, part: str, key: str, value: Any, words: str
) -> None:
    """open_clip itself would interpolate the positions of two of them, without a word."""
    with pytest.raises(EncoderError, match=f"other.json: {words}"):
        open_clip.facts(changed(tmp_path, part, **{key: value}), open_clip.Options())


@pytest.mark.parametrize(
    ("arch", "given", "fits"),
    [
        ("ViT-L-14-336", "ViT-L-14", "its pictures have 24 patches a side, not 16"),
        ("ViT-B-16", "ViT-B-32", "its patches have sides of 16 pixels, not 32"),
        ("RN101", "RN50", "its visual tower has 3-4-23-3 layers, not 3-4-6-3"),
    ],
)
def test_the_architecture_that_fits_is_named(
    tmp_path: Path, arch: str, given: str, fits: str
) -> None:
    from harness.encoders._open_clip_fit import check_fit

    with torch.device("meta"):
        tensors = open_clip._empty(config_of(arch)).state_dict()
    shapes = {name: tuple(t.shape) for name, t in tensors.items()}
    with pytest.raises(EncoderError, match=f"no checkpoint of {given}: {fits}; .* those of {arch}"):
        check_fit(tmp_path / "w.pt", given, config_of(given), shapes, architectures())


def test_tensors_named_as_elsewhere(tmp_path: Path) -> None:
    config, _, file = tiny.open_clip_model(tmp_path / "w", tiny.VIT).partition("@")
    tensors = torch.load(file, weights_only=True)
    torch.save({"state_dict": {f"clip.{k}": v for k, v in tensors.items()}}, tmp_path / "pl.ckpt")
    with pytest.raises(EncoderError, match=r"are named clip\.\*, as clip\.visual\..* without"):
        open_clip.facts(f"{config}@{tmp_path / 'pl.ckpt'}", open_clip.Options())
    tiny.hf_clip(tmp_path / "hf")
    with pytest.raises(EncoderError, match=r"a model of transformers .* hf_clip:FOLDER"):
        open_clip.facts(f"{config}@{tmp_path / 'hf/model.safetensors'}", open_clip.Options())
