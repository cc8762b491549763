"""A learned context before, around and behind the name, against CoOp's own order of the vectors."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
import torch

from harness.core.errors import EncoderError
from harness.core.text_context import ContextForm, Position, TextContext
from harness.encoders import embedded, hf_clip, hf_text, open_clip

from . import tiny
from .compare import NONE
from .coop import coop

NAMES = ("red car", "cat", "blue boat of a cat", "green")
POSITIONS = get_args(Position)
BUILD: dict[str, Callable[[Path], Any]] = {
    "open_clip": lambda f: open_clip.build_text(
        tiny.open_clip_model(f, tiny.VIT), open_clip.Options()
    ),
    "hf_clip": lambda f: hf_clip.build_text(tiny.hf_clip(f), NONE),
    "bert": lambda f: hf_text.build_text(tiny.bert(f), hf_text.Options()),
    "minilm": lambda _: embedded.build_text("lit-emoji", NONE)._tower,
}


@pytest.fixture(scope="module", params=BUILD)
def tower(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    return BUILD[request.param](tmp_path_factory.mktemp(request.param))


def assert_same(found: torch.Tensor, expected: torch.Tensor) -> None:
    assert (expected - expected.mean(dim=0)).std() > 1e-3  # or every text would be the same
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("position", POSITIONS)
@pytest.mark.parametrize(("length", "end"), [(1, "."), (3, ""), (4, ".")])
def test_vectors_are_where_coop_puts_them(
    tower: Any, position: Position, length: int, end: str
) -> None:
    generator = torch.Generator().manual_seed(0)
    context_ME = torch.randn(length, tower.context_dim, generator=generator)
    context = TextContext(context_ME, ContextForm(position, end))
    with torch.no_grad():
        found = tower.encode([name + end for name in NAMES], context)
        expected = [coop(tower, name, context_ME, position, end) for name in NAMES]
    assert_same(found, torch.cat(expected))


@pytest.mark.parametrize(
    ("position", "words", "text"),
    [
        ("before", "a photo of a", "a photo of a {}"),
        ("around", "a photo", "a {} photo"),
        ("around", "a photo of", "a {} photo of"),
        ("behind", "of a picture", "{} of a picture"),
    ],
)
@pytest.mark.parametrize("end", ["", "."])
def test_vectors_of_real_words_are_these_words(
    tower: Any, position: Position, words: str, text: str, end: str
) -> None:
    context = TextContext(tower.token_vectors(words), ContextForm(position, end))
    with torch.no_grad():
        found = tower.encode([name + end for name in NAMES], context)
    assert_same(found, tower.embed([text.replace("{}", name) + end for name in NAMES]))


@pytest.mark.parametrize("position", ["around", "behind"])
def test_a_name_too_long_is_cut_and_the_vectors_and_the_full_stop_stay(
    tower: Any, position: Position
) -> None:
    context = TextContext(torch.ones(4, tower.context_dim), ContextForm(position, "."))
    short = copy(tower)
    short._layout = replace(tower._layout, length=12)
    room = 12 - 7  # start, four vectors, full stop, end
    words = ["green", "cat", *["blue"] * room]
    long, fitting = (" ".join(words[:n]) + "." for n in (room + 2, room))
    with torch.no_grad():
        found = short.encode([long, "red car."], context)
        assert_same(found, tower.encode([fitting, "red car."], context))
    assert short.cut_short([long, fitting, "red."], context) == [True, False, False]


@pytest.mark.parametrize("position", POSITIONS)
def test_every_text_may_have_vectors_of_its_own(tower: Any, position: Position) -> None:
    vectors_NME = torch.randn(len(NAMES), 3, tower.context_dim).requires_grad_()
    form = ContextForm(position, class_specific=True)
    found = tower.encode(NAMES, TextContext(vectors_NME, form))
    expected = [
        tower.encode([name], TextContext(own_ME, form))
        for name, own_ME in zip(NAMES, vectors_NME, strict=True)
    ]
    assert_same(found.detach(), torch.cat(expected).detach())
    found[1].square().sum().backward()
    assert vectors_NME.grad is not None
    assert vectors_NME.grad.abs().sum(dim=(1, 2)).nonzero().flatten().tolist() == [1]
    assert (vectors_NME.grad[1].abs().sum(dim=1) > 0).all()


def test_vectors_of_another_number_of_texts(tower: Any) -> None:
    vectors_NME = torch.zeros(2, 3, tower.context_dim)
    with pytest.raises(EncoderError, match=r"\(2, 3, \d+\) is not that of 4 texts"):
        tower.encode(NAMES, TextContext(vectors_NME))
