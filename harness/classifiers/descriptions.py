"""Several sentences on each class, averaged: descriptions in place of one text (CuPL, DCLIP).

`file` is JSON, {class: [sentences]}, with at least one sentence for every class of the cell; other
classes may be in it too. Each sentence is embedded and normalised, and a class is the mean (Menon
and Vondrick 2023; Pratt et al. 2023). The sentences take the place of the task's `prompt`, are part
of the key, and are counted by `plan`.

It is `classifier: text` with `prompt: {name: descriptions, file: ...}`. With that prompt every
other classifier of texts reads the sentences too.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from pydantic import Field

from harness.core.cells import Choice
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text",)


class Options(ClassifierOptions):
    """file: the JSON file of the sentences, {class: [sentences]}."""

    file: str = Field(min_length=1)


def prompt(given: Mapping[str, Any]) -> Choice | None:
    """The sentences of the file."""
    file = given.get("file")
    return Choice("descriptions", (("file", file),)) if file else None


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD of length 1: the mean of the normalised embeddings of the sentences of each class."""
    from torch.nn import functional as F

    return F.normalize(inputs.text(), dim=-1)
