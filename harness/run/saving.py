"""`save: last`: the whole model of a training into a file that `init:` starts from.

What was trained before, and only kept here, is part of the model and is written again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from harness.core.errors import CellError
from harness.core.protocols.paradigm import Head
from harness.plan.resolve import ResolvedCell
from harness.run.build import normalises
from harness.run.checkpoints import checkpoint_folder
from harness.run.context import RunContext
from harness.run.evaluate import Trained, evaluation_head
from harness.run.initialise import alignment_map
from harness.run.probe import is_linear
from harness.run.resources import Resources
from harness.training.model import Embedding, Projection
from harness.training.weights import (
    CONTEXT,
    NAME,
    TEXT,
    Source,
    Weights,
    save_weights,
)

if TYPE_CHECKING:
    import torch


def keep_weights(resolved: ResolvedCell, trained: Trained, context: RunContext) -> None:
    """Write the weights of a training; nothing for a method, or for a model that cannot predict.

    Raises DiskFull or OutputError.
    """
    if trained.embedding is None:
        return
    try:
        weights = trained_weights(resolved, trained, context.resources)
    except CellError:
        return  # its cells fail, and say why
    save_weights(checkpoint_folder(resolved, context.store) / NAME, weights)


def trained_weights(resolved: ResolvedCell, trained: Trained, resources: Resources) -> Weights:
    """The whole model after a training, with W for the classes trained on.

    Raises CellError for a model that has no W.
    """
    projection, temporal = _embedding(resolved, trained, resources)
    names = resolved.setup.trained.names
    head = evaluation_head(resolved, trained, resources, names)
    module, inserted = _backbone(resolved, trained, resources)
    texts = trained.texts
    context = texts.context() if texts is not None else None
    kept = resources.saved(resolved, CONTEXT)
    return Weights(
        projection=projection,
        module=module,
        inserted=inserted,
        temporal={} if temporal is None else temporal.state_dict(),
        text=_tower(resolved, trained, resources),
        context=kept.context if context is None and kept is not None else context,
        map_ED=alignment_map(resolved, resources),
        head=head.state(),
        source=_source(resolved, names, head),
    )


def _embedding(
    resolved: ResolvedCell, trained: Trained, resources: Resources
) -> tuple[Projection, torch.nn.Module | None]:
    """The projection and the module over time. A cosine head on frozen features has those that it
    found; a linear one reads features of its own, which a file does not hold.
    """
    embedding = trained.embedding
    if isinstance(embedding, Embedding):
        return embedding.projection, embedding.temporal
    if embedding is None or is_linear(resolved):
        raise CellError("a linear head on frozen features is not saved")
    return resources.encoder(resolved).projection, embedding.temporal


def _backbone(
    resolved: ResolvedCell, trained: Trained, resources: Resources
) -> tuple[Mapping[str, torch.Tensor] | None, Mapping[str, torch.Tensor]]:
    """The tensors of the backbone, or None for the pretrained one, and of modules inside it."""
    if trained.backbone is not None:
        return trained.backbone.state(), trained.backbone.inserted()
    saved = resources.encoder(resolved).weights
    return (None if saved is None else saved.module), {}


def _tower(
    resolved: ResolvedCell, trained: Trained, resources: Resources
) -> Mapping[str, torch.Tensor]:
    """The tensors of a trained text tower; empty for the pretrained one."""
    tower = trained.texts.tower() if trained.texts is not None else {}
    saved = resources.saved(resolved, TEXT)
    return saved.text if not tower and saved is not None else tower


def _source(resolved: ResolvedCell, names: tuple[str, ...], head: Head) -> Source:
    cell, setup = resolved.cell, resolved.setup
    return Source(
        classes=names,
        normalise=normalises(setup),
        temporal=cell.temporal.name if cell.temporal else None,
        encoder=setup.facts.weights,
        text_encoder=setup.text_weights,
        alignment=cell.alignment,
        unnamed=max(0, len(head.pretrained()) + len(head.new()) - len(head.state())),
        position=setup.prompt.plugin.context_form(setup.prompt.options).position,
    )
