"""Initial classifiers and the map from texts to pictures: made of what a cell's plugins use."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from harness.run.initialise import (
    alignment_map,
    embedded_support,
    initial_classifier,
    template_classifiers,
    text_classifier,
)

from .outside import NAMES, D, TextTower
from .prepared import Prepared, prepared

WIDE = "elsewhere.wide"


@pytest.fixture
def wide(elsewhere: Any) -> str:
    """A text encoder of width 3."""

    class Wide:
        def embed(self, texts: list[str]) -> torch.Tensor:
            return torch.tensor([[float(len(t)), 1.0, float(ord(t[0]))] for t in texts])

    from harness.core.facts import EncoderFacts

    facts = EncoderFacts("wide", "wide", 3, 3, 16, 1.0, text_dim=3)
    return str(
        elsewhere(
            "wide", READS=("texts",), facts=lambda argument, options: facts,
            build_text=lambda argument, options: Wide(),
        )
    )  # fmt: skip


def classifier(p: Prepared, names: tuple[str, ...] | None = None) -> Any:
    return initial_classifier(p.cell, names or p.cell.setup.trained.names, p.resources)


def test_text_is_the_embedding_of_the_names(tmp_path: Path) -> None:
    p = prepared(tmp_path)
    torch.testing.assert_close(classifier(p), TextTower().embed(NAMES))
    torch.testing.assert_close(classifier(p, ("owl",)), TextTower().embed(["owl"]))


def test_prototypes_are_made_of_the_support_set(tmp_path: Path) -> None:
    p = prepared(tmp_path, classifier="prototype")
    z_ND, y_N = embedded_support(p.cell, p.resources)
    assert z_ND is not None
    assert y_N is not None
    means_CD = torch.stack([F.normalize(z_ND, dim=-1)[y_N == c].mean(dim=0) for c in range(6)])
    torch.testing.assert_close(
        F.normalize(classifier(p), dim=-1), F.normalize(means_CD, dim=-1), atol=1e-5, rtol=1e-5
    )


def test_drawn_ones_follow_the_seed(tmp_path: Path) -> None:
    p = prepared(tmp_path, classifier="random", seeds=2)
    first, second = (initial_classifier(c, NAMES, p.resources) for c in p.cells)
    again = initial_classifier(p.cells[0], NAMES, p.resources)
    assert first is not None
    assert again is not None
    assert first.shape == (6, D)
    assert torch.equal(first, again)
    assert second is not None
    assert not torch.equal(first, second)


def test_a_head_of_its_own_has_no_initial_classifier(tmp_path: Path) -> None:
    assert classifier(prepared(tmp_path, paradigm="vision_only")) is None


def test_matching_reads_texts(tmp_path: Path) -> None:
    p = prepared(tmp_path, paradigm="matching")
    torch.testing.assert_close(classifier(p), text_classifier(p.cell, NAMES, p.resources))


def test_templates_are_kept_apart(tmp_path: Path) -> None:
    texts = ["a {}", "the {}"]
    p = prepared(tmp_path, prompt={"name": "templates", "texts": texts, "train": "draw"})
    w_KCD = template_classifiers(p.cell, NAMES, p.resources)
    assert w_KCD.shape == (2, 6, D)
    torch.testing.assert_close(w_KCD[1], TextTower().embed([f"the {name}" for name in NAMES]))


def test_texts_of_another_width_are_aligned(tmp_path: Path, wide: str) -> None:
    p = prepared(tmp_path, text_encoder=wide, alignment="pad")
    map_ED = alignment_map(p.cell, p.resources)
    assert map_ED is not None
    assert map_ED.shape == (3, D)
    w_CD = text_classifier(p.cell, NAMES, p.resources)
    torch.testing.assert_close(w_CD, p.resources.texts(p.cell, NAMES) @ map_ED)
    fitted = prepared(tmp_path, text_encoder=wide, alignment="least_squares")
    assert not torch.equal(text_classifier(fitted.cell, NAMES, fitted.resources), w_CD)
    assert alignment_map(prepared(tmp_path).cell, p.resources) is None


def test_an_alignment_is_fitted_on_the_classes_trained_on(tmp_path: Path, wide: str) -> None:
    """Zero-shot: one map, fitted on the training classes, for the names that are tested."""
    p = prepared(
        tmp_path, text_encoder=wide, alignment="least_squares", regime="zero_shot", shots=None,
        classes={"pick": 2, "seed": 0}, train_classes={},
    )  # fmt: skip
    map_ED = alignment_map(p.cell, p.resources)
    assert map_ED is not None
    z_ND, y_N = embedded_support(p.cell, p.resources)
    assert z_ND is not None
    assert y_N is not None
    assert set(y_N.tolist()) == set(range(4))
    tested = p.cell.setup.tested.names
    torch.testing.assert_close(classifier(p, tested), p.resources.texts(p.cell, tested) @ map_ED)


def test_without_training_samples_there_is_no_support(tmp_path: Path) -> None:
    p = prepared(tmp_path, regime="zero_shot", shots=None)
    assert embedded_support(p.cell, p.resources) == (None, None)
