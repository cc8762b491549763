"""A learned context before, around or behind the class name (CoOp; Eq. 7): M vectors.

With `position: before` the text reads [V]_1 ... [V]_M [class name]; with `around`, CoOp's "middle",
[V]_1 ... [V]_(M // 2) [class name] [V]_(M // 2 + 1) ... [V]_M; with `behind`, CoOp's "front",
[class name] [V]_1 ... [V]_M. `context` is M. All classes share the vectors unless they are
`class_specific` (CoOp's CSC): then each has M of its own, and those of other classes are unknown.
The paper's public code, as CoOp, has a full stop at the end of the text (`full_stop: true`).

The vectors are trained at the rate lr_new through the text tower, which stays frozen unless
`text_tower: online` trains it. They start at random, N(0, 0.02), or with `start: text` at the token
embeddings of `text`, which must be M tokens: CoOp's CTX_INIT, there for a shared context only.
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
from harness.core.text_context import ContextForm, Position
from harness.prompts._changing_texts import why_infeasible

if TYPE_CHECKING:
    import torch

#: It has parameters: the rows of W are computed from them at every step.
TRAINED = True
#: CoOp's standard deviation of random vectors.
DEVIATION = 0.02
FULL_STOP = "."


class Options(BaseModel):
    """context: M, the number of vectors. start: random | text. text: what they start at.
    full_stop: a full stop at the end; "_" in the class name is then read as a space.
    position: before | around | behind the class name. class_specific: M vectors for every class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    context: int = Field(4, ge=1)
    start: Literal["random", "text"] = "random"
    text: str = Field("a photo of a", min_length=1)
    full_stop: bool = False
    position: Position = "before"
    class_specific: bool = False


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
    """The class names alone, or with a full stop: without the context."""
    if options.full_stop:
        return [[name.replace("_", " ") + FULL_STOP] for name in names]
    return [[name] for name in names]


def context_form(options: Options) -> ContextForm:
    """Where the vectors are; a full stop is no part of the name."""
    closing = FULL_STOP if options.full_stop else ""
    return ContextForm(options.position, closing, options.class_specific)


def start(
    options: Options, encoder: TunableText, generator: torch.Generator, n_classes: int = 1
) -> torch.Tensor:
    """The context (M, E) before training, or (C, M, E) if it is class-specific; on the CPU.

    Raises CellError for a text that is not M tokens for this tower.
    """
    import torch

    classes = (n_classes,) if options.class_specific else ()
    if options.start == "random":
        shape = (*classes, options.context, encoder.context_dim)
        return DEVIATION * torch.randn(shape, generator=generator)
    vectors_ME = encoder.token_vectors(options.text).cpu()
    if len(vectors_ME) != options.context:
        raise CellError(
            f"prompt learnable: the text '{options.text}' is {len(vectors_ME)} tokens for this "
            f"text tower, and context is {options.context}"
        )
    return vectors_ME.expand(*classes, *vectors_ME.shape).clone() if classes else vectors_ME
