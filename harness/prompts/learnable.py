"""A learned context before the class name (CoOp; Eq. 7): M vectors that all classes share.

The text reads [V]_1 ... [V]_M [class name]. The vectors are trained at the rate lr_new through the
text tower, which stays frozen unless matching with `text_tower: online` trains it. `context` is M.
They start at random, N(0, 0.02), or with `start: text` at the token embeddings of `text`, which
must be M tokens. The paper's public code, as CoOp, has a full stop at the end (`full_stop: true`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import BaseModel, ConfigDict, Field

from harness.core import registry
from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.facts import CellFacts
from harness.core.protocols.encoder import TunableText
from harness.prompts._changing_texts import why_infeasible

if TYPE_CHECKING:
    import torch

#: It has parameters: the rows of W are computed from them at every step.
TRAINED = True
#: CoOp's standard deviation of random vectors.
DEVIATION = 0.02


class Options(BaseModel):
    """context: M, the number of vectors. start: random | text. text: what they start at.
    full_stop: a full stop behind the class name, in which "_" is read as a space.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: int = Field(4, ge=1)
    start: Literal["random", "text"] = "random"
    text: str = Field("a photo of a", min_length=1)
    full_stop: bool = False


def check(cell: Cell, facts: CellFacts) -> str | None:
    """It needs training, or a saved context, and a text tower that a context can be put into."""
    was_trained = cell.tuning == "none" and "context" in facts.restored
    if cell.tuning in ("none", "head") and not was_trained:
        return f"a learnable prompt is trained with the encoder: tuning is {cell.tuning}"
    if facts.encoder.text_dim is None:
        return "the encoder has no text tower: name a text_encoder"
    if not facts.takes_context:
        family, _ = registry.split_reference((cell.text_encoder or cell.encoder).name)
        return f"the text tower of {family} takes no learned context"
    return why_infeasible(cell, "a learnable prompt")


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """The class names alone, or with a full stop: the context is put before them."""
    if options.full_stop:
        return [[f"{name.replace('_', ' ')}."] for name in names]
    return [[name] for name in names]


def start(options: Options, encoder: TunableText, generator: torch.Generator) -> torch.Tensor:
    """The context (M, E) before training, on the CPU.

    Raises CellError for a text that is not M tokens for this tower.
    """
    import torch

    if options.start == "random":
        shape = (options.context, encoder.context_dim)
        return DEVIATION * torch.randn(shape, generator=generator)
    vectors_KE = encoder.token_vectors(options.text)
    if len(vectors_KE) != options.context:
        raise CellError(
            f"prompt learnable: the text '{options.text}' is {len(vectors_KE)} tokens for this "
            f"text tower, and context is {options.context}"
        )
    return vectors_KE.cpu()
