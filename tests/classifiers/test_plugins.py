"""What holds of every initialisation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch

from harness.core import registry
from harness.core.protocols.classifier import MATERIALS, SAVED, Classifier, ClassifierInputs

from .inputs import C, D, cell, facts, inputs

NAMES = registry.names("classifier")
#: What a task must say.
OPTIONS: dict[str, dict[str, Any]] = {
    "descriptions": {"file": "f.json"},
    "text_low_rank": {"rank": 3},
    "text_noise": {"sigma": 0.5},
    "text_partly_rotated": {"amount": 0.25},
}


@pytest.mark.parametrize("name", NAMES)
def test_an_ordinary_cell_is_feasible(name: str) -> None:
    plugin = registry.load(Classifier, name)
    ordinary = cell(name)
    if name == "saved":
        ordinary = replace(ordinary, init="w.safetensors")
    linear = name == "zeros"  # no other head can start from them
    assert plugin.check(ordinary, facts(linear=linear)) is None
    assert set(plugin.USES) <= {*MATERIALS, SAVED}


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_no_more_than_it_declares(name: str, text_CD: torch.Tensor) -> None:
    plugin, given = registry.load(Classifier, name), inputs(text_CD)
    support = (given.support_ND, given.labels_N) if "support" in plugin.USES else (None, None)
    text = text_CD if "text" in plugin.USES else None
    saved = text_CD if SAVED in plugin.USES else None
    declared = ClassifierInputs(C, D, given.generator, text, *support, saved_CD=saved)
    w_CD = plugin.build(declared, plugin.Options(**OPTIONS.get(name, {})))
    assert w_CD.shape == (C, D)
    assert w_CD.isfinite().all()


def test_asking_for_what_was_not_declared_fails() -> None:
    bare = ClassifierInputs(C, D, torch.Generator())
    with pytest.raises(LookupError, match="text"):
        bare.text()
    with pytest.raises(LookupError, match="support"):
        bare.support()
    with pytest.raises(LookupError, match="saved"):
        bare.saved()
    with pytest.raises(LookupError, match="validation"):
        bare.validation()


@pytest.mark.parametrize("name", NAMES)
def test_most_read_no_validation_samples_and_no_texts_of_their_own(name: str) -> None:
    plugin, given = registry.load(Classifier, name), OPTIONS.get(name, {})
    assert not plugin.reads_validation(given)
    assert (plugin.prompt(given) is None) == (name != "descriptions")
