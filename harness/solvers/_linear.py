"""What the solvers of convex heads share: the data of a linear head, and where its optimum goes.

Letters of shapes: N samples, B samples of a block, C classes, D width of the features that the head
reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.cells import Cell
from harness.core.errors import CellError
from harness.core.protocols.solver import Problem, Solution

if TYPE_CHECKING:
    import torch

#: Samples that are read at once: with 1,000 classes their logits in float32 are 65 MB.
BLOCK = 16_384


def trains_a_head(cells: Sequence[Cell]) -> bool:
    """Whether this is one head on frozen features. Planning checks that it is linear."""
    return len(cells) == 1 and cells[0].tuning == "head"


@dataclass(frozen=True)
class LinearProblem:
    """logits = z @ W^T + b for N samples, with b or without."""

    problem: Problem
    l2: float

    @classmethod
    def of(cls, problem: Problem) -> LinearProblem:
        """Raises CellError without a strength, which planning should have refused."""
        if problem.recipe.l2 is None:
            raise CellError("recipe.l2 is missing: a convex head is solved for one strength")
        return cls(problem, problem.recipe.l2)

    @property
    def n(self) -> int:
        return len(self.problem.labels_N)

    @property
    def shape(self) -> tuple[int, int]:
        """(C, D)."""
        n_classes, width = self.problem.model.head.weight().shape
        return n_classes, width

    @property
    def has_bias(self) -> bool:
        return len(self._tensors()) > 1

    def blocks(self, dtype: torch.dtype) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """(z_BD, y_B) of all samples in order."""
        import torch

        model, y_N = self.problem.model, self.problem.labels_N
        for start in range(0, self.n, BLOCK):
            part_B = torch.arange(start, min(start + BLOCK, self.n))
            with torch.no_grad():
                z_BD = model.embedding(model.source.features(part_B))
            yield z_BD.to(dtype), y_N[part_B]

    def mean(self) -> torch.Tensor:
        """mean_D of the samples in float64; zeros where there is no bias that could take it up."""
        import torch

        _, width = self.shape
        sum_D = torch.zeros(width, dtype=torch.float64, device=self.problem.model.device)
        if self.has_bias:
            for z_BD, _ in self.blocks(torch.float64):
                sum_D += z_BD.sum(dim=0)
        return sum_D / self.n

    def put(self, w_CD: torch.Tensor, b_C: torch.Tensor) -> None:
        """Make these the tensors of the head."""
        import torch

        with torch.no_grad():
            for tensor, value in zip(self._tensors(), (w_CD, b_C), strict=False):
                tensor.copy_(value)

    def _tensors(self) -> list[torch.Tensor]:
        """W, then b where it is trained (see LinearHead)."""
        return self.problem.model.head.pretrained()


def solution(steps: int, facts: dict[str, Any], warnings: Sequence[str] = ()) -> Solution:
    """A solution that no start has a part in; `facts` certify it."""
    return Solution(steps=steps, diagnostics={"convex": True, **facts}, warnings=tuple(warnings))
