"""Text plus support in closed form (SS-Text, Silva-Rodriguez et al. 2025): a head without training.

w_c = t_c + (1 / (N lambda_c)) s sum over class c of f_i, with t_c and f_i the normalised text and
support embeddings, s the logit scale and lambda_c = 1 / n_c for a class of n_c samples, but 0.001
at least, as in the published code. lambda_c is the weight of a penalty that holds w_c near its
text, and is weaker for classes of more samples. With K shots of every class w_c is t_c plus s K / C
times the class mean.

s is the option `scale`, else that of `init`, else the encoder's; the recipe's has no part in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.core.class_means import text_plus_support
from harness.core.protocols.classifier import ClassifierInputs, ClassifierOptions

if TYPE_CHECKING:
    import torch

USES = ("text", "support")


def build(inputs: ClassifierInputs, options: ClassifierOptions) -> torch.Tensor:
    """w_CD; a class without samples has its text."""
    from torch.nn import functional as F

    t_CD = F.normalize(inputs.text(), dim=-1)
    return text_plus_support(t_CD, *inputs.support(), inputs.logit_scale)
