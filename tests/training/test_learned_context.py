"""A learned context that is class-specific, or not before the name: gradients and steps."""

from __future__ import annotations

from typing import Any, get_args

import pytest
import torch
from encoders import tiny
from encoders.coop import coop
from torch.nn import functional as F

from harness.core.cells import Recipe
from harness.core.errors import CellError
from harness.core.protocols.encoder import TunableText
from harness.core.protocols.paradigm import Head
from harness.core.text_context import ContextForm, Position, TextContext
from harness.encoders import open_clip
from harness.training.cached import CachedFeatures
from harness.training.loop import train
from harness.training.model import Embedding, Model, Projection
from harness.training.texts import LearnedContext

from .examples import FEATURES, NAMES, C, D, Letters, N, data, head, problem, text_head

OWN = ContextForm(class_specific=True)
M = 3


def wording(names: object) -> list[list[str]]:
    return [[f"{name}."] for name in names]  # type: ignore[attr-defined]


def learned(form: ContextForm) -> LearnedContext:
    shape = (C, M, D) if form.class_specific else (M, D)
    vectors = torch.randn(shape, generator=torch.Generator().manual_seed(7))
    tower: Any = Letters()
    tower.module.requires_grad_(requires_grad=False)
    return LearnedContext(vectors, tower, NAMES, wording, form=form)


def model(texts: LearnedContext, of: Head) -> tuple[Model, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    h_NF, y_N = data(generator)
    start = Projection(torch.randn(D, FEATURES, generator=generator) / 5, torch.zeros(D))
    return Model(CachedFeatures(h_NF), Embedding(start.trainable()), of, texts), y_N


def test_every_class_is_read_with_its_own_vectors() -> None:
    texts = learned(OWN)
    vectors_CME = texts.context()
    rows_UD = texts.rows(torch.tensor([4, 1]))
    for row_D, c in zip(rows_UD, (4, 1), strict=True):
        expected = Letters().encode([f"{NAMES[c]}."], TextContext(vectors_CME[c]))[0]
        torch.testing.assert_close(row_D, expected)
    torch.testing.assert_close(texts.embed([NAMES[4], NAMES[1]]), rows_UD.detach())
    with pytest.raises(CellError, match="has no vectors of the class 'owl'"):
        texts.embed(["car", "owl"])
    assert learned(ContextForm("behind")).embed(["owl"]).shape == (1, D)


def test_several_texts_of_a_class_share_its_vectors() -> None:
    form, vectors_CME = OWN, torch.randn(C, M, D)
    tower: Any = Letters()
    texts = LearnedContext(
        vectors_CME, tower, NAMES, lambda names: [[f"a {n}", f"the {n}"] for n in names],
        form=form,
    )  # fmt: skip
    each = Letters().encode(["a cat", "the cat"], TextContext(vectors_CME[2]))
    expected_D = F.normalize(each, dim=-1).mean(dim=0)
    torch.testing.assert_close(texts.rows(torch.tensor([0, 2]))[1], expected_D)


def test_a_step_moves_the_vectors_of_its_classes_alone() -> None:
    """Matching reads the classes of the batch: the others have no gradient, and vision_text's
    softmax is over every class.
    """
    for of, reached in (
        (head("matching", torch.zeros(C, D)), [0, 2, 5]),
        (text_head(), [*range(C)]),
    ):
        texts = learned(OWN)
        trained, _ = model(texts, of)
        y_B = torch.tensor([2, 0, 2, 5])
        trained.read_texts(y_B)
        trained.head.loss(torch.randn(4, D), y_B).backward()
        trained.teach_texts()
        (vectors_CME,) = texts.new()
        assert vectors_CME.grad is not None
        assert vectors_CME.grad.abs().sum(dim=(1, 2)).nonzero().flatten().tolist() == reached


@pytest.fixture(scope="module")
def tower(tmp_path_factory: pytest.TempPathFactory) -> TunableText:
    folder = tmp_path_factory.mktemp("vit")
    built = open_clip.build_text(tiny.open_clip_model(folder, tiny.VIT), open_clip.Options())
    built.module.requires_grad_(requires_grad=False)
    return built


@pytest.mark.parametrize("own", [False, True], ids=["shared", "class_specific"])
@pytest.mark.parametrize("position", get_args(Position))
def test_training_equals_a_plain_loop_of_coop(
    tower: TunableText, position: Position, *, own: bool
) -> None:
    """The context alone moves, by the cross-entropy of scaled cosines; full batches."""
    form = ContextForm(position, ".", class_specific=own)
    shape = (C, M, tower.context_dim) if own else (M, tower.context_dim)
    start = torch.randn(shape, generator=torch.Generator().manual_seed(7))
    texts = LearnedContext(start, tower, NAMES, wording, form=form)
    trained, y_N = model(texts, text_head())
    z_ND = F.normalize(trained.embedding(data(torch.Generator().manual_seed(0))[0]), dim=-1)
    recipe = Recipe(
        lr=0, lr_new=5e-2, epochs=3, batch=N, warmup_epochs=0, weight_decay=0.1, decay="constant"
    )
    solution = train(problem(trained, y_N, recipe))

    context = start.clone().requires_grad_()
    optimiser = torch.optim.AdamW([context], lr=5e-2, weight_decay=0.1)
    losses = []
    for _ in range(3):
        optimiser.zero_grad()
        each = context if own else context.expand(C, *shape)
        rows = [coop(tower, n, each[c], position, ".") for c, n in enumerate(NAMES)]
        logits_NC = 10 * z_ND.detach() @ F.normalize(torch.cat(rows), dim=-1).T
        loss = F.cross_entropy(logits_NC, y_N)
        loss.backward()
        losses.append(loss.item())
        optimiser.step()
    assert losses[-1] < losses[0] - 1e-3
    assert [point["loss"] for point in solution.curve] == pytest.approx(losses, rel=1e-5)
    torch.testing.assert_close(texts.context().detach(), context.detach(), atol=1e-4, rtol=1e-4)
