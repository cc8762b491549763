"""given: what precomputed features are to a cell, and what needs pictures."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from precomputed import F, N, arrays, npz

from harness.core.cells import Cell, Choice, Recipe
from harness.core.errors import DataError, EncoderError
from harness.core.facts import CellFacts
from harness.encoders import given

from .compare import NONE


def cell(path: Path, **changes: Any) -> Cell:
    return Cell(
        **{
            "dataset": Choice(f"features:{path}"),
            "regime": "few_shot",
            "encoder": Choice(f"given:{path}"),
            "recipe": Recipe(),
            "prompt": Choice("class_name"),
        }
        | changes
    )


def refusal(path: Path, **changes: Any) -> str:
    facts = CellFacts(3, 1, given.facts(str(path), NONE))
    with pytest.raises((EncoderError, DataError)) as caught:
        given.check(cell(path, **changes), facts)
    return str(caught.value)


def test_facts_are_those_of_the_arrays(tmp_path: Path) -> None:
    facts = given.facts(str(npz(tmp_path)), NONE)
    assert (facts.dim, facts.feature_dim, facts.text_dim, facts.logit_scale) == (F, F, F, 50)
    texts = given.build_text(str(tmp_path / "f.npz"), NONE).embed(["dog", "cat"])
    np.testing.assert_array_equal(texts.numpy(), arrays()["text_features"][[2, 0]])


def test_without_texts_there_is_no_text_tower(tmp_path: Path) -> None:
    path = npz(tmp_path, text_features=None, logit_scale=None)
    facts = given.facts(str(path), NONE)
    assert (facts.text_dim, facts.logit_scale) == (None, 100)
    with pytest.raises(EncoderError, match="has no text_features"):
        given.build_text(str(path), NONE).embed(["cat"])


def test_what_a_key_holds_changes_with_any_number(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    changed = arrays()["features"]
    changed[3, 2] += 1
    paths = (npz(tmp_path), npz(tmp_path / "other", features=changed))
    assert len({given.facts(str(path), NONE).weights for path in paths}) == 2


def test_it_reads_no_picture_and_has_nothing_to_train(tmp_path: Path) -> None:
    encoder = given.build_image(str(npz(tmp_path)), NONE)
    assert encoder.module is None
    for call in (lambda: encoder.preprocess(None, 224), lambda: encoder.features(None)):
        with pytest.raises(EncoderError, match=r"f\.npz reads no pictures"):
            call()


def test_the_projection_is_the_identity(tmp_path: Path) -> None:
    weight_DF, bias_D = given.build_image(str(npz(tmp_path)), NONE).projection()
    assert bias_D is None
    assert weight_DF.tolist() == np.eye(F).tolist()


def test_a_cell_with_the_features_of_the_same_file_is_feasible(tmp_path: Path) -> None:
    path = npz(tmp_path)
    facts = CellFacts(3, 1, given.facts(str(path), NONE))
    assert given.check(cell(path), facts) is None


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"dataset": Choice("emoji")}, "dataset must be features:"),
        ({"dataset": Choice("features:other.npz")}, "not features:other.npz"),
        ({"test_dataset": Choice("emoji")}, "test_dataset must be features:PATH"),
        ({"tuning": "all"}, "tuning: all needs pictures"),
        ({"temporal": Choice("tap")}, "temporal: tap needs pictures"),
        ({"resolution": 64}, "resolution: 64 needs pictures"),
        ({"views": "4x3"}, "views: 4x3 needs pictures"),
        ({"recipe": Recipe(augment="crop")}, "recipe.augment: crop needs pictures"),
        ({"prompt": Choice("templates")}, "prompt: templates needs a text tower"),
    ],
)
def test_what_needs_pictures_is_refused(tmp_path: Path, changes: dict[str, Any], says: str) -> None:
    assert says in refusal(npz(tmp_path), **changes)


def test_a_test_set_of_another_width(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    path = npz(other, features=np.ones((N, 5), np.float32))
    told = refusal(npz(tmp_path), test_dataset=Choice(f"features:{path}"))
    assert "features of width 5" in told
    assert "one encoder must have made both" in told


def test_texts_of_classes_that_have_none(tmp_path: Path) -> None:
    path = npz(tmp_path, text_names=np.array(["dog", "cat", "barn owl"]))
    text = given.build_text(str(path), NONE)
    np.testing.assert_array_equal(text.embed(["dog"])[0].numpy(), arrays()["text_features"][0])
    with pytest.raises(EncoderError, match=r"has no text of 'cats'\. Did you mean 'cat'"):
        text.embed(["cats"])
