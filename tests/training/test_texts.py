"""Texts that change while a cell trains: which rows they give, and what of them is trained."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

from harness.core.text_context import TextContext
from harness.training import texts as module
from harness.training.texts import DrawnTemplates, LearnedContext, TrainedTower
from harness.training.tower_parts import WHOLE

from .examples import NAMES, D, Letters


def plain(names: object) -> list[list[str]]:
    return [[name] for name in names]  # type: ignore[attr-defined]


def two(names: object) -> list[list[str]]:
    return [[name, f"a {name}"] for name in names]  # type: ignore[attr-defined]


ALL = torch.arange(len(NAMES))


def test_one_template_a_step_the_same_for_all_classes() -> None:
    w_KCD = torch.arange(3.0)[:, None, None].expand(3, 4, D)
    drawn = DrawnTemplates(w_KCD)

    def numbers(seed: int) -> list[float]:
        drawn.begin_epoch(torch.Generator().manual_seed(seed))
        seen = []
        for _ in range(30):
            drawn.begin_step()
            rows_UD = drawn.rows(torch.tensor([0, 3]))
            assert rows_UD.unique().numel() == 1
            seen.append(float(rows_UD[0, 0]))
        return seen

    first = numbers(0)
    assert set(first) == {0, 1, 2}
    assert numbers(0) == first != numbers(1)
    assert drawn.embed(["car"]) is None
    assert drawn.pretrained() == drawn.new() == []


def test_a_trained_tower_gives_rows_with_a_graph() -> None:
    tower = Letters()
    texts = TrainedTower(tower, NAMES, plain)
    rows_UD = texts.rows(torch.tensor([2, 0]))
    torch.testing.assert_close(rows_UD, Letters().encode(["cat", "car"]))
    rows_UD.sum().backward()
    assert tower.module.weight.grad is not None
    assert texts.pretrained() == [tower.module.weight]
    assert texts.new() == []
    assert not texts.embed(["owl"]).requires_grad


@pytest.mark.parametrize("average", ["normalised", "plain"])
def test_several_texts_of_a_class_are_averaged(average: str) -> None:
    texts = TrainedTower(Letters(), NAMES, two, None, average)
    w_ND = Letters().encode(["cat", "a cat"])
    expected = (w_ND if average == "plain" else F.normalize(w_ND, dim=-1)).mean(dim=0)
    torch.testing.assert_close(texts.rows(torch.tensor([2]))[0], expected)


def test_texts_are_brought_to_the_width_of_pictures() -> None:
    map_ED = torch.randn(D, 3)
    texts = TrainedTower(Letters(), NAMES, plain, map_ED)
    torch.testing.assert_close(texts.rows(ALL), Letters().encode(NAMES) @ map_ED)


def test_a_learned_context_is_put_before_every_name() -> None:
    context_ME = torch.randn(4, D)
    tower = Letters()
    tower.module.requires_grad_(requires_grad=False)
    texts = LearnedContext(context_ME, tower, NAMES, plain)
    torch.testing.assert_close(texts.rows(ALL), Letters().encode(NAMES, TextContext(context_ME)))
    assert texts.pretrained() == []
    (learnt_ME,) = texts.new()
    texts.rows(ALL).sum().backward()
    assert learnt_ME.grad is not None
    assert tower.module.weight.grad is None
    with torch.no_grad():
        learnt_ME.zero_()
    assert context_ME.abs().sum() > 0, "a copy is learnt"
    torch.testing.assert_close(
        texts.embed(["owl"]), Letters().encode(["owl"], TextContext(torch.zeros(4, D))).detach()
    )


def test_a_context_and_its_tower_may_train_together() -> None:
    texts = LearnedContext(torch.zeros(2, D), Letters(), NAMES, plain, tuned=WHOLE)
    assert (len(texts.pretrained()), len(texts.new())) == (1, 1)


def test_evaluation_embeds_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = TrainedTower(Letters(), NAMES, plain).embed(NAMES)
    monkeypatch.setattr(module, "AT_ONCE", 4)
    sizes: list[int] = []

    class Counting(Letters):
        def encode(self, texts: list[str], context: TextContext | None = None) -> torch.Tensor:
            sizes.append(len(texts))
            return super().encode(texts, context)

    torch.testing.assert_close(TrainedTower(Counting(), NAMES, plain).embed(NAMES), whole)
    assert sizes == [4, 2]
