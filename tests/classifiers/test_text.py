"""text: the embeddings of the class texts, as they are."""

from __future__ import annotations

import torch

from harness.classifiers import text

from .inputs import PLAIN, inputs


def test_text_is_the_text(text_CD: torch.Tensor) -> None:
    assert torch.equal(text.build(inputs(text_CD), PLAIN), text_CD)
