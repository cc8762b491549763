"""The model of a cell: which parts it has, and that every initial value is the cell's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.core.errors import CellError
from harness.run.build import BuiltModel, build_head, build_model, pretrained_embedding
from harness.training.cached import CachedFeatures
from harness.training.texts import DrawnTemplates
from harness.training.tuned import TunedBackbone

from .outside import FEATURES, NAMES, D, ImageTower, TextTower
from .prepared import Prepared, prepared


def built(p: Prepared) -> BuiltModel:
    return build_model(p.cell, p.recipe, p.resources)


def test_tuning_projection_trains_it_on_kept_features(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    model = built(p).model
    assert isinstance(model.source, CachedFeatures)
    support = p.cell.support
    assert support is not None
    assert len(model.source) == len(support.items) == 12
    assert model.trained_parameters() == D * FEATURES + 1  # with the logit scale
    assert model.embedding.projection.weight_DF.requires_grad
    assert built(p).backbone is None
    torch.testing.assert_close(built(p).w_init_CD, F.normalize(TextTower().embed(NAMES), dim=-1))


def test_models_of_two_cells_share_no_tensor(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    one, two = built(p).model, built(p).model
    with torch.no_grad():
        for tensor in one.tensors():
            tensor.add_(1)
    assert all(not torch.equal(a, b) for a, b in zip(one.tensors(), two.tensors(), strict=True))
    pretrained = p.resources.encoder(p.cell).projection.weight_DF
    assert torch.equal(pretrained, ImageTower().projection()[0])


def test_tuning_all_trains_a_copy_of_the_backbone(tmp_path: Path) -> None:
    p = prepared(tmp_path, tuning="all")
    model = built(p)
    assert isinstance(model.backbone, TunedBackbone)
    shared = p.resources.encoder(p.cell).image.module
    assert shared is not None
    assert model.backbone.module is not shared
    trained = D * FEATURES + FEATURES * FEATURES + FEATURES + 1
    assert model.model.trained_parameters() == trained
    x_NCHW = torch.rand(2, 3, 16, 16)
    torch.testing.assert_close(model.backbone.module(x_NCHW), shared(x_NCHW))


def test_checkpointing_asks_the_backbone(tmp_path: Path) -> None:
    p = prepared(tmp_path, tuning="all", recipe={"checkpointing": True, "epochs": 1})
    with pytest.raises(CellError, match="cannot recompute its blocks"):
        built(p)


@pytest.mark.parametrize(
    ("classifier", "recipe", "scale"),
    [
        ("text", {"logit_scale": None}, 10.0),  # the encoder's
        ("text", {"logit_scale": 7.0}, 7.0),
        ({"name": "text", "scale": 3.0}, {"logit_scale": 7.0}, 3.0),
    ],
)
def test_which_logit_scale_is_taken(
    tmp_path: Path, classifier: Any, recipe: dict[str, Any], scale: float
) -> None:
    p = prepared(tmp_path, classifier=classifier, recipe={"epochs": 1, **recipe})
    head = build_head(p.cell, p.recipe, 6, torch.eye(6, D), p.resources)
    torch.testing.assert_close(head.logits(torch.eye(6, D)), scale * torch.eye(6))


def test_options_of_the_recipe_and_the_classifier_reach_the_head(tmp_path: Path) -> None:
    p = prepared(
        tmp_path, classifier={"name": "text", "normalise": False}, schedule="trained",
        recipe={"epochs": 1, "train_logit_scale": False},
    )  # fmt: skip
    head = build_head(p.cell, p.recipe, 6, 2 * torch.eye(6, D), p.resources)
    torch.testing.assert_close(head.logits(torch.eye(6, D)), 20 * torch.eye(6))
    assert [tuple(t.shape) for t in head.pretrained() if t.requires_grad] == [(6, D)]


def test_drawn_templates_change_the_rows(tmp_path: Path) -> None:
    prompt = {"name": "templates", "texts": ["a {}", "the {}"], "train": "draw"}
    assert isinstance(built(prepared(tmp_path, prompt=prompt)).model.texts, DrawnTemplates)
    random = prepared(tmp_path, prompt=prompt, classifier="random")
    assert built(random).model.texts is None, "its rows are no texts"
    averaged = prepared(tmp_path, prompt={**prompt, "train": "average"})
    assert built(averaged).model.texts is None


def test_the_pretrained_embedding_is_the_encoders(tmp_path: Path) -> None:
    p = prepared(tmp_path, tuning="none")
    h_BF = torch.randn(3, FEATURES)
    embedding = pretrained_embedding(p.cell, p.resources)
    torch.testing.assert_close(embedding(h_BF), h_BF @ ImageTower().projection()[0].T)


def test_a_method_has_no_head(tmp_path: Path) -> None:
    p = prepared(tmp_path, method="run.outside:RIDGE")
    with pytest.raises(CellError, match="a method has no head"):
        build_head(p.cell, None, 6, None, p.resources)


def test_a_head_that_lacks_a_member_is_refused(tmp_path: Path, elsewhere: Any) -> None:
    from harness.core.errors import BadInput

    name = elsewhere("headless", USES=(), build=lambda inputs, options: object())
    p = prepared(tmp_path, paradigm=name)
    with pytest.raises(BadInput, match=rf"the head of paradigm '{name}'.*is missing"):
        built(p)
