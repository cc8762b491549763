"""Heads on frozen features: what is trained, where W starts, and that nothing else moves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.errors import CellError
from harness.core.protocols.solver import Watch
from harness.run.attempts import Training
from harness.run.build import BuiltModel, build_model
from harness.run.probe import Start, spec_of
from harness.run.train import train_cells

from .outside import FEATURES, NAMES, D, TextTower
from .prepared import Prepared, prepared

LINEAR = "vision_only"


def of(runs: Path, paradigm: str = LINEAR, classifier: Any = "text", **head: Any) -> Prepared:
    tuning = {"head": head} if head else "head"
    return prepared(runs, paradigm=paradigm, classifier=classifier, tuning=tuning)


def built(p: Prepared) -> BuiltModel:
    return build_model(p.cell, p.recipe, p.resources)


def features(p: Prepared) -> torch.Tensor:
    """(N, F) backbone features of the support set."""
    support = p.cell.support
    assert support is not None
    return p.resources.train_features(p.cell).of(support.items)


def logits(p: Prepared) -> torch.Tensor:
    """(N, C) of the support set before training."""
    model = built(p)
    return model.model.head.logits(model.embedding(features(p))).detach()


def pretrained_logits(p: Prepared) -> torch.Tensor:
    """(N, C): embeddings as they are, against texts as they are."""
    return p.resources.encoder(p.cell).projection(features(p)) @ TextTower().embed(NAMES).T


# --- what is trained -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("paradigm", "head", "parameters"),
    [
        ("vision_text", {}, 6 * D),  # the logit scale is fixed
        (LINEAR, {}, 6 * D + 6),
        (LINEAR, {"bias": False}, 6 * D),
        (LINEAR, {"on": "backbone"}, 6 * FEATURES + 6),
    ],
)
def test_only_the_head_is_trained(
    tmp_path: Path, paradigm: str, head: dict[str, Any], parameters: int
) -> None:
    model = built(of(tmp_path, paradigm, **head)).model
    assert model.trained_parameters() == parameters
    assert model.encoder() == []


def test_the_logit_scale_is_trained_if_the_recipe_says_so(tmp_path: Path) -> None:
    recipe = {"epochs": 1, "train_logit_scale": True}
    p = prepared(tmp_path, tuning="head", recipe=recipe)
    assert built(p).model.trained_parameters() == 6 * D + 1


def test_training_moves_the_head_and_leaves_the_encoder(tmp_path: Path) -> None:
    p = of(tmp_path)
    before = p.resources.encoder(p.cell).projection.weight_DF.clone()
    (trained,) = train_cells([Training(p.cell, Watch())], p.context)
    assert not isinstance(trained, Exception)
    assert trained.head is not None
    assert trained.w_init_CD is not None
    assert not torch.equal(trained.head.weight(), trained.w_init_CD)
    assert torch.equal(p.resources.encoder(p.cell).projection.weight_DF, before)
    losses = [point["loss"] for point in trained.solution.curve]
    assert losses[-1] <= losses[0]


# --- the start -----------------------------------------------------------------------------------


def test_rows_start_at_length_1_for_every_initialisation(tmp_path: Path) -> None:
    for paradigm in ("vision_text", LINEAR):
        for classifier in ("text", "random"):
            start = built(of(tmp_path, paradigm, classifier)).w_init_CD
            torch.testing.assert_close(start.norm(dim=1), torch.ones(6))


@pytest.mark.parametrize(("length", "expected"), [("raw", None), (2.5, 2.5)])
def test_the_length_of_rows(tmp_path: Path, length: Any, expected: float | None) -> None:
    text_CD = TextTower().embed(NAMES)
    norm_C = text_CD.norm(dim=1) if expected is None else torch.full((6,), expected)
    for paradigm in ("vision_text", LINEAR):
        w_CD = built(of(tmp_path, paradigm, start_norm=length)).w_init_CD
        torch.testing.assert_close(w_CD.norm(dim=1), norm_C)
        torch.testing.assert_close(F.normalize(w_CD, dim=1), F.normalize(text_CD, dim=1))


@pytest.mark.parametrize(("scale", "factor"), [("pretrained", 10.0), (3.0, 3.0)])
def test_the_scale_of_the_start(tmp_path: Path, scale: Any, factor: float) -> None:
    w_CD = built(of(tmp_path, start_scale=scale)).w_init_CD
    torch.testing.assert_close(w_CD.norm(dim=1), torch.full((6,), factor))


def test_a_cosine_head_starts_as_zero_shot(tmp_path: Path) -> None:
    p = of(tmp_path, "vision_text")
    z_ND = p.resources.encoder(p.cell).projection(features(p))
    cosines = F.normalize(z_ND, dim=1) @ F.normalize(TextTower().embed(NAMES), dim=1).T
    torch.testing.assert_close(logits(p), 10.0 * cosines)


@pytest.mark.parametrize("on", ["embedding", "backbone"])
@pytest.mark.parametrize("standardise", [False, True])
def test_a_text_start_has_the_logits_of_the_texts_wherever_it_is_put(
    tmp_path: Path, on: str, standardise: bool
) -> None:
    p = of(tmp_path, on=on, standardise=standardise, normalise=False, start_norm="raw")
    torch.testing.assert_close(logits(p), pretrained_logits(p), rtol=1e-4, atol=1e-4)


def test_on_the_backbone_others_are_made_of_its_features(tmp_path: Path) -> None:
    p = of(tmp_path, classifier="prototype", on="backbone", start_norm="raw", normalise=False)
    assert built(p).w_init_CD.shape == (6, FEATURES)
    random = of(tmp_path, classifier="random", on="backbone")
    assert built(random).w_init_CD.shape == (6, FEATURES)


def test_rows_of_zeros_stay_zeros() -> None:
    from harness.run.probe import _with_length

    start = _with_length(Start(torch.tensor([[0.0, 0.0], [3.0, 4.0]])), "unit")
    torch.testing.assert_close(start.w_CK, torch.tensor([[0.0, 0.0], [0.6, 0.8]]))


def test_another_tuning_has_no_head_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(CellError, match="trains no head on frozen features"):
        spec_of(prepared(tmp_path).cell)
