"""open_clip: facts, features and texts, against what the library says of the same pictures."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import open_clip

from . import tiny
from .compare import TEXTS, assert_same, embedded, prepared

CONFIGS = {"vit": tiny.VIT, "resnet": tiny.RESNET, "timm": tiny.TIMM_TOWER, "map": tiny.TIMM_MAP}


@pytest.mark.parametrize("name", CONFIGS)
def test_it_equals_the_library(root: Path, name: str) -> None:
    from open_clip import SimpleTokenizer
    from open_clip.transform import PreprocessCfg, image_transform_v2

    reference = tiny.open_clip_model(root / name, CONFIGS[name])
    facts = open_clip.facts(reference, open_clip.Options())
    encoder = open_clip.build_image(reference, open_clip.Options())
    library = tiny.open_clip_reference(root / name / "tiny.json").model
    transform = image_transform_v2(PreprocessCfg(size=facts.resolution), is_train=False)
    pictures = [tiny.picture(seed) for seed in range(3)]
    x_BCHW = prepared(encoder, pictures, facts.resolution)
    assert torch.equal(x_BCHW, torch.stack([transform(p) for p in pictures]))
    with torch.inference_mode():
        expected_BD = library.encode_image(x_BCHW)
        assert_same(embedded(encoder, x_BCHW), expected_BD)
        tokens = SimpleTokenizer(context_length=12)(list(TEXTS))
        text = open_clip.build_text(reference, open_clip.Options())
        assert_same(text.embed(TEXTS), library.encode_text(tokens))
    weight_DF, _ = encoder.projection()
    assert weight_DF.shape == (facts.dim, facts.feature_dim)
    assert facts.text_dim == facts.dim == expected_BD.shape[1]
    assert facts.logit_scale == pytest.approx(library.logit_scale.exp().item())


@pytest.mark.parametrize("name", CONFIGS)
def test_every_parameter_of_the_module_moves_the_features(root: Path, name: str) -> None:
    """Full tuning trains `module`: a tensor without a gradient would only be carried along."""
    reference = tiny.open_clip_model(root / name, CONFIGS[name])
    encoder = open_clip.build_image(reference, open_clip.Options())
    encoder.module.requires_grad_()
    size = open_clip.facts(reference, open_clip.Options()).resolution
    encoder.features(torch.randn(2, 3, size, size)).square().sum().backward()
    idle = [n for n, p in encoder.module.named_parameters() if p.grad is None]
    assert idle == []


def test_it_reads_safetensors_and_wrapped_checkpoints(root: Path) -> None:
    """As training scripts, DistributedDataParallel and torch.compile write them."""
    reference = tiny.open_clip_model(root / "forms", tiny.VIT, "weights.pt")
    config, _, file = reference.partition("@")
    tensors = torch.load(file, weights_only=True)
    for name, wrapper, prefix in (
        ("ddp.pt", "state_dict", "module."), ("compiled.pt", "model", "_orig_mod."),
        ("both.pt", "state_dict", "module._orig_mod."),
    ):  # fmt: skip
        wrapped = {"epoch": 3, wrapper: {f"{prefix}{k}": v for k, v in tensors.items()}}
        torch.save(wrapped, root / "forms" / name)
    tiny.open_clip_model(root / "forms", tiny.VIT, "weights.safetensors")
    x_BCHW = torch.randn(2, 3, 32, 32)
    names = ("ddp.pt", "compiled.pt", "both.pt", "weights.safetensors")
    with torch.inference_mode():
        expected_BD = embedded(open_clip.build_image(reference, open_clip.Options()), x_BCHW)
        for name in names:
            argument = f"{config}@{root / 'forms' / name}"
            encoder = open_clip.build_image(argument, open_clip.Options())
            assert torch.equal(embedded(encoder, x_BCHW), expected_BD)


@pytest.mark.parametrize("form", ["safetensors", "pt"])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_narrow_weights_are_read_as_their_values(root: Path, dtype: torch.dtype, form: str) -> None:
    from safetensors.torch import save_file

    config, _, file = tiny.open_clip_model(root / "narrow", tiny.VIT).partition("@")
    narrow = {k: v.to(dtype) for k, v in torch.load(file, weights_only=True).items()}
    path = root / "narrow" / f"{dtype}.{form}"
    (save_file if form == "safetensors" else torch.save)(narrow, path)
    facts = open_clip.facts(f"{config}@{path}", open_clip.Options())
    assert facts.logit_scale == pytest.approx(math.exp(narrow["logit_scale"].item()))
    library = tiny.open_clip_reference(Path(config)).model
    library.load_state_dict(narrow)  # copied into float32
    x_BCHW = torch.randn(2, 3, 32, 32)
    with torch.inference_mode():
        encoder = open_clip.build_image(f"{config}@{path}", open_clip.Options())
        assert_same(embedded(encoder, x_BCHW), library.encode_image(x_BCHW))


def test_a_folder_is_its_usual_file(root: Path) -> None:
    config = tiny.open_clip_model(root / "hub", tiny.VIT, "open_clip_model.safetensors")
    whole, folder = (
        open_clip.facts(argument, open_clip.Options()).weights
        for argument in (config, f"{root / 'hub' / 'tiny.json'}@{root / 'hub'}")
    )
    assert whole == folder


def test_weights_that_are_not_numbers(root: Path) -> None:
    config, _, file = tiny.open_clip_model(root / "nan", tiny.VIT).partition("@")
    tensors = torch.load(file, weights_only=True)
    tensors["visual.ln_post.bias"][3] = float("nan")
    torch.save(tensors, root / "nan.pt")
    with pytest.raises(EncoderError, match=r"visual.ln_post.bias holds values that are not number"):
        open_clip.build_image(f"{config}@{root / 'nan.pt'}", open_clip.Options())


@pytest.mark.parametrize(
    ("name", "tower"),
    [("vit", "vit"), ("resnet", "resnet"), ("timm", "vit"), ("map", "vit"), ("convnext", "other")],
)
def test_facts_name_the_kind_of_tower(root: Path, name: str, tower: str) -> None:
    configs = {**CONFIGS, "convnext": tiny.TIMM_CONVNEXT}
    reference = tiny.open_clip_model(root / name, configs[name])
    assert open_clip.facts(reference, open_clip.Options()).tower == tower


def test_weights_of_another_architecture(root: Path) -> None:
    file = tiny.open_clip_model(root / "vit", tiny.VIT).partition("@")[2]
    for arch in ("ViT-B-32", "RN50"):
        with pytest.raises(EncoderError, match=f"is no checkpoint of {arch}"):
            open_clip.facts(f"{arch}@{file}", open_clip.Options())


def test_weights_of_another_depth(root: Path) -> None:
    file = tiny.open_clip_model(root / "vit", tiny.VIT).partition("@")[2]
    deeper = json.loads(json.dumps(tiny.VIT))
    deeper["vision_cfg"]["layers"] = 3
    (root / "deeper.json").write_text(json.dumps(deeper))
    with pytest.raises(
        EncoderError,
        match=r"is no checkpoint of .*deeper.json: its visual tower has 2 layers, not 3",
    ):
        open_clip.build_image(f"{root / 'deeper.json'}@{file}", open_clip.Options())


def test_a_file_of_ones_own_needs_no_fetching(root: Path) -> None:
    assert (
        open_clip.fetch(tiny.open_clip_model(root / "vit", tiny.VIT), open_clip.Options()) is False
    )
