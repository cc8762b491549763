"""The learned context: where it can be, and where it starts."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from pydantic import ValidationError

from harness.core.cells import Choice
from harness.core.errors import CellError
from harness.core.protocols.encoder import TunableText
from harness.core.protocols.plugin import NoOptions
from harness.core.text_context import ContextForm, TextContext
from harness.encoders import embedded
from harness.prompts import learnable

from .cells import FACTS, MATCHING, cell


@pytest.fixture(scope="module")
def text_tower() -> TunableText:
    return embedded.build_text("lit-emoji", NoOptions())


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_the_context_stands_before_the_class_name_alone() -> None:
    assert learnable.texts(["red car", "cat"], learnable.Options()) == [["red car"], ["cat"]]
    assert learnable.TRAINED is True


def test_a_full_stop_stands_behind_the_class_name() -> None:
    """As in the paper's public code and CoOp: "_" is read as a space."""
    options = learnable.Options(full_stop=True)
    assert learnable.texts(["red_car", "cat"], options) == [["red car."], ["cat."]]
    assert learnable.texts(["red_car"], learnable.Options()) == [["red_car"]]


def test_a_random_start_is_drawn_from_the_stream(text_tower: TunableText) -> None:
    options = learnable.Options(context=64)
    first_ME = learnable.start(options, text_tower, stream())
    assert first_ME.shape == (64, 384)
    assert first_ME.std() == pytest.approx(0.02, rel=0.02)
    assert first_ME.mean() == pytest.approx(0, abs=5e-4)
    assert torch.equal(first_ME, learnable.start(options, text_tower, stream()))
    assert not torch.equal(first_ME, learnable.start(options, text_tower, stream(1)))


def test_where_the_vectors_are() -> None:
    form = learnable.context_form(learnable.Options())
    assert form == ContextForm("before", "", class_specific=False)
    assert form.sides(5) == (5, 0)
    options = learnable.Options(position="around", class_specific=True, full_stop=True)
    form = learnable.context_form(options)
    assert form == ContextForm("around", ".", class_specific=True)
    # CoOp's half_n_ctx = n_ctx // 2
    assert [form.sides(m) for m in (1, 4, 5)] == [(0, 1), (2, 2), (2, 3)]
    assert ContextForm("behind").sides(5) == (0, 5)


def test_every_class_has_vectors_of_one_draw(text_tower: TunableText) -> None:
    """CoOp's CSC: N(0, 0.02), independently."""
    options = learnable.Options(context=2, class_specific=True)
    vectors_CME = learnable.start(options, text_tower, stream(), 30)
    expected_CME = 0.02 * torch.randn((30, 2, 384), generator=stream())
    assert torch.equal(vectors_CME, expected_CME)
    words = learnable.Options(context=2, class_specific=True, start="text", text="a photo")
    vectors_CME = learnable.start(words, text_tower, stream(), 3)
    assert vectors_CME.shape == (3, 2, 384)
    assert torch.equal(vectors_CME[2], text_tower.token_vectors("a photo"))
    vectors_CME[0] = 0  # every class has its own
    assert vectors_CME[1].abs().sum() > 0


def test_a_start_at_words_is_these_words(text_tower: TunableText) -> None:
    """Before the first step it is the template of these words."""
    context_ME = learnable.start(learnable.Options(start="text"), text_tower, stream())
    names = ["cat", "slice of pizza"]
    with torch.no_grad():
        found_ND = text_tower.encode(names, TextContext(context_ME))
    expected_ND = text_tower.embed([f"a photo of a {name}" for name in names])
    torch.testing.assert_close(found_ND, expected_ND, atol=1e-5, rtol=1e-5)


def test_a_start_text_of_another_length(text_tower: TunableText) -> None:
    options = learnable.Options(context=3, start="text", text="a photo of a")
    with pytest.raises(CellError, match=r"'a photo of a' is 4 tokens .* context is 3"):
        learnable.start(options, text_tower, stream())


@pytest.mark.parametrize(
    "options",
    [{"context": 0}, {"start": "words"}, {"text": ""}, {"place": "end"}, {"position": "end"}],
)
def test_options_that_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        learnable.Options(**options)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        (MATCHING, None),
        ({"tuning": "none", "schedule": None}, "tuning is none"),
        ({"tuning": "head", "schedule": None}, "tuning is head"),
        ({"classifier": Choice("random")}, "needs classifier text or paradigm matching"),
        ({"classifier": Choice("text_shuffled")}, "needs classifier text or paradigm matching"),
        ({"schedule": "trained"}, "its schedule is frozen"),
    ],
)
def test_where_a_context_can_be_learned(changes: dict[str, Any], reason: str | None) -> None:
    found = learnable.check(cell(prompt=Choice("learnable"), **changes), FACTS)
    assert found is None if reason is None else reason in str(found)


def test_a_text_tower_that_takes_no_context_is_named() -> None:
    """The one that reads the texts: the encoder's own, or that of text_encoder."""
    facts = replace(FACTS, takes_context=False)
    own = cell(prompt=Choice("learnable"), encoder=Choice("floor/8x8"))
    assert learnable.check(own, facts) == "the text tower of floor takes no learned context"
    other = replace(own, text_encoder=Choice("thumbnail:x"))
    assert learnable.check(other, facts) == "the text tower of thumbnail takes no learned context"


def test_an_encoder_without_texts() -> None:
    blind = replace(FACTS, encoder=replace(FACTS.encoder, text_dim=None))
    told = learnable.check(cell(prompt=Choice("learnable"), **MATCHING), blind)
    assert told == "the encoder has no text tower: name a text_encoder"
