"""Data sets of clips that a backbone is trained on: their items are read in every epoch."""

from __future__ import annotations

from collections.abc import Iterable

from harness.core.protocols.dataset import Clips, as_clips
from harness.plan.resolve import ResolvedCell


def read_often(cells: Iterable[ResolvedCell]) -> dict[int, Clips]:
    """Data sets of clips that some cells train a backbone on, ready for that; by their id."""
    trained: dict[int, tuple[Clips, dict[str, None]]] = {}
    for resolved in cells:
        clips, support = as_clips(resolved.setup.dataset), resolved.support
        if clips is not None and support is not None and resolved.cell.tunes_backbone:
            items = trained.setdefault(id(resolved.setup.dataset), (clips, {}))[1]
            items.update(dict.fromkeys(support.items))
    return {key: clips.for_training(list(items)) for key, (clips, items) in trained.items()}
