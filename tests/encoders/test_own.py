"""Encoders that a researcher brings, against what their libraries say of the same picture."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import EncoderError
from harness.encoders import hf_clip, hf_text, open_clip
from harness.encoders import timm as timm_encoder

from . import tiny

TEXTS = ("a picture of a red car", "blue boat")


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("encoders")


def assert_same(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert expected.std() > 0.01  # or everything would be the same
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def projected(encoder: Any, x_BCHW: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.linear(encoder.features(x_BCHW), *encoder.projection())


# --- open_clip -----------------------------------------------------------------------------------

CONFIGS = {"vit": tiny.VIT, "resnet": tiny.RESNET, "timm": tiny.TIMM_TOWER, "map": tiny.TIMM_MAP}


@pytest.mark.parametrize("name", CONFIGS)
def test_open_clip_equals_the_library(root: Path, name: str) -> None:
    from open_clip import SimpleTokenizer
    from open_clip.transform import PreprocessCfg, image_transform_v2

    options = open_clip.Options()
    reference = tiny.open_clip_model(root / name, CONFIGS[name])
    facts = open_clip.facts(reference, options)
    encoder = open_clip.build_image(reference, options)
    library = tiny.open_clip_reference(root / name / "tiny.json").model
    transform = image_transform_v2(PreprocessCfg(size=facts.resolution), is_train=False)
    pictures = [tiny.picture(seed) for seed in range(3)]
    x_BCHW = torch.stack([encoder.preprocess(p, facts.resolution) for p in pictures])
    assert torch.equal(x_BCHW, torch.stack([transform(p) for p in pictures]))
    with torch.inference_mode():
        expected_BD = library.encode_image(x_BCHW)
        assert_same(projected(encoder, x_BCHW), expected_BD)
        assert_same(encoder.embed(x_BCHW), expected_BD)
        tokens = SimpleTokenizer(context_length=12)(list(TEXTS))
        text = open_clip.build_text(reference, options)
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


def test_open_clip_reads_safetensors_and_wrapped_checkpoints(root: Path) -> None:
    reference = tiny.open_clip_model(root / "forms", tiny.VIT, "weights.pt")
    config, _, file = reference.partition("@")
    tensors = torch.load(file, weights_only=True)
    wrapped = {"epoch": 3, "state_dict": {f"module.{k}": v for k, v in tensors.items()}}
    torch.save(wrapped, root / "forms" / "wrapped.pt")
    tiny.open_clip_model(root / "forms", tiny.VIT, "weights.safetensors")
    x_BCHW = torch.randn(2, 3, 32, 32)
    options = open_clip.Options()
    with torch.inference_mode():
        found = [
            open_clip.build_image(f"{config}@{root / 'forms' / n}", options).embed(x_BCHW)
            for n in ("weights.pt", "wrapped.pt", "weights.safetensors")
        ]
    assert torch.equal(found[0], found[1])
    assert torch.equal(found[0], found[2])


def test_open_clip_resizes_positions_as_the_library_does(root: Path) -> None:
    import json

    import open_clip as library

    reference = tiny.open_clip_model(root / "size", tiny.VIT)
    file = reference.partition("@")[2]
    bigger = json.loads(json.dumps(tiny.VIT))
    bigger["vision_cfg"]["image_size"] = 48
    model = library.CLIP(**bigger).eval()
    library.load_checkpoint(model, file)
    encoder = open_clip.build_image(reference, open_clip.Options())
    encoder.resize(48)
    x_BCHW = torch.stack([encoder.preprocess(tiny.picture(s), 48) for s in range(2)])
    with torch.inference_mode():
        assert_same(encoder.embed(x_BCHW), model.encode_image(x_BCHW))


def test_open_clip_resnet_has_one_resolution(root: Path) -> None:
    reference = tiny.open_clip_model(root / "resnet", tiny.RESNET)
    assert open_clip.facts(reference, open_clip.Options()).fixed_resolution
    with pytest.raises(EncoderError, match="reads pictures of 64 only"):
        open_clip.build_image(reference, open_clip.Options()).resize(96)


def test_open_clip_uses_the_preprocessing_of_its_config(root: Path) -> None:
    declared = {"mean": [0.5] * 3, "std": [0.5] * 3, "resize_mode": "squash"}
    config = {"model_cfg": tiny.VIT, "preprocess_cfg": declared}
    reference = tiny.open_clip_model(root / "declared", config)
    encoder = open_clip.build_image(reference, open_clip.Options())
    white = tiny.picture().point(lambda _: 255)
    torch.testing.assert_close(encoder.preprocess(white, 32), torch.ones(3, 32, 32))


# --- transformers --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_hf_clip_equals_the_library(root: Path, kind: str) -> None:
    from transformers import AutoImageProcessor, AutoModel, AutoTokenizer

    folder = tiny.hf_clip(root / kind, kind)
    options = hf_clip.Options()
    facts = hf_clip.facts(folder, options)
    encoder, text = hf_clip.build_image(folder, options), hf_clip.build_text(folder, options)
    library = AutoModel.from_pretrained(folder).eval()
    pictures = [tiny.picture(seed) for seed in range(3)]
    processor = AutoImageProcessor.from_pretrained(folder)
    expected_BCHW = processor(pictures, return_tensors="pt").pixel_values
    x_BCHW = torch.stack([encoder.preprocess(p, facts.resolution) for p in pictures])
    torch.testing.assert_close(x_BCHW, expected_BCHW)
    padding: dict[str, Any] = {"padding": True}
    if kind == "siglip":
        padding = {"padding": "max_length", "max_length": 12}
    tokens = AutoTokenizer.from_pretrained(folder)(list(TEXTS), return_tensors="pt", **padding)
    tokens.pop("token_type_ids")
    with torch.inference_mode():
        expected_BD = library.get_image_features(x_BCHW).pooler_output
        assert_same(projected(encoder, x_BCHW), expected_BD)
        assert_same(encoder.embed(x_BCHW), expected_BD)
        assert_same(text.embed(TEXTS), library.get_text_features(**tokens).pooler_output)
        assert encoder.features(torch.randn(1, 3, 48, 48)).shape == (1, facts.feature_dim)
    assert (facts.dim, facts.text_dim) == (16, 16)
    assert facts.feature_dim == (20 if kind == "clip" else 16)
    assert facts.logit_scale == pytest.approx(library.logit_scale.exp().item())


def test_hf_text_equals_the_library(root: Path) -> None:
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


# --- timm ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["test_resnet", "test_vit", "test_convnext"])
def test_timm_equals_the_library(root: Path, name: str) -> None:
    import timm
    from safetensors.torch import load_file

    reference = tiny.timm_model(root / name, name)
    options = timm_encoder.Options()
    facts = timm_encoder.facts(reference, options)
    encoder = timm_encoder.build_image(reference, options)
    library = timm.create_model(name).eval()
    library.load_state_dict(load_file(root / name / "weights.safetensors"))
    x_BCHW = torch.stack([encoder.preprocess(tiny.picture(s), facts.resolution) for s in range(2)])
    with torch.inference_mode():
        expected = library.forward_head(library.forward_features(x_BCHW), pre_logits=True)
        assert_same(projected(encoder, x_BCHW), expected)
        assert_same(encoder.embed(x_BCHW), expected)
        encoder.resize(96)
        assert encoder.features(torch.randn(1, 3, 96, 96)).shape == (1, facts.feature_dim)
    assert facts.text_dim is None
    assert not hasattr(timm_encoder, "build_text")


def test_timm_reads_a_checkpoint_without_a_classifier(root: Path) -> None:
    name, _, file = tiny.timm_model(root / "whole", "test_vit").partition("@")
    from safetensors.torch import load_file

    tensors = {k: v for k, v in load_file(file).items() if not k.startswith("head.")}
    torch.save({"state_dict": tensors}, root / "bare.pt")
    options = timm_encoder.Options()
    x_BCHW = torch.randn(2, 3, 160, 160)
    with torch.inference_mode():
        whole, bare = (
            timm_encoder.build_image(f"{name}@{path}", options).features(x_BCHW)
            for path in (file, root / "bare.pt")
        )
    assert torch.equal(whole, bare)


# --- where modules over time can be put -----------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "tower"),
    [("vit", "vit"), ("resnet", "resnet"), ("timm", "vit"), ("map", "vit"), ("convnext", "other")],
)
def test_open_clip_knows_its_tower(root: Path, name: str, tower: str) -> None:
    configs = {**CONFIGS, "convnext": tiny.TIMM_CONVNEXT}
    reference = tiny.open_clip_model(root / name, configs[name])
    assert open_clip.facts(reference, open_clip.Options()).tower == tower


@pytest.mark.parametrize(
    ("name", "tower"),
    [
        ("test_vit", "vit"), ("test_resnet", "resnet"), ("test_efficientnet", "resnet"),
        ("test_convnext", "other"), ("test_vit3", "other"),
    ],
)  # fmt: skip
def test_timm_knows_its_tower(root: Path, name: str, tower: str) -> None:
    """test_vit3 has no class token."""
    reference = tiny.timm_model(root / name, name)
    assert timm_encoder.facts(reference, timm_encoder.Options()).tower == tower


def test_transformers_tower(root: Path) -> None:
    """SigLIP pools by attention: it has no class token."""
    for kind, tower in (("clip", "vit"), ("siglip", "other")):
        folder = tiny.hf_clip(root / f"{kind}_tower", kind)
        assert hf_clip.facts(folder, hf_clip.Options()).tower == tower
    assert hf_text.facts(tiny.bert(root / "bert_tower"), hf_text.Options()).tower == "other"


# --- what cannot be ------------------------------------------------------------------------------


class Code:
    """Runs a function when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., Any], tuple[str]]:
        return (print, ("this must never be printed",))


