"""hf_clip: facts, features and texts of CLIP and SigLIP, against transformers itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from harness.core.errors import EncoderError
from harness.core.text_context import TextContext
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
    if kind == "siglip":
        tokens.pop("attention_mask")  # it was trained without one
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


MESSY = ("A Red, car!", "blue  BOAT", "a picture of: (green) cat", "")


def test_siglip_reads_lower_case_without_punctuation_padded_in_full(root: Path) -> None:
    from open_clip.tokenizer import canonicalize_text
    from transformers import AutoModel, AutoTokenizer

    folder = tiny.siglip_with_an_end(root / "messy")
    tower, library = hf_clip.build_text(folder, NONE), AutoModel.from_pretrained(folder).eval()
    tokens = AutoTokenizer.from_pretrained(folder)(
        [canonicalize_text(text) for text in MESSY], padding="max_length", max_length=12,
        return_tensors="pt",
    )  # fmt: skip
    assert torch.equal(tower._tokens(list(MESSY))["input_ids"], tokens["input_ids"])
    with torch.inference_mode():
        assert_same(tower.embed(MESSY), library.get_text_features(**tokens).pooler_output)
    assert torch.equal(tower.embed(["Red-Car"]), tower.embed(["redcar"]))
    assert torch.equal(tower.embed(["Red_Car"]), tower.embed(["red car"]))


def test_siglip_2_reads_lower_case_as_its_own_tokenizer_does(root: Path) -> None:
    """Its Gemma tokenizer keeps capitals: transformers issue 43101."""
    from transformers import AutoModel, AutoTokenizer
    from transformers.models.siglip2.tokenization_siglip2 import Siglip2Tokenizer

    folder = tiny.siglip_2(root / "siglip_2")
    assert AutoTokenizer.from_pretrained(folder).padding_side == "left"
    own = Siglip2Tokenizer.from_pretrained(folder, padding_side="right")
    tokens = own(list(MESSY), padding="max_length", max_length=64, return_tensors="pt")
    tower, library = hf_clip.build_text(folder, NONE), AutoModel.from_pretrained(folder).eval()
    found = tower._tokens(list(MESSY))
    assert found["input_ids"].shape == (4, 64)
    assert torch.equal(found["input_ids"], tokens["input_ids"])
    with torch.inference_mode():
        expected_ND = library.get_text_features(input_ids=tokens["input_ids"]).pooler_output
        assert_same(tower.embed(MESSY), expected_ND)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_a_tokenizer_that_pads_at_the_left_gives_the_same(root: Path, kind: str) -> None:
    left, right = (tiny.hf_clip(root / f"{kind}_{side}", kind) for side in ("left", "right"))
    file = Path(left) / "tokenizer_config.json"
    file.write_text(
        json.dumps(
            json.loads(file.read_text()) | {"padding_side": "left", "truncation_side": "left"}
        )
    )
    towers = [hf_clip.build_text(folder, NONE) for folder in (left, right)]
    texts = ["red car", "a picture of a blue boat", "green cat " * 20]
    for read in (lambda t: t.embed(texts), lambda t: t.encode(texts).detach()):
        found, expected = map(read, towers)
        assert torch.equal(found, expected)
    context_ME = torch.ones(2, towers[0].context_dim)
    assert torch.equal(*(t.encode(texts, TextContext(context_ME)).detach() for t in towers))


def test_a_tokenizer_without_a_padding_token_pads_with_its_end(root: Path) -> None:
    folder = Path(tiny.hf_clip(root / "no_pad"))
    expected = hf_clip.build_text(str(folder), NONE).embed(TEXTS)
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text()) | {"pad_token": None, "eos_token": "[SEP]"}
    file.write_text(json.dumps(settings))
    tower = hf_clip.build_text(str(folder), NONE)
    assert_same(tower.encode(TEXTS).detach(), expected)
    assert torch.equal(tower.embed(TEXTS), expected)


def test_the_form_is_in_the_facts_and_only_siglip_has_new_weights(root: Path) -> None:
    clip = hf_clip.facts(tiny.hf_clip(root / "form_clip"), NONE)
    siglip = hf_clip.facts(tiny.hf_clip(root / "form_siglip", "siglip"), NONE)
    second = hf_clip.facts(tiny.siglip_2(root / "form_siglip_2"), NONE)
    assert clip.weights == clip.backbone  # as before there were forms
    assert siglip.weights != siglip.backbone
    assert clip.text_form.says == ""
    assert siglip.text_form.says == (
        "reads texts as SigLIP does: lower case without punctuation, padded to 12 tokens"
    )
    assert second.text_form.says == "reads texts as SigLIP 2 does: lower case, padded to 64 tokens"
    assert second.text_form.clean("A Cat!") == "a cat!"


def test_a_tokenizer_that_needs_a_package(root: Path) -> None:
    """SigLIP's own class reads spiece.model; its tokenizer.json is read without the package."""
    folder = Path(tiny.siglip_with_an_end(root / "spiece"))
    expected = hf_clip.build_text(str(folder), NONE).embed(TEXTS)
    file = folder / "tokenizer_config.json"
    file.write_text(
        json.dumps(json.loads(file.read_text()) | {"tokenizer_class": "SiglipTokenizer"})
    )
    assert torch.equal(hf_clip.build_text(str(folder), NONE).embed(TEXTS), expected)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(EncoderError, match=r"tokenizer in .* (needs a package|that can be read)"):
        hf_clip.build_text(str(folder), NONE)


