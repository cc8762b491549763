"""The text tower of open_clip: its parts alone, and how its tokenizers lay out a text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.core.errors import EncoderError
from harness.core.text_context import ContextForm, TextContext
from harness.encoders import open_clip
from harness.encoders._open_clip_source import locate
from harness.encoders._open_clip_text import OpenClipText, text_form_of, tokenizer_of
from harness.encoders._open_clip_trained import Stated

from . import tiny
from .compare import TEXTS, assert_same


def built(folder: Path, config: dict) -> OpenClipText:  # type: ignore[type-arg]
    return open_clip.build_text(tiny.open_clip_model(folder, config), open_clip.Options())


@pytest.mark.parametrize("name", ["VIT", "CUSTOM", "COCA"])
def test_it_has_no_visual_tower(tmp_path: Path, name: str) -> None:
    names = [n for n, _ in built(tmp_path, getattr(tiny, name)).module.named_parameters()]
    assert names
    assert not [n for n in names if n.startswith(("visual", "logit"))]


@pytest.mark.parametrize("name", ["VIT", "CUSTOM", "COCA"])
def test_it_equals_the_library(tmp_path: Path, name: str) -> None:
    import torch
    from open_clip import SimpleTokenizer

    tower = built(tmp_path, getattr(tiny, name))
    library = tiny.open_clip_reference(tmp_path / "tiny.json").model
    with torch.inference_mode():
        tokens = SimpleTokenizer(context_length=12)(list(TEXTS))
        assert_same(tower.embed(TEXTS), library.encode_text(tokens, normalize=False))


def test_clips_own_tokenizer_fills_up_with_zeros(tmp_path: Path) -> None:
    layout = built(tmp_path, tiny.VIT)._layout
    assert layout is not None
    assert (layout.before, layout.after, layout.pad) == ((49406,), (49407,), 0)
    assert layout.length == 12
    assert layout.full


def test_an_end_token_that_is_taken_off_is_not_in_the_layout(tmp_path: Path) -> None:
    layout = built(tmp_path, tiny.open_clip_stripped(tmp_path / "text"))._layout
    assert layout is not None
    assert layout.after == (0,)


def test_the_tokenizer_is_that_of_the_config(tmp_path: Path) -> None:
    own = tokenizer_of(locate(tiny.open_clip_model(tmp_path / "clip", tiny.VIT), Stated()))
    assert type(own).__name__ == "SimpleTokenizer"
    config = tiny.open_clip_bert(tmp_path / "text")
    named = tokenizer_of(locate(tiny.open_clip_model(tmp_path / "bert", config), Stated()))
    assert type(named).__name__ == "HFTokenizer"
    assert named.context_length == 12


@pytest.mark.parametrize(
    "name", ["ViT-B-32", "ViT-B-16-SigLIP", "ViT-B-16-SigLIP2", "coca_ViT-B-32"]
)
def test_the_form_is_that_of_the_librarys_tokenizer(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """open_clip.get_tokenizer, with the vocabulary on disk: the same class, cleaning and length."""
    from open_clip import factory, get_tokenizer

    from harness.encoders._open_clip_source import OpenClipSource, config_of
    from harness.encoders._weights import CheckpointHeader

    config = config_of(name)
    if config["text_cfg"].get("hf_tokenizer_name"):
        tiny.bert(tmp_path / "text")
        config["text_cfg"]["hf_tokenizer_name"] = str(tmp_path / "text")
        monkeypatch.setattr(factory, "get_model_config", lambda _: config)
    library = get_tokenizer(name)
    own = tokenizer_of(OpenClipSource(name, config, {}, CheckpointHeader(tmp_path, "", {}, None)))
    assert type(own) is type(library)
    assert own.context_length == library.context_length
    form = text_form_of(config["text_cfg"])
    for text in ("A Red, Car!", "red_car  2"):
        assert own.clean_fn(text) == library.clean_fn(text) == form.clean(text)
    assert own([*TEXTS, "A Red, Car!"]).tolist() == library([*TEXTS, "A Red, Car!"]).tolist()
    assert form.says.endswith(f"at most {library.context_length} tokens")


def test_a_tokenizer_that_pads_at_the_left_is_used_as_the_library_uses_it(tmp_path: Path) -> None:
    import torch

    config = tiny.open_clip_siglip(tmp_path / "text")
    file = tmp_path / "text" / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"padding_side": "left"}))
    tower = built(tmp_path, config)
    library = tiny.open_clip_reference(tmp_path / "tiny.json").model
    own = tokenizer_of(locate(f"{tmp_path / 'tiny.json'}@{tmp_path / 'weights.pt'}", Stated()))
    with torch.inference_mode():
        assert_same(tower.embed(TEXTS), library.encode_text(own(list(TEXTS)), normalize=False))
        for position in ("before", "behind"):
            context = TextContext(tower.token_vectors("a photo of"), ContextForm(position))
            order = "a photo of {}" if position == "before" else "{} a photo of"
            with_words = tower.embed([order.replace("{}", text) for text in TEXTS])
            assert_same(tower.encode(TEXTS, context), with_words)


def test_a_tokenizer_that_cuts_at_the_left_takes_no_context(tmp_path: Path) -> None:
    import torch

    config = tiny.open_clip_siglip(tmp_path / "text")
    file = tmp_path / "text" / "tokenizer_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"truncation_side": "left"}))
    tower = built(tmp_path, config)
    with pytest.raises(EncoderError, match="lays out texts in a way of its own"):
        tower.encode(TEXTS, TextContext(torch.zeros(2, tower.context_dim)))


def test_settings_that_are_refused() -> None:
    with pytest.raises(EncoderError, match="allowed: lower, canonicalize, whitespace"):
        text_form_of({"tokenizer_kwargs": {"clean": "upper"}})
    with pytest.raises(EncoderError, match="at random"):
        text_form_of({"tokenizer_kwargs": {"reduction_mask": "random"}})


def test_texts_that_are_cut_are_known(tmp_path: Path) -> None:
    import torch

    tower = built(tmp_path, tiny.VIT)  # 12 tokens with start and end
    assert tower.cut_short(["red " * 10, "red " * 11]) == [False, True]
    context = TextContext(torch.zeros(2, tower.context_dim))
    assert tower.cut_short(["red " * 8, "red " * 9], context) == [False, True]