@pytest.fixture(scope="module")
def vit(root: Path) -> tuple[str, Path]:
    """(config, file) of a ViT."""
    config, _, file = tiny.open_clip_model(root / "bad", tiny.VIT).partition("@")
    return config, Path(file)


def damaged(kind: str, file: Path) -> Path:
    out = file.with_name(f"{kind}.pt")
    if kind == "text":
        out.write_text("hello")
    elif kind == "cut":
        out.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    elif kind == "empty":
        out.write_bytes(b"")
    elif kind == "code":
        torch.save({"visual.proj": torch.zeros(24, 16), "x": Code()}, out)
    elif kind == "list":
        torch.save([1, 2], out)
    elif kind == "cut_safetensors":
        from safetensors.torch import save_file

        out = file.with_name("cut.safetensors")
        save_file({"a": torch.zeros(100)}, out)
        out.write_bytes(out.read_bytes()[:-8])
    return out


@pytest.mark.parametrize(
    ("kind", "word"),
    [
        ("missing", "there is no file"),
        ("text", "is no checkpoint"),
        ("cut", "cut short"),
        ("empty", "cut short"),
        ("code", "holds code"),
        ("list", "no named tensors"),
        ("cut_safetensors", "cut short"),
    ],
)
def test_a_file_that_is_no_checkpoint(
    vit: tuple[str, Path], capsys: pytest.CaptureFixture[str], kind: str, word: str
) -> None:
    config, file = vit
    bad = damaged(kind, file)
    for plugin, reference in ((open_clip, f"{config}@{bad}"), (timm_encoder, f"test_vit@{bad}")):
        with pytest.raises(EncoderError, match=word):
            plugin.facts(reference, plugin.Options())
    assert "never be printed" not in capsys.readouterr().out


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


