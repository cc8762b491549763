"""What holds of every initialisation."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from harness.core import registry
from harness.core.protocols.classifier import MATERIALS, SAVED, Classifier, ClassifierInputs

from .inputs import C, D, cell, facts, inputs

NAMES = registry.names("classifier")


@pytest.mark.parametrize("name", NAMES)
def test_an_ordinary_cell_is_feasible(name: str) -> None:
    plugin = registry.load(Classifier, name)
    ordinary = cell(name)
    if name == "saved":
        ordinary = replace(ordinary, init="w.safetensors")
    assert plugin.check(ordinary, facts()) is None
    assert set(plugin.USES) <= {*MATERIALS, SAVED}


@pytest.mark.parametrize("name", NAMES)
def test_it_reads_no_more_than_it_declares(name: str, text_CD: torch.Tensor) -> None:
    plugin, given = registry.load(Classifier, name), inputs(text_CD)
    support = (given.support_ND, given.labels_N) if "support" in plugin.USES else (None, None)
    text = text_CD if "text" in plugin.USES else None
    saved = text_CD if SAVED in plugin.USES else None
    declared = ClassifierInputs(C, D, given.generator, text, *support, saved_CD=saved)
    w_CD = plugin.build(declared, plugin.Options())
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
