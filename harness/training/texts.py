"""Class texts that change during training: drawn templates, a trained tower, a learned context.

The head uses the rows of W of the current step. If they depend on parameters, the gradient at W is
backpropagated through the text tower once per step, whatever the number of micro-batches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from harness.core.errors import CellError
from harness.core.protocols.encoder import TunableText
from harness.core.text_context import ContextForm, TextContext
from harness.training.tower_parts import FROZEN, TEXT, WHOLE, TowerPart, Tuned, TunedTower

if TYPE_CHECKING:
    import torch

#: Class names to the texts of each class: one or several.
Wording = Callable[[Sequence[str]], list[list[str]]]
BEFORE = ContextForm()
#: Classes per batch of texts in evaluation.
AT_ONCE = 64
#: A class has no more texts; their numbers, which draws depend on, do not meet.
MOST_TEXTS = 2**20


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
    """Texts of classes with a context, or without one, embedded by a text tower. The vectors of a
    class-specific context are (C, M, E), of the classes `names`.
    """

    def __init__(
        self,
        tower: TunableText,
        names: Sequence[str],
        wording: Wording,
        map_ED: torch.Tensor | None = None,
        average: str = "normalised",
        context: TextContext | None = None,
    ) -> None:
        self._tower, self._wording, self._map_ED = tower, wording, map_ED
        self._average, self._context = average, context
        self._names, self._texts = names, wording(names)

    def begin_epoch(self, stream: torch.Generator) -> None:
        """Nothing is drawn."""

    def begin_step(self) -> None:
        """Nothing is drawn."""

    def rows(self, classes_U: torch.Tensor) -> torch.Tensor:
        classes = classes_U.tolist()
        return self._embed(self._read(classes), classes)

    def _read(self, classes: Sequence[int]) -> list[list[str]]:
        """The texts of these classes that a step reads."""
        return [self._texts[c] for c in classes]

    def embed(self, names: Sequence[str]) -> torch.Tensor:
        """Raises CellError for a class that a class-specific context does not name."""
        import torch

        texts, classes = self._wording(names), self._numbers(names)
        with torch.no_grad():
            parts = [
                self._embed(texts[i : i + AT_ONCE], classes[i : i + AT_ONCE])
                for i in range(0, len(texts), AT_ONCE)
            ]
        return torch.cat(parts)

    def _numbers(self, names: Sequence[str]) -> list[int]:
        """Of classes by their names; any where nothing belongs to one class."""
        if self._context is None or not self._context.form.class_specific:
            return list(range(len(names)))
        number = {name: c for c, name in enumerate(self._names)}
        for name in names:
            if name not in number:
                raise CellError(f"the class-specific context has no vectors of the class '{name}'")
        return [number[name] for name in names]

    def _embed(self, texts: Sequence[Sequence[str]], classes: Sequence[int]) -> torch.Tensor:
        """(U, D): for a class with several texts the mean of their embeddings, each normalised
        first unless `average` is `plain`.
        """
        import torch

        flat = [text for of_class in texts for text in of_class]
        w_ND = self._tower.encode(flat, self._context_of(texts, classes)).float()
        w_ND = w_ND if self._map_ED is None else w_ND @ self._map_ED.to(w_ND.device)
        parts = w_ND.split([len(of_class) for of_class in texts])
        return torch.stack([self._mean(w_KD) for w_KD in parts])

    def _context_of(
        self, texts: Sequence[Sequence[str]], classes: Sequence[int]
    ) -> TextContext | None:
        """The context of the texts of these classes."""
        if self._context is None or not self._context.form.class_specific:
            return self._context
        pairs = zip(classes, texts, strict=True)
        each = [c for c, of_class in pairs for _ in of_class]
        return replace(self._context, vectors=self._context.vectors[each])

    def _mean(self, w_KD: torch.Tensor) -> torch.Tensor:
        from torch.nn import functional as F

        if len(w_KD) == 1:
            return w_KD[0]
        return (w_KD if self._average == "plain" else F.normalize(w_KD, dim=-1)).mean(dim=0)


class TowerTexts(ContextTexts, ABC):
    """Texts that are encoded at every step by a tower of which a part is trained. It needs its own
    copy of the tower.
    """

    def __init__(self, tower: TunableText, *rest: Any, tuned: Tuned) -> None:
        super().__init__(tower, *rest)
        self._tuned = TunedTower(tower.module, tuned, TEXT)
        self._stream: torch.Generator | None = None
        self._key = 0

    def tune(self, tuned: Tuned) -> None:
        """Train another part of the tower from now on. Raises CellError if it has none."""
        self._tuned.tune(tuned)

    @property
    def part(self) -> TowerPart:
        """What of the tower is trained now."""
        return self._tuned.part

    def begin_epoch(self, stream: torch.Generator) -> None:
        self._stream = stream

    def begin_step(self) -> None:
        import torch

        if self.part.draws:
            self._key = int(torch.randint(2**62, (1,), generator=self._stream))

    def rows(self, classes_U: torch.Tensor) -> torch.Tensor:
        if self.part.draws:
            self.part.begin(self._key, self._text_numbers(classes_U.tolist()))
        return super().rows(classes_U)

    def _text_numbers(self, classes: Sequence[int]) -> torch.Tensor:
        """A number for every text of some classes."""
        import torch

        read = zip(classes, self._read(classes), strict=True)
        numbers = [c * MOST_TEXTS + k for c, of_class in read for k in range(len(of_class))]
        return torch.tensor(numbers, device=next(self._tower.module.parameters()).device)

    def embed(self, names: Sequence[str]) -> torch.Tensor:
        self.part.end()
        return super().embed(names)

    def pretrained(self) -> list[torch.Tensor]:
        return self.part.tensors()

    @abstractmethod
    def new(self) -> list[torch.Tensor]: ...

    def tower(self) -> Mapping[str, torch.Tensor]:
        return self._tuned.state() if self._tuned.is_trained else {}

    @abstractmethod
    def context(self) -> torch.Tensor | None: ...


class TrainedTower(TowerTexts):
    """`text_tower: online`: the text tower is trained too (Table 6), or the part of it that is
    tuned.
    """

    def __init__(self, tower: TunableText, *rest: Any, tuned: Tuned = WHOLE) -> None:
        super().__init__(tower, *rest, tuned=tuned)

    def new(self) -> list[torch.Tensor]:
        return []

    def context(self) -> None:
        """There is none."""


class LearnedContext(TowerTexts):
    """M vectors in the text of every class, trained through the tower (Eq. 7; CoOp): (M, E), or
    (C, M, E) where they are class-specific. The tower is frozen unless a part of it is tuned.
    """

    def __init__(
        self,
        vectors: torch.Tensor,
        tower: TunableText,
        *rest: Any,
        form: ContextForm = BEFORE,
        tuned: Tuned = FROZEN,
    ) -> None:
        self._learnt = vectors.detach().clone().requires_grad_()
        self.learned = TextContext(self._learnt, form)
        super().__init__(tower, *rest, tuned=tuned)
        self._context = self.learned

    def new(self) -> list[torch.Tensor]:
        return [self._learnt]

    def context(self) -> torch.Tensor:
        return self._learnt
