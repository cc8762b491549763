"""What of a tower is tuned: all of it, its normalisation layers, its biases, or adapters in it; and
another part of it after that, in trainings with stages.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.cells import OF_TOWERS, LoraSpec, Stage
from harness.core.errors import CellError
from harness.core.seeding import stream_seed

if TYPE_CHECKING:
    import torch


#: The towers, by the names in `LoraSpec.towers`.
IMAGE, TEXT = "image", "text"


@dataclass(frozen=True)
class Tuned:
    """The tuned part of the towers of a cell."""

    tuning: str = "all"  # all | norm | bias | lora, or another name: nothing in the tower
    lora: LoraSpec | None = None
    seed: int | None = None  # of what is drawn: the start of adapters, and their dropout

    @classmethod
    def of(cls, stage: Stage, seed: int | None) -> Tuned:
        """What a stage of a cell with this seed tunes."""
        return cls(stage.tuning, stage.lora, seed)

    @property
    def of_texts(self) -> Tuned:
        """In a text tower that is trained: beside a projection that is tuned, all of it is."""
        return WHOLE if self.tuning == "projection" else self

    @property
    def in_towers(self) -> bool:
        """Whether it is a part of the towers."""
        return self.tuning in OF_TOWERS


#: All of the towers, and nothing in them.
WHOLE = Tuned()
FROZEN = Tuned("none")


class TowerPart(ABC):
    """The tensors of one tower that are trained. No other tensor of it requires a gradient."""

    @property
    def draws(self) -> bool:
        """Whether a forward pass in training draws anything; see `begin`."""
        return False

    @abstractmethod
    def tensors(self) -> list[torch.Tensor]:
        """In a fixed order."""

    def begin(self, key: int, rows_B: torch.Tensor) -> None:  # noqa: B027 - most parts draw nothing
        """Before a forward pass in training: what its draws depend on. A number a sample, that
        does not change with the micro-batch that the sample is in.
        """

    def end(self) -> None:  # noqa: B027 - as above
        """Before an evaluation: nothing is drawn."""

    @property
    def is_a_change(self) -> bool:
        """Whether `tensors` are not weights of the tower, but make a change of them."""
        return False

    def between(self, share: float) -> AbstractContextManager[None]:
        """With that share of such a change, while the context lasts."""
        return nullcontext()

    def merged(self, state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """The state dict that the tower had before, with what the training made of it."""
        return state

    def settle(self) -> None:  # noqa: B027 - most parts are weights of the tower
        """Before another part is tuned: a change of weights becomes part of the weights."""


class TunedTower:
    """A tower, the part of it that is trained, and the parts that were trained before it. `tower`
    is image or text, for what is drawn.

    It is made before anything is put into the tower. Raises CellError for a tower that has no such
    part.
    """

    def __init__(self, module: Any, tuned: Tuned, tower: str) -> None:
        self._module, self._tower = module, tower
        # Adapters and inserted modules may change the names of these tensors.
        self._before: Mapping[str, torch.Tensor] = module.state_dict(keep_vars=True)
        self._tuned, self._parts = tuned, [tune(module, tuned, tower)]

    @property
    def part(self) -> TowerPart:
        """What is trained now."""
        return self._parts[-1]

    def tune(self, tuned: Tuned) -> None:
        """Train another part from now on. Raises CellError if the tower has none."""
        if tuned == self._tuned:
            return
        self.part.settle()
        self._parts.append(tune(self._module, tuned, self._tower))
        self._tuned = tuned

    def state(self) -> dict[str, torch.Tensor]:
        """The tensors of the tower under their first names, as they are now; of adapters the
        weights that they make.
        """
        state = self._before
        for part in self._parts:
            state = part.merged(state)
        return dict(state)

    @property
    def is_trained(self) -> bool:
        """Whether any part of it was or is trained."""
        return any(part.tensors() for part in self._parts)


class Whole(TowerPart):
    """`tuning: all`: every parameter, also of modules that are inserted later."""

    def __init__(self, module: Any) -> None:
        self._module = module.requires_grad_()

    def tensors(self) -> list[torch.Tensor]:
        """All of the module as it is now."""
        return list(self._module.parameters())


class Chosen(TowerPart):
    """Some parameters of a tower; the others are frozen."""

    def __init__(self, module: Any, tensors: list[torch.Tensor]) -> None:
        module.requires_grad_(False)
        self._tensors = [tensor.requires_grad_() for tensor in tensors]

    def tensors(self) -> list[torch.Tensor]:
        """In the order of the module."""
        return self._tensors


class Adapted(TowerPart):
    """`tuning: lora`: adapters in a frozen tower."""

    def __init__(self, module: Any, spec: LoraSpec, seed: int | None, tower: str) -> None:
        from harness.training.lora import Adapters

        self._adapters = Adapters(module, spec, seed, tower)
        self._tensors = self._adapters.tensors()
        self._draws, self._names = spec.dropout > 0, (seed, "adapters", tower)

    @property
    def draws(self) -> bool:
        """Whether the input of the adapters has a dropout."""
        return self._draws

    def tensors(self) -> list[torch.Tensor]:
        """A and B of every adapter."""
        return self._tensors

    def begin(self, key: int, rows_B: torch.Tensor) -> None:
        """What the dropout masks depend on."""
        self._adapters.begin(stream_seed(*self._names, key), rows_B)

    def end(self) -> None:
        """No dropout."""
        self._adapters.end()

    @property
    def is_a_change(self) -> bool:
        """A and B make B A."""
        return True

    def between(self, share: float) -> AbstractContextManager[None]:
        """W + share * scaling * B A: between W and what was trained the weights are on a line."""
        return self._adapters.scaled(share)

    def merged(self, state: Mapping[str, torch.Tensor]) -> Mapping[str, torch.Tensor]:
        """With W + scaling * B A in place of W."""
        return self._adapters.merged()

    def settle(self) -> None:
        """W + scaling * B A takes the place of W."""
        self._adapters.settle()


def tune(module: Any, tuned: Tuned, tower: str) -> TowerPart:
    """Choose what of a tower is trained. `tower` is image or text, for its draws.

    Raises CellError for a tower that has no such part.
    """
    if tuned.tuning == "all":
        return Whole(module)
    if tuned.tuning == "lora":
        if tuned.lora is None or tower not in tuned.lora.towers:
            return Chosen(module, [])
        return Adapted(module, tuned.lora, tuned.seed, tower)
    find = {"norm": of_normalisation, "bias": biases}.get(tuned.tuning)
    if find is None:
        return Chosen(module, [])
    tensors = find(module)
    if not tensors:
        what = "normalisation layer" if tuned.tuning == "norm" else "bias"
        raise CellError(f"tuning: {tuned.tuning}: the {tower} tower has no {what}")
    return Chosen(module, tensors)


def of_normalisation(module: Any) -> list[torch.Tensor]:
    """Scales and shifts of every normalisation layer. The running statistics of batch norms are
    buffers, and stay as they are.
    """
    layers = (layer for layer in module.modules() if _is_normalisation(layer))
    found = {id(t): t for layer in layers for t in layer.parameters(recurse=False)}
    return [tensor for tensor in module.parameters() if id(tensor) in found]


def _is_normalisation(layer: Any) -> bool:
    from torch import nn
    from torch.nn.modules.batchnorm import _NormBase

    known = (nn.LayerNorm, nn.GroupNorm, nn.RMSNorm, _NormBase)
    # Libraries have RMS norms of their own, which have no class in common.
    return isinstance(layer, known) or type(layer).__name__.endswith(("Norm", "Norm2d"))


def biases(module: Any) -> list[torch.Tensor]:
    """Every bias, also those of attention and of normalisation (BitFit, Ben Zaken et al. 2022)."""
    named = module.named_parameters()
    return [tensor for name, tensor in named if name.rpartition(".")[2].endswith("bias")]