@pytest.mark.parametrize("kind", ["clip", "siglip"])
def test_texts_that_are_cut_are_known(root: Path, kind: str) -> None:
    tower = hf_clip.build_text(tiny.hf_clip(root / f"{kind}_cut", kind), NONE)
    fits, cut = "red " * 10, "red " * 11  # 12 tokens with start and end
    assert tower.cut_short([fits, cut]) == [False, True]
    context = TextContext(torch.zeros(2, tower.context_dim))
    assert tower.cut_short(["red " * 8, fits], context) == [False, True]


def changed(folder: Path, **settings: Any) -> str:
    """A CLIP whose image processor has other settings."""
    reference = tiny.hf_clip(folder)
    (file,) = folder.glob("*processor_config.json")
    config = json.loads(file.read_text())
    config.get("image_processor", config).update(settings)
    file.write_text(json.dumps(config))
    return reference


@pytest.mark.parametrize(
    "settings", [{"do_resize": False}, {"do_center_crop": False, "size": {"shortest_edge": 32}}]
)
def test_pictures_of_several_sizes(tmp_path: Path, settings: dict[str, Any]) -> None:
    with pytest.raises(EncoderError, match="leaves pictures in sizes of their own"):
        hf_clip.facts(changed(tmp_path, **settings), NONE)


def test_the_image_processor_says_how_pictures_are_prepared(tmp_path: Path) -> None:
    reference = changed(tmp_path, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    hf_clip.facts(reference, NONE)
    white = tiny.picture().point(lambda _: 255)
    x_CHW = hf_clip.build_image(reference, NONE).preprocess(white, 32)
    torch.testing.assert_close(x_CHW, torch.ones(3, 32, 32))
    for file in tmp_path.glob("*processor_config.json"):
        file.unlink()
    with pytest.raises(EncoderError, match=r"has no preprocessor_config\.json"):
        hf_clip.facts(reference, NONE)


def test_bfloat16_weights_are_read_as_their_values(tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    reference = tiny.hf_clip(tmp_path)
    file = tmp_path / "model.safetensors"
    narrow = {name: t.bfloat16() for name, t in load_file(file).items()}
    save_file(narrow, file, {"format": "pt"})
    facts = hf_clip.facts(reference, NONE)
    assert facts.logit_scale == pytest.approx(narrow["logit_scale"].float().exp().item())
    weight_DF, _ = hf_clip.build_image(reference, NONE).projection()
    assert weight_DF.dtype == torch.float32
    assert torch.equal(weight_DF, narrow["visual_projection.weight"].float())
