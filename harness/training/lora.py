"""LoRA: W + scaling B A in place of the frozen W of a tower's linear layers, A and B trained.

A (r, F) starts by Kaiming's uniform law (a = sqrt 5), B (D, r) at zero, so the tower starts as it
was. Hu et al., ICLR 2022, arXiv 2106.09685; with the attention of both towers, CLIP-LoRA: Zanella
and Ben Ayed, CVPRW 2024, arXiv 2405.18541. The layers are peft's; their dropout and their start
are ours, as peft draws both from the global stream.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

from harness.core.cells import LoraSpec
from harness.core.errors import CellError
from harness.core.seeding import torch_stream
from harness.training.hashed_dropout import HashedDropout, Masks
from harness.training.split_attention import Split
from harness.training.transformer_blocks import TARGETS, Block, split_blocks

#: peft's name for the one adapter that a layer has.
NAME = "default"
#: A tensor of the module before: the modules that have it now, or its thirds, and its name there.
Source = tuple[tuple[nn.Module, str], ...]


class Adapters:
    """LoRA adapters in one tower (a torch module), put in place.

    They are made before anything else is put into the tower. Blocks are numbered as the tower has
    them, and the layers of a block in the order q, k, v, o, mlp.

    Raises CellError for a tower without blocks of a known kind, and for a target that is none.
    """

    def __init__(self, module: Any, spec: LoraSpec, seed: int | None, tower: str) -> None:
        unknown = [target for target in spec.targets if target not in TARGETS]
        if unknown or not spec.targets:
            wrong = f"'{unknown[0]}' is no target" if unknown else "there are no targets"
            raise CellError(f"tuning: lora: {wrong}; allowed: {', '.join(TARGETS)}")
        names = list(module.state_dict())
        owners = dict(module.named_modules(remove_duplicate=False))
        blocks, splits = split_blocks(module, spec.targets)
        if not blocks:
            raise CellError(
                "tuning: lora adapts the attention of transformer blocks, and the "
                f"{tower} tower ({type(module).__name__}) has none of a known kind"
            )
        self._sources = {name: _source(name, owners, splits) for name in names}
        self._masks = Masks()
        paths = _paths(blocks, spec.targets)
        _inject(module, spec, list(paths))
        self._module, self._paths = module, tuple(paths)
        self._layers = [module.get_submodule(path) for path in paths]
        self._by_base = {id(layer.get_base_layer()): layer for layer in self._layers}
        self._draw(torch_stream(seed, "lora", tower))
        for number, (layer, batch_dim) in enumerate(zip(self._layers, paths.values(), strict=True)):
            layer.lora_dropout[NAME] = HashedDropout(
                spec.dropout, number, tower, self._masks, batch_dim
            )
        module.requires_grad_(False)
        for tensor in self.tensors():
            tensor.requires_grad_()

    def tensors(self) -> list[torch.Tensor]:
        """A (r, F) and B (D, r) of every adapter in turn: all that is trained."""
        return [each for layer in self._layers for each in _a_and_b(layer)]

    def begin(self, key: int, rows_B: torch.Tensor | None) -> None:
        """What the dropout masks of the next forward pass depend on, up to its backward pass.

        `rows_B` numbers the samples in the first dimension of the batch (B x T with frames); None:
        by their places. Until the first call, and without a graph, there is no dropout.
        """
        self._masks.key, self._masks.rows_B = key, rows_B

    def end(self) -> None:
        """No dropout until `begin` is called again, with a graph either."""
        self._masks.key = self._masks.rows_B = None

    @contextmanager
    def scaled(self, factor: float) -> Iterator[None]:
        """The adapters' contribution times a factor, in `merged` too: weights between those before
        (0) and after (1) training.
        """
        before = [layer.scaling[NAME] for layer in self._layers]
        try:
            for layer, scaling in zip(self._layers, before, strict=True):
                layer.scaling[NAME] = factor * scaling
            yield
        finally:
            for layer, scaling in zip(self._layers, before, strict=True):
                layer.scaling[NAME] = scaling

    def merged(self) -> dict[str, torch.Tensor]:
        """The state dict that the module had before, under its names, with W + scaling B A. What
        has no adapter is the module's own tensor, detached.
        """
        state = {}
        with torch.no_grad():
            for name, source in self._sources.items():
                tensors = [self._current(owner, leaf) for owner, leaf in source]
                state[name] = tensors[0] if len(tensors) == 1 else torch.cat(tensors)
        return state

    def settle(self) -> None:
        """Put W + scaling B A in place of W and take the adapters away, in `merged` too."""
        with torch.no_grad():
            for path, layer in zip(self._paths, self._layers, strict=True):
                base, (above, _, leaf) = layer.get_base_layer(), path.rpartition(".")
                base.weight.copy_(self._current(base, "weight"))
                setattr(self._module.get_submodule(above), leaf, base)
        self._paths, self._layers, self._by_base = (), [], {}

    def _current(self, owner: nn.Module, leaf: str) -> torch.Tensor:
        """A tensor of a module, with what its adapter adds to it."""
        tensor: torch.Tensor = getattr(owner, leaf).detach()
        layer = self._by_base.get(id(owner)) if leaf == "weight" else None
        return tensor if layer is None else tensor + layer.get_delta_weight(NAME).to(tensor.dtype)

    def _draw(self, generator: torch.Generator) -> None:
        """The start: drawn on the CPU, in the adapters' order."""
        with torch.no_grad():
            for layer in self._layers:
                a_RF, b_DR = _a_and_b(layer)
                drawn_RF = torch.empty(a_RF.shape)
                nn.init.kaiming_uniform_(drawn_RF, a=math.sqrt(5), generator=generator)
                a_RF.copy_(drawn_RF)
                b_DR.zero_()


def _a_and_b(layer: Any) -> tuple[torch.Tensor, torch.Tensor]:
    return layer.lora_A[NAME].weight, layer.lora_B[NAME].weight


def _paths(blocks: Sequence[Block], targets: Sequence[str]) -> dict[str, int]:
    """Path of every layer with an adapter, and the dimension of the samples in what it reads."""
    return {
        path: block.batch_dim
        for block in blocks
        for target in TARGETS
        if target in targets
        for path in block.layers[target]
    }


def _source(name: str, owners: Mapping[str, nn.Module], splits: Mapping[str, Split]) -> Source:
    """Where a tensor of the state dict is from now on; by the modules that have it, as their paths
    may change.
    """
    path, _, leaf = name.rpartition(".")
    split = splits.get(path)
    if split is None:
        return ((owners[path], leaf),)
    if leaf not in split.FUSED:
        return ((split, leaf),)
    return tuple((part, split.FUSED[leaf]) for part in split.parts())


def _inject(module: Any, spec: LoraSpec, paths: Sequence[str]) -> None:
    """The adapters of peft at these paths, without values."""
    from peft import LoraConfig, inject_adapter_in_model

    config = LoraConfig(
        r=spec.rank,
        lora_alpha=spec.alpha,
        use_rslora=spec.scaling == "alpha/sqrt_r",
        lora_dropout=0.0,
        target_modules="|".join(map(re.escape, paths)),
        init_lora_weights=False,
    )
    with torch.random.fork_rng(devices=[]):  # peft draws values all the same
        inject_adapter_in_model(config, module, NAME)
