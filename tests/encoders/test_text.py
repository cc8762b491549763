"""Text towers that are trained, or trained through: one batch, a learned context, own copies."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode

from harness.core.errors import EncoderError
from harness.core.protocols.encoder import TunableText
from harness.core.text_context import TextContext
from harness.encoders import embedded, hf_clip, hf_text, open_clip
from harness.encoders._token_layout import TokenLayout, layout_of, words_of

from . import tiny
from .compare import NONE

NAMES = ("red car", "cat", "blue boat of a cat", "green")
WORDS = "a photo of"


def _open_clip(folder: Path, config: dict[str, Any]) -> TunableText:
    return open_clip.build_text(tiny.open_clip_model(folder, config), open_clip.Options())


def _hf_text(reference: str, pooling: Any) -> TunableText:
    return hf_text.build_text(reference, hf_text.Options(pooling=pooling))


BUILD: dict[str, Callable[[Path], TunableText]] = {
    "clip": lambda f: _open_clip(f, tiny.VIT),
    "custom": lambda f: _open_clip(f, tiny.CUSTOM),
    "coca": lambda f: _open_clip(f, tiny.COCA),
    "open_clip_bert": lambda f: _open_clip(f, tiny.open_clip_bert(f / "text")),
    "open_clip_siglip": lambda f: _open_clip(f, tiny.open_clip_siglip(f / "text")),
    "open_clip_stripped": lambda f: _open_clip(f, tiny.open_clip_stripped(f / "text")),
    "hf_clip": lambda f: hf_clip.build_text(tiny.hf_clip(f), NONE),
    "siglip": lambda f: hf_clip.build_text(tiny.siglip_with_an_end(f), NONE),
    "siglip_2": lambda f: hf_clip.build_text(tiny.siglip_2(f), NONE),
    "bert_mean": lambda f: _hf_text(tiny.bert(f), "mean"),
    "bert_cls": lambda f: _hf_text(tiny.bert(f), "cls"),
    "t5": lambda f: _hf_text(tiny.t5(f), "mean"),
    "embedded": lambda _: embedded.build_text("lit-emoji", NONE),
}


@pytest.fixture(scope="module", params=BUILD)
def tower(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TunableText:
    return BUILD[request.param](tmp_path_factory.mktemp(request.param))


def assert_same(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert (expected - expected.mean(dim=0)).std() > 1e-3  # or every text would be the same
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_a_batch_equals_one_at_a_time(tower: TunableText) -> None:
    z_ND = tower.encode(NAMES)
    assert z_ND.requires_grad
    assert_same(z_ND.detach(), tower.embed(NAMES))


def test_a_context_of_words_equals_these_words_in_front(tower: TunableText) -> None:
    """So it stands behind the start token, moves the positions, and the pooling finds the end."""
    context_ME = tower.token_vectors(WORDS)
    assert context_ME.shape in [(3, tower.context_dim), (10, tower.context_dim)]  # words, letters
    found = tower.encode(NAMES, TextContext(context_ME)).detach()
    assert_same(found, tower.embed([f"{WORDS} {name}" for name in NAMES]))
    assert (found - tower.embed(NAMES)).abs().max() > 1e-3


def test_a_text_too_long_is_cut_at_its_end(tower: TunableText) -> None:
    """The libraries' own cutting of the whole text is the measure: they keep the end token."""
    long = ["green cat " * 600 + "boat", "red car", "blue " * 600]
    found = tower.encode(long, TextContext(tower.token_vectors(WORDS))).detach()
    assert_same(found, tower.embed([f"{WORDS} {text}" for text in long]))


def test_a_gradient_reaches_every_vector_of_the_context(tower: TunableText) -> None:
    context_ME = (0.02 * torch.randn(4, tower.context_dim)).requires_grad_()
    tower.encode(NAMES, TextContext(context_ME)).square().sum().backward()
    assert context_ME.grad is not None
    assert (context_ME.grad.abs().sum(dim=1) > 0).all()
    tower.module.zero_grad()


def test_every_parameter_of_the_module_moves_the_embedding(tower: TunableText) -> None:
    """What the text side does not read has no place in it."""
    own = deepcopy(tower)
    own.module.requires_grad_()
    own.encode(NAMES).square().sum().backward()
    idle = [name for name, p in own.module.named_parameters() if p.grad is None]
    assert idle == []


def test_a_context_leaves_the_tower_as_it_is(tower: TunableText) -> None:
    before, names = tower.embed(NAMES), list(tower.module.state_dict())
    tower.encode(NAMES, TextContext(torch.ones(2, tower.context_dim)))
    assert torch.equal(tower.embed(NAMES), before)
    assert list(tower.module.state_dict()) == names


