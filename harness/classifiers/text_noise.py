"""Control: the text embeddings with noise, at a level.

With t_c the text of class c, of length |t_c|, and g_c independent standard normals in D dimensions,
w_c = |t_c| u_c / |u_c|, u_c = t_c + sigma |t_c| g_c / sqrt(D): the noise is about sigma times as
long as the text, and rows keep their lengths. 0 is `text`; a row has about the cosine
1 / sqrt(1 + sigma^2) with its text: 0.89 at 0.5, 0.71 at 1, 0.45 at 2. Noise takes away both the
alignment with the image embeddings and the correlations between classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


class Options(ClassifierOptions):
    """sigma: the length of the noise, relative to that of the text."""

    sigma: float = Field(ge=0, allow_inf_nan=False)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD, with rows as long as the texts."""
    import torch

    t_CD = inputs.text()
    if options.sigma == 0:
        return t_CD
    g_CD = torch.randn(inputs.n_classes, inputs.dim, generator=inputs.generator)
    length_C1 = t_CD.norm(dim=1, keepdim=True)
    u_CD = t_CD + options.sigma * length_C1 * g_CD / inputs.dim**0.5
    w_CD: torch.Tensor = u_CD * (length_C1 / u_CD.norm(dim=1, keepdim=True))
    return w_CD
