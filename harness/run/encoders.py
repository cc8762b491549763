"""The encoders that cells name, loaded once, with the saved weights that they begin from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.core.cells import Choice
from harness.plan import resolve
from harness.training import cost
from harness.training.cost import Cost
from harness.training.device import device
from harness.training.features import text_embeddings
from harness.training.model import Projection
from harness.training.weights import Weights, load_weights, put_into

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Tower:
    """An image encoder at one resolution, with the saved weights that it begins from."""

    encoder: Choice
    resolution: int
    init: Path | None


class LoadedTower:
    """An image encoder, loaded when first asked for; pictures come in one size."""

    def __init__(self, tower: Tower) -> None:
        self._found, self._argument, self._options = resolve.options("encoder", tower.encoder)
        self._resolution, self._init = tower.resolution, tower.init

    def image(self) -> Any:
        return self._image

    @cached_property
    def projection(self) -> Projection:
        if self.weights is not None:
            return self.weights.projection
        return Projection(*self._image.projection())

    @cached_property
    def _image(self) -> Any:
        built = self._found.build_image(self._argument, self._options)
        if hasattr(built, "resize"):  # towers with embeddings of positions
            built.resize(self._resolution)
        if self.weights is not None and self.weights.module and self._init is not None:
            put_into(built.module, self.weights.module, self._init, "encoder")
        if hasattr(built, "module"):  # others look after themselves
            built.module.to(device())
        return built

    @cached_property
    def weights(self) -> Weights | None:
        """Saved weights that it begins from."""
        return load_weights(self._init) if self._init is not None else None


@cache
def load_tower(tower: Tower) -> LoadedTower:
    """Once for every tower: it must not be changed, copy it to tune it."""
    return LoadedTower(tower)


@cache
def encoder_cost(tower: Tower) -> Cost | None:
    """What one picture costs; None of an encoder that cannot be counted, or has nothing to run."""
    image = load_tower(tower).image()
    try:
        return cost.encoder_cost(image, tower.resolution)
    except (RuntimeError, NotImplementedError, AttributeError, TypeError, ValueError):
        return None  # it runs all the same


@cache
def load_text_tower(choice: Choice) -> Any:
    """The text encoder of a Choice."""
    found, argument, options = resolve.options("encoder", choice)
    return found.build_text(argument, options)


@cache
def embed_names(encoder: Choice, prompt: Choice, names: tuple[str, ...]) -> torch.Tensor:
    """(C, E) text embeddings of class names as evaluation words them, in the text tower's own
    width.
    """
    return _embed(encoder, prompt, resolve.evaluation_texts(prompt, names), _average(prompt))


@cache
def embed_templates(encoder: Choice, prompt: Choice, names: tuple[str, ...]) -> torch.Tensor:
    """(K, C, E): class names in each template of a prompt by itself."""
    import torch

    found, _, options = resolve.options("prompt", prompt)
    texts = found.texts(names, options)
    each = [[[own[k]] for own in texts] for k in range(len(texts[0]))]
    return torch.stack([_embed(encoder, prompt, of_one, "normalised") for of_one in each])


def _embed(encoder: Choice, prompt: Choice, texts: list[list[str]], average: str) -> torch.Tensor:
    weights = resolve.text_facts(encoder).weights
    return text_embeddings(weights, lambda: load_text_tower(encoder), prompt, texts, average)


def _average(prompt: Choice) -> str:
    found, _, options = resolve.options("prompt", prompt)
    return str(found.averaging(options)) if hasattr(found, "averaging") else "normalised"
