"""CoOp's texts of vectors and names, from its definition and the tower's own tokenizer alone."""

from __future__ import annotations

from typing import Any

import torch


def coop(tower: Any, name: str, context_ME: torch.Tensor, position: str, end: str) -> torch.Tensor:
    """(1, D): CoOp's prompt learner. The text is read with M words in front; the embeddings of
    start, name and rest are taken from it, and put together with the vectors. The gradient reaches
    the vectors.
    """
    m = len(context_ME)
    half, length = m // 2, len(tower._words(name))

    def together(module: Any, ids: Any, x_1LE: torch.Tensor) -> torch.Tensor:
        x_LE = x_1LE[0]
        prefix, words, suffix = x_LE[:1], x_LE[1 + m : 1 + m + length], x_LE[1 + m + length :]
        parts = {
            "before": [prefix, context_ME, words, suffix],
            "around": [prefix, context_ME[:half], words, context_ME[half:], suffix],
            "behind": [prefix, words, context_ME, suffix],
        }
        return torch.cat(parts[position])[None]

    hook = tower._embedding().register_forward_hook(together)
    try:
        z_1D: torch.Tensor = tower.encode([" ".join(["a"] * m) + f" {name}{end}"])
    finally:
        hook.remove()
    return z_1D
