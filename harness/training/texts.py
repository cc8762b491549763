"""Class texts that change during training: drawn templates, a trained tower, a learned context.

The head uses the rows of W of the current step. If they depend on parameters, the gradient at W is
backpropagated through the text tower once per step, whatever the number of micro-batches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from harness.core.protocols.encoder import TunableText

if TYPE_CHECKING:
    import torch

#: Class names to the texts of each class: one or several.
Wording = Callable[[Sequence[str]], list[list[str]]]
#: Classes per batch of texts in evaluation.
AT_ONCE = 64


class DrawnTemplates:
    """One of K templates, drawn at every step for all classes (Table 4, appendix B.4)."""

    def __init__(self, w_KCD: torch.Tensor) -> None:
        self._w_KCD, self._number = w_KCD, 0
        self._stream: torch.Generator | None = None

    def begin_epoch(self, stream: torch.Generator) -> None:
        self._stream = stream

    def begin_step(self) -> None:
        import torch

        self._number = int(torch.randint(len(self._w_KCD), (1,), generator=self._stream))

    def rows(self, classes_U: torch.Tensor) -> torch.Tensor:
        return self._w_KCD[self._number][classes_U]

    def embed(self, names: Sequence[str]) -> None:
        """None: evaluation has its own template."""

    def pretrained(self) -> list[torch.Tensor]:
        return []

    def new(self) -> list[torch.Tensor]:
        return []

    def tower(self) -> Mapping[str, torch.Tensor]:
        return {}

    def context(self) -> None:
        """There is none."""


class ContextTexts:
    """Texts of classes behind a context (M, E), or without one, embedded by a text tower."""

    def __init__(
        self,
        tower: TunableText,
        names: Sequence[str],
        wording: Wording,
        map_ED: torch.Tensor | None = None,
        average: str = "normalised",
        context_ME: torch.Tensor | None = None,
    ) -> None:
        self._tower, self._wording, self._map_ED = tower, wording, map_ED
        self._average, self._context_ME = average, context_ME
        self._texts = wording(names)

    def begin_epoch(self, stream: torch.Generator) -> None:
        """Nothing is drawn."""

    def begin_step(self) -> None:
        """Nothing is drawn."""

    def rows(self, classes_U: torch.Tensor) -> torch.Tensor:
        return self._embed([self._texts[c] for c in classes_U.tolist()])

    def embed(self, names: Sequence[str]) -> torch.Tensor:
        import torch

        texts = self._wording(names)
        with torch.no_grad():
            parts = [self._embed(texts[i : i + AT_ONCE]) for i in range(0, len(texts), AT_ONCE)]
        return torch.cat(parts)

    def _embed(self, texts: Sequence[Sequence[str]]) -> torch.Tensor:
        """(U, D): for a class with several texts the mean of their embeddings, each normalised
        first unless `average` is `plain`.
        """
        import torch

        flat = [text for of_class in texts for text in of_class]
        w_ND = self._tower.encode(flat, self._context_ME).float()
        w_ND = w_ND if self._map_ED is None else w_ND @ self._map_ED.to(w_ND.device)
        parts = w_ND.split([len(of_class) for of_class in texts])
        return torch.stack([self._mean(w_KD) for w_KD in parts])

    def _mean(self, w_KD: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional as F

        if len(w_KD) == 1:
            return w_KD[0]
        return (w_KD if self._average == "plain" else F.normalize(w_KD, dim=-1)).mean(dim=0)


class TrainedTower(ContextTexts):
    """`text_tower: online`: the text tower is trained too (Table 6). It needs its own copy."""

    def __init__(self, tower: TunableText, *rest: Any) -> None:
        super().__init__(tower, *rest)
        self._tower.module.requires_grad_()

    def pretrained(self) -> list[torch.Tensor]:
        return list(self._tower.module.parameters())

    def new(self) -> list[torch.Tensor]:
        return []

    def tower(self) -> Mapping[str, torch.Tensor]:
        state: Mapping[str, torch.Tensor] = self._tower.module.state_dict()
        return state

    def context(self) -> None:
        """There is none."""


class LearnedContext(ContextTexts):
    """M vectors before every class name, trained through the tower (Eq. 7). The tower is frozen
    unless its parameters require gradients.
    """

    def __init__(self, context_ME: torch.Tensor, tower: TunableText, *rest: Any) -> None:
        super().__init__(tower, *rest)
        self._context_ME = self._learnt_ME = context_ME.detach().clone().requires_grad_()

    @property
    def length(self) -> int:
        """M, the number of vectors."""
        return len(self._learnt_ME)

    def pretrained(self) -> list[torch.Tensor]:
        return [t for t in self._tower.module.parameters() if t.requires_grad]

    def new(self) -> list[torch.Tensor]:
        return [self._learnt_ME]

    def tower(self) -> Mapping[str, torch.Tensor]:
        state: Mapping[str, torch.Tensor] = self._tower.module.state_dict()
        return state if self.pretrained() else {}

    def context(self) -> torch.Tensor:
        return self._learnt_ME
