"""The text tower of open_clip: its parts alone, and how its tokenizers lay out a text."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.encoders import open_clip
from harness.encoders._open_clip_source import locate
from harness.encoders._open_clip_text import OpenClipText, tokenizer_of
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
