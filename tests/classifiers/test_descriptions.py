"""descriptions: the rows of its own prompt, at length 1."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn import functional as F

from harness.classifiers import descriptions
from harness.classifiers.descriptions import Options
from harness.core.cells import Choice

from .inputs import inputs


def test_rows_are_the_texts_at_length_one(text_CD: torch.Tensor) -> None:
    w_CD = descriptions.build(inputs(text_CD), Options(file="f.json"))
    torch.testing.assert_close(w_CD, F.normalize(text_CD, dim=-1))


def test_its_prompt_is_the_file() -> None:
    assert descriptions.prompt({"file": "f.json"}) == Choice("descriptions", (("file", "f.json"),))
    assert descriptions.prompt({}) is None  # its options are refused


@pytest.mark.parametrize("options", [{}, {"file": ""}, {"file": "f", "files": "g"}])
def test_options_that_are_refused(options: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Options(**options)
