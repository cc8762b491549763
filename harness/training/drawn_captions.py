"""A trained text tower that reads another caption of every class at each step (FLYP).

C classes, K templates, U classes of a step, D width of an embedding.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from harness.core.protocols.encoder import TunableText
from harness.training.texts import TrainedTower, Wording
from harness.training.tower_parts import WHOLE, Tuned

if TYPE_CHECKING:
    pass


class DrawnCaptions(TrainedTower):
    """`text_tower: online` with a prompt whose texts are drawn: at each step every class has one of
    its K texts, drawn for each class by itself. Evaluation reads the texts of `evaluation`, through
    the tower as it was trained: all templates, or one.

    FLYP (arXiv 2212.00638) draws a caption for every image. Rows of W are those of classes, so here
    all images of a class have the same caption within a step, and another one in the next.
    """

    def __init__(
        self,
        captions: Wording,
        tower: TunableText,
        names: Sequence[str],
        evaluation: Wording,
        *rest: Any,
        tuned: Tuned = WHOLE,
    ) -> None:
        super().__init__(tower, names, evaluation, *rest, tuned=tuned)
        self._captions = captions(names)
        self._drawn = [0] * len(names)

    def begin_step(self) -> None:
        """Drawn for all classes, whichever are read: the stream does not depend on the batch."""
        import torch

        super().begin_step()
        counts_C = torch.tensor([len(of_class) for of_class in self._captions])
        numbers_C = torch.randint(2**62, (len(counts_C),), generator=self._stream)
        self._drawn = (numbers_C % counts_C).tolist()

    def _read(self, classes: Sequence[int]) -> list[list[str]]:
        return [[self._captions[c][self._drawn[c]]] for c in classes]
