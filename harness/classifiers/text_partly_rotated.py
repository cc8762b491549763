"""Control: the text embeddings, a part of the way towards those of `text_rotated`.

W = T Q^amount, with Q the rotation of `text_rotated` at the same seed. Q turns planes by angles
between 0 and 180 degrees; Q^amount turns each by `amount` of its angle. So 0 is `text`, 1 is
`text_rotated`, and the lengths of rows and the correlations between classes are the same at every
amount: what changes is the alignment with the image embeddings alone. A row has about the cosine
sin(pi amount) / (pi amount) with its text: 0.90 at 0.25, 0.64 at 0.5, 0.30 at 0.75.

Where Q also mirrors one direction (its determinant is -1), that one is mirrored from 0.5 on.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from harness.classifiers._rotations import part_of, random_rotation
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "seed")


class Options(ClassifierOptions):
    """amount: how far rows are moved towards the rotation, from 0 to 1."""

    amount: float = Field(ge=0, le=1)


def build(inputs: ClassifierInputs, options: Options) -> torch.Tensor:
    """w_CD = text_CD Q^amount: the Gram matrix stays the same."""
    if options.amount == 0:
        return inputs.text()
    q_DD = random_rotation(inputs.dim, inputs.generator)
    # Q^1 is Q: not computed, so that it is text_rotated to the last bit.
    return inputs.text() @ (q_DD if options.amount == 1 else part_of(q_DD, options.amount))
