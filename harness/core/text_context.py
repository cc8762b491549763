"""A learned context: vectors in place of words of a text, and where they are in it (CoOp; Eq. 7).

M vectors, N texts, C classes, E width of a token embedding.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import torch

Position = Literal["before", "around", "behind"]


@dataclass(frozen=True)
class ContextForm:
    """Where the M vectors are in a text, and whose they are.

    position: `before` the name; `around` it, M // 2 before and the others behind; or `behind` it.
    closing: the end of every text that is no part of the name, such as a full stop. It stays at the
    end of the text, behind the vectors.
    class_specific: whether every class has M vectors of its own.
    """

    position: Position = "before"
    closing: str = ""
    class_specific: bool = False

    def sides(self, length: int) -> tuple[int, int]:
        """How many of M vectors are before the name, and how many behind it."""
        if self.position == "before":
            return length, 0
        half = length // 2 if self.position == "around" else 0
        return half, length - half


@dataclass(frozen=True)
class TextContext:
    """The vectors (M, E) of every text, or (N, M, E) of each, and their form."""

    vectors: torch.Tensor
    form: ContextForm = ContextForm()

    @property
    def length(self) -> int:
        """M."""
        return int(self.vectors.shape[-2])

    @property
    def sides(self) -> tuple[int, int]:
        """How many vectors are before the name, and how many behind it."""
        return self.form.sides(self.length)
