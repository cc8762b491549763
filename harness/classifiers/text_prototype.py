"""A mixture of the class text and the mean of its support embeddings.

w_c = (1 - weight) t_c + weight p_c, both of length 1: 0 is `text`, 1 is `prototype`. With `weight:
validation` it is chosen for each cell from 0, 0.1, ..., 1: the first of those with the highest
accuracy of the cosine classifier on the cell's validation samples, which the task asks for by
`val`. No training has a part in that choice.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from harness.core.class_means import class_directions
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "support")
#: What `weight: validation` chooses from, the first of equals.
WEIGHTS = tuple(tenths / 10 for tenths in range(11))


class Options(ClassifierOptions):
    """weight: how much of the mixture is prototype, from 0 to 1, or validation."""

    weight: Annotated[float, Field(ge=0, le=1)] | Literal["validation"] = 0.5


def reads_validation(given: Mapping[str, Any]) -> bool:
    """To choose the weight."""
    return given.get("weight") == "validation"


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD of the mixture. Raises CellError for a class without samples."""
    from torch.nn import functional as F

    t_CD = F.normalize(inputs.text(), dim=-1)
    p_CD = class_directions(*inputs.support(), inputs.n_classes)
    if options.weight != "validation":
        return _mixture(t_CD, p_CD, options.weight)
    z_MD, y_M = inputs.validation()
    # max returns the first of equals.
    best = max(WEIGHTS, key=lambda weight: _right(_mixture(t_CD, p_CD, weight), z_MD, y_M))
    return _mixture(t_CD, p_CD, best)


def _mixture(t_CD: torch.Tensor, p_CD: torch.Tensor, weight: float) -> torch.Tensor:
    return (1 - weight) * t_CD + weight * p_CD


def _right(w_CD: torch.Tensor, z_MD: torch.Tensor, y_M: torch.Tensor) -> int:
    """How many samples have the largest cosine with the row of their class."""
    from torch.nn import functional as F

    return int((z_MD @ F.normalize(w_CD, dim=-1).T).argmax(dim=1).eq(y_M).sum())