def test_a_deep_copy_is_trained_alone(tower: TunableText) -> None:
    before = tower.embed(NAMES)
    own = deepcopy(tower)
    context_ME = own.token_vectors(WORDS).requires_grad_()
    parameters = [p for p in own.module.parameters() if p.requires_grad]
    assert len(parameters) == len(list(own.module.parameters()))
    optimiser = torch.optim.SGD([*parameters, context_ME], lr=0.1)
    own.encode(NAMES, TextContext(context_ME)).square().mean().backward()
    optimiser.step()
    assert torch.equal(tower.embed(NAMES), before)
    assert (own.embed(NAMES) - before).abs().max() > 1e-6
    with torch.no_grad():  # the copy's own tokens, not those of the tower it was copied from
        assert_same(
            own.encode(NAMES, TextContext(own.token_vectors(WORDS))),
            own.embed([f"{WORDS} {name}" for name in NAMES]),
        )


class Unmasked(TorchFunctionMode):
    """Answers what transformers asks of the values of a mask: that nothing is masked."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return func is torch.Tensor.__bool__ or func(*args, **(kwargs or {}))


def test_encoding_runs_where_the_module_is(tower: TunableText) -> None:
    """On the device without data: a tensor that stays on the CPU would be an error."""
    own = deepcopy(tower)
    own.module.to("meta")
    context_ME = torch.zeros(2, own.context_dim, device="meta")
    with Unmasked():
        assert own.encode(NAMES).device.type == "meta"
        assert own.encode(NAMES, TextContext(context_ME)).device.type == "meta"


def test_contexts_that_do_not_fit(tower: TunableText) -> None:
    with pytest.raises(EncoderError, match="does not fit token embeddings of width"):
        tower.encode(NAMES, TextContext(torch.zeros(2, tower.context_dim + 1)))
    with pytest.raises(EncoderError, match="leaves no room for a text"):
        tower.encode(NAMES, TextContext(torch.zeros(600, tower.context_dim)))


def test_a_tokenizer_with_a_layout_of_its_own_takes_no_context(tmp_path: Path) -> None:
    config = tiny.open_clip_stripped(tmp_path / "text")
    config["text_cfg"]["tokenizer_mode"] = "clips"
    tower = _open_clip(tmp_path, config)
    with pytest.raises(EncoderError, match="lays out texts in a way of its own"):
        tower.encode(NAMES, TextContext(torch.zeros(2, tower.context_dim)))


def test_what_a_tokenizer_puts_around_a_text_is_its_layout(tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(tiny.bert(tmp_path / "bert"))
    layout = layout_of(tokenizer, {"padding": True}, 8, full=False)
    ids = tokenizer.convert_tokens_to_ids
    assert layout.before == (ids("[CLS]"),)
    assert layout.after == (ids("[SEP]"),)
    assert layout.filler == ids("a")
    assert words_of(tokenizer, {"padding": True}, "red car") == ids(["red", "car"])


def test_rows_hold_fillers_and_cut_texts_at_their_end() -> None:
    layout = TokenLayout(before=(1,), after=(2,), pad=0, length=6, filler=9, full=False)
    rows = layout.rows([[5, 6, 7], [5]], (2, 0))
    assert rows.ids == [[1, 9, 9, 5, 6, 2], [1, 9, 9, 5, 2, 0]]
    assert rows.masks == [[1] * 6, [1, 1, 1, 1, 1, 0]]
    assert rows.places == [[1, 2], [1, 2]]
    full = TokenLayout((1,), (2,), 0, 6, 9, full=True)
    assert full.rows([[5]]).ids == [[1, 5, 2, 0, 0, 0]]


def test_rows_keep_what_is_behind_the_words_and_pad_at_either_side() -> None:
    layout = TokenLayout(before=(1,), after=(2,), pad=0, length=7, filler=9, full=True)
    rows = layout.rows([[5, 6, 7], [5]], (1, 2), closing=[4])
    assert rows.ids == [[1, 9, 5, 9, 9, 4, 2]] * 2
    rows = layout.rows([[5, 6, 7], [5]], (0, 2))
    assert rows.ids == [[1, 5, 6, 7, 9, 9, 2], [1, 5, 9, 9, 2, 0, 0]]
    assert rows.places == [[4, 5], [2, 3]]
    left = replace(layout, left=True).rows([[5, 6, 7], [5]], (1, 1))
    assert left.ids == [[1, 9, 5, 6, 7, 9, 2], [0, 0, 1, 9, 5, 9, 2]]
    assert left.masks == [[1] * 7, [0, 0, 1, 1, 1, 1, 1]]
    assert left.places == [[1, 5], [3, 5]]