@pytest.mark.parametrize("arch", ["ViT-B-32", "RN50"])
def test_weights_of_another_architecture(vit: tuple[str, Path], arch: str) -> None:
    with pytest.raises(EncoderError, match=f"is no checkpoint of {arch}"):
        open_clip.facts(f"{arch}@{vit[1]}", open_clip.Options())


def test_weights_of_another_depth_or_shape(vit: tuple[str, Path], root: Path) -> None:
    import json

    deeper = json.loads(json.dumps(tiny.VIT))
    deeper["vision_cfg"]["layers"] = 3
    (root / "deeper.json").write_text(json.dumps(deeper))
    with pytest.raises(EncoderError, match=r"is no checkpoint of .*deeper.json: .*Missing key"):
        open_clip.build_image(f"{root / 'deeper.json'}@{vit[1]}", open_clip.Options())
    tiny.timm_model(root / "shape", "test_vit")
    with pytest.raises(EncoderError, match="is no checkpoint of timm's test_resnet"):
        timm_encoder.build_image(
            f"test_resnet@{root / 'shape' / 'weights.safetensors'}", timm_encoder.Options()
        )


def test_timm_says_what_it_cannot_find() -> None:
    with pytest.raises(EncoderError, match="Did you mean 'resnet18'"):
        timm_encoder.facts("resnet_18", timm_encoder.Options())


def test_hf_folders_that_do_not_fit(root: Path) -> None:
    import json

    folder = Path(tiny.hf_clip(root / "unfit"))
    options = hf_clip.Options()
    with pytest.raises(EncoderError, match="model of type 'bert'"):
        hf_clip.facts(tiny.bert(root / "bert_as_clip"), options)
    (root / "no_config").mkdir()
    with pytest.raises(EncoderError, match=r"no config\.json"):
        hf_clip.facts(str(root / "no_config"), options)
    with pytest.raises(EncoderError, match="there is no folder"):
        hf_clip.facts(str(root / "no" / "where"), options)
    config = json.loads((folder / "config.json").read_text())
    config["vision_config"]["num_hidden_layers"] = 3
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="is missing"):
        hf_clip.build_image(str(folder), options)
    config["vision_config"] |= {"num_hidden_layers": 2, "hidden_size": 32}
    (folder / "config.json").write_text(json.dumps(config))
    with pytest.raises(EncoderError, match="cannot be loaded"):
        hf_clip.build_image(str(folder), options)
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-8])
    with pytest.raises(EncoderError, match="cut short"):
        hf_clip.facts(str(folder), options)
    weights.unlink()
    with pytest.raises(EncoderError, match="holds no weights"):
        hf_clip.facts(str(folder), options)


@pytest.mark.parametrize(
    ("plugin", "reference"),
    [
        (open_clip, "ViT-B-32/laion2b_s34b_b79k"),
        (open_clip, "roberta-ViT-B-32/laion2b_s12b_b32k"),
        (hf_clip, "openai/clip-vit-base-patch32"),
        (hf_text, "bert-base-uncased"),
        (timm_encoder, "resnet18.a1_in1k"),
    ],
)
def test_weights_that_are_not_here_say_how_to_bring_them(
    plugin: Any, reference: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    import socket

    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was asked")

    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    with pytest.raises(EncoderError, match="harness fetch TASK"):
        plugin.facts(reference, plugin.Options())
