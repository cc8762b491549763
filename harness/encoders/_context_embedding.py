"""A text tower that reads a learned context: a copy of its module that shares every parameter."""

from __future__ import annotations

from copy import copy
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def with_context(
    module: Any, embedding: Any, vectors: torch.Tensor, places_NM: torch.Tensor
) -> Any:
    """`module` with vectors (M, E), or (N, M, E), in place of what `embedding`, a part of it, makes
    of the tokens at places (N, M). `module` is not changed.
    """
    return _replaced(module, embedding, _context_embedding()(embedding, vectors, places_NM))


@cache
def _context_embedding() -> Any:
    """The class of embeddings that read the context; a function, so that torch is loaded late."""
    import torch

    class ContextEmbedding(torch.nn.Module):
        """Embeds tokens (N, L) to (N, L, E), with the context in place of its fillers."""

        def __init__(self, inner: Any, vectors: torch.Tensor, places_NM: torch.Tensor) -> None:
            super().__init__()
            self.inner, self.vectors, self.places_NM = inner, vectors, places_NM

        def forward(self, ids_NL: torch.Tensor) -> torch.Tensor:
            x_NLE = self.inner(ids_NL)
            # The gradient is gathered: a boolean mask in place of numbers would wait for a GPU.
            places_NME = self.places_NM[..., None].expand(-1, -1, x_NLE.shape[-1])
            context_NME = self.vectors.to(x_NLE).expand(places_NME.shape)
            replaced_NLE: torch.Tensor = x_NLE.scatter(1, places_NME, context_NME)
            return replaced_NLE

    return ContextEmbedding


def _replaced(module: Any, old: Any, new: Any) -> Any:
    """`module` with `new` wherever it holds `old`; it shares all parameters, and is not changed."""
    if module is old:
        return new
    parts = {
        name: None if part is None else _replaced(part, old, new)
        for name, part in module._modules.items()
    }
    if all(parts[name] is part for name, part in module._modules.items()):
        return module
    changed = copy(module)  # shallow: parameters, buffers and hooks are those of `module`
    changed._modules = parts
    return changed
