"""vision_only: a linear layer as torch draws one, with its own learning rate."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from harness.core.cells import Cell, Choice, HeadSpec
from harness.core.errors import CellError
from harness.core.facts import CellFacts, EncoderFacts
from harness.core.protocols.paradigm import HeadInputs
from harness.core.protocols.plugin import NoOptions
from harness.paradigms import vision_only

from .inputs import B, C, D, noise

CELL = Cell(Choice("emoji"), "few_shot", Choice("x"), paradigm=Choice("vision_only"))
FACTS = CellFacts(C, 4, EncoderFacts("w", "b", D, D, 32, 10.0))


def head(n_classes: int = C, seed: int = 0) -> vision_only.LinearHead:
    generator = torch.Generator().manual_seed(seed)
    return vision_only.build(HeadInputs(n_classes, D, generator, 10.0), NoOptions())


def test_logits_are_those_of_a_linear_layer() -> None:
    own, z_BD = head(), noise(B, D)
    w_CD, b_C = own.new()
    torch.testing.assert_close(own.logits(z_BD), F.linear(z_BD, w_CD, b_C))
    y_B = torch.tensor([0, 1, 5, 3, 3])
    torch.testing.assert_close(own.loss(z_BD, y_B), F.cross_entropy(own.logits(z_BD), y_B))
    assert not own.whole_batch


def test_it_is_drawn_as_torch_draws_a_linear_layer() -> None:
    """Uniform within 1/sqrt(D)."""
    w_CD, b_C = head(n_classes=4000).new()
    bound = D**-0.5
    for tensor in (w_CD, b_C):
        assert tensor.abs().max() <= bound
        assert float(tensor.detach().std()) == pytest.approx(bound / 3**0.5, rel=0.03)
    assert torch.equal(head().weight(), head().weight())
    assert not torch.equal(head().weight(), head(seed=1).weight())


def test_all_of_it_is_new() -> None:
    own = head()
    assert [tuple(t.shape) for t in own.new()] == [(C, D), (C,)]
    assert all(t.requires_grad for t in own.new())
    assert own.pretrained() == []


def test_its_rows_belong_to_the_classes_that_it_was_trained_on() -> None:
    own = head()
    with pytest.raises(CellError, match="not trained on"):
        own.with_classifier(noise(3, D))
    with pytest.raises(CellError, match="not made of texts"):
        own.put_rows(torch.tensor([0]), noise(1, D), trained=False)


def test_it_moves_to_a_device_and_leaves_its_gradient() -> None:
    own = head()
    own.logits(noise(B, D)).square().sum().backward()
    assert own.weight_gradient() is not None
    own.to(torch.device("meta"))
    assert [t.device.type for t in own.new()] == ["meta", "meta"]


def test_it_has_to_be_trained_on_the_classes() -> None:
    reason = "a random head cannot name classes that it was not trained on"
    assert vision_only.check(CELL, FACTS) is None
    assert vision_only.check(replace(CELL, tuning="none"), FACTS) == reason
    assert vision_only.check(replace(CELL, regime="zero_shot"), FACTS) == reason


# --- on frozen features --------------------------------------------------------------------------


def probe(**changes: object) -> vision_only.LinearHead:
    spec = HeadSpec(**changes)  # type: ignore[arg-type]
    generator = torch.Generator()
    w_CD, b_C = noise(C, D), torch.arange(C).float()
    return vision_only.build(
        HeadInputs(C, D, generator, 10.0, w_CD, spec=spec, b_C=b_C if spec.bias else None),
        NoOptions(),
    )


def test_it_starts_where_it_is_told_and_trains_at_the_learning_rate_of_the_recipe() -> None:
    own, z_BD = probe(), noise(B, D)
    expected = F.linear(z_BD, noise(C, D), torch.arange(C).float())
    torch.testing.assert_close(own.logits(z_BD), expected)
    assert [t.shape for t in own.pretrained()] == [(C, D), (C,)]
    assert own.new() == []


def test_without_a_bias_only_w_is_trained() -> None:
    own, z_BD = probe(bias=False), noise(B, D)
    torch.testing.assert_close(own.logits(z_BD), F.linear(z_BD, noise(C, D)))
    assert [t.shape for t in own.pretrained()] == [(C, D)]


def test_it_needs_a_classifier_to_start_from() -> None:
    with pytest.raises(CellError, match="needs a classifier to start from"):
        vision_only.build(HeadInputs(C, D, torch.Generator(), 10.0, spec=HeadSpec()), NoOptions())


def test_it_begins_from_a_saved_head() -> None:
    before = head(seed=1)
    generator = torch.Generator().manual_seed(0)
    inputs = HeadInputs(C, D, generator, 10.0, saved=before.state())
    after = vision_only.build(inputs, NoOptions())
    z_BD = noise(B, D)
    assert torch.equal(after.logits(z_BD), before.logits(z_BD))
    assert [t.requires_grad for t in after.new()] == [True, True]
    after.new()[0].data.zero_()
    assert before.weight().any(), "a copy"


def test_a_saved_head_needs_no_training() -> None:
    restored = replace(FACTS, restored=frozenset({"classifier", "bias"}))
    assert vision_only.check(replace(CELL, tuning="none"), FACTS) is not None
    assert vision_only.check(replace(CELL, tuning="none"), restored) is None
