"""The initial classifier of a cell, and the map from the width of texts to that of images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.errors import CellError
from harness.core.protocols.alignment import AlignmentInputs
from harness.core.protocols.classifier import ClassifierInputs
from harness.core.protocols.encoder import TunableText
from harness.core.protocols.paradigm import CLASSIFIER, LOGIT_SCALE
from harness.core.seeding import torch_stream
from harness.core.text_context import TextContext
from harness.plan.resolve import ResolvedCell
from harness.run.resources import Resources
from harness.run.support_rows import samples_of
from harness.training.rows import StoredRows
from harness.training.texts import ContextTexts
from harness.training.weights import ALIGNMENT, CONTEXT

if TYPE_CHECKING:
    import torch


def initial_classifier(
    resolved: ResolvedCell,
    names: tuple[str, ...],
    resources: Resources,
    *,
    of_backbone: bool = False,
) -> torch.Tensor | None:
    """w_CD of the cell's initialisation for the classes `names`; None for a head that draws its own
    rows. With `of_backbone` w_CF, made of the backbone's features before the projection.
    """
    chosen = resolved.setup.classifier
    if chosen is None:
        paradigm = resolved.setup.paradigm
        reads_texts = paradigm is not None and "text" in paradigm.plugin.USES
        return text_classifier(resolved, names, resources) if reads_texts else None
    uses = chosen.plugin.USES
    support_ND, labels_N = (
        embedded_support(resolved, resources, of_backbone=of_backbone)
        if "support" in uses
        else (None, None)
    )
    shape_DF = resources.encoder(resolved).projection.weight_DF.shape
    validation_MD, validation_labels_M = (
        embedded_validation(resolved, resources, of_backbone=of_backbone)
        if chosen.plugin.reads_validation(dict(chosen.choice.options))
        else (None, None)
    )
    inputs = ClassifierInputs(
        n_classes=len(names),
        dim=shape_DF[1] if of_backbone else shape_DF[0],
        generator=torch_stream(resolved.cell.seed, "init"),
        text_CD=text_classifier(resolved, names, resources) if "text" in uses else None,
        support_ND=support_ND,
        labels_N=labels_N,
        saved_CD=saved_head(resolved, resources).get(CLASSIFIER),
        validation_MD=validation_MD,
        validation_labels_M=validation_labels_M,
        logit_scale=chosen.options.scale
        or saved_logit_scale(resolved, resources)
        or resolved.setup.facts.logit_scale,
    )
    return chosen.plugin.build(inputs, chosen.options)


def saved_head(resolved: ResolvedCell, resources: Resources) -> Mapping[str, torch.Tensor]:
    """The state of the saved head, if the cell begins from its W; else empty."""
    saved = resources.saved(resolved, CLASSIFIER)
    return {} if saved is None else saved.head


def saved_logit_scale(resolved: ResolvedCell, resources: Resources) -> float | None:
    """The logit scale of `init`, if the cell takes it."""
    saved = resources.saved(resolved, LOGIT_SCALE)
    return None if saved is None else saved.head[LOGIT_SCALE].item()


def text_classifier(
    resolved: ResolvedCell, names: tuple[str, ...], resources: Resources
) -> torch.Tensor:
    """(C, D) text embeddings of class names under the cell's prompt, mapped to the width of the
    image embeddings if it differs. A learned context that `init` has is in the texts.
    """
    saved = resources.saved(resolved, CONTEXT)
    if saved is not None:
        return _with_context(resolved, names, resources)
    text_CE = resources.texts(resolved, names)
    map_ED = alignment_map(resolved, resources)
    return text_CE if map_ED is None else text_CE @ map_ED


def _with_context(
    resolved: ResolvedCell, names: tuple[str, ...], resources: Resources
) -> torch.Tensor:
    prompt, options = resolved.setup.prompt.plugin, resolved.setup.prompt.options
    tower = resources.tunable_text(resolved)
    context = context_of(resolved, tower, resources)
    vectors = context.vectors.to(next(tower.module.parameters()).device)
    texts = ContextTexts(
        tower, resolved.setup.trained.names, lambda classes: prompt.texts(classes, options),
        alignment_map(resolved, resources), prompt.averaging(options),
        replace(context, vectors=vectors),
    )  # fmt: skip
    return texts.embed(names).cpu()


def context_of(resolved: ResolvedCell, tower: TunableText, resources: Resources) -> TextContext:
    """The context that a cell with a learned prompt begins with: that of `init`, or new. Of a
    class-specific one the vectors are those of the classes trained on; planning has made sure that
    `init` has the same classes.

    Raises CellError if the saved one is of another shape.
    """
    setup = resolved.setup
    prompt, options = setup.prompt.plugin, setup.prompt.options
    form, stream = prompt.context_form(options), torch_stream(resolved.cell.seed, "context")
    if form.class_specific:
        new = prompt.start(options, tower, stream, len(setup.trained.names))
    else:
        new = prompt.start(options, tower, stream)
    saved = resources.saved(resolved, CONTEXT)
    if saved is None or saved.context is None:
        return TextContext(new, form)
    if saved.context.shape != new.shape:
        what = "(classes, vectors, width)" if form.class_specific else "(vectors, width)"
        raise CellError(
            f"init: the saved context is {tuple(saved.context.shape)}, and that of prompt "
            f"{resolved.cell.prompt} {tuple(new.shape)} {what}"
        )
    return TextContext(saved.context, form)


def template_classifiers(
    resolved: ResolvedCell, names: tuple[str, ...], resources: Resources
) -> torch.Tensor:
    """(K, C, D): the text embeddings under each template of the cell's prompt."""
    w_KCE = resources.templates(resolved, names)
    map_ED = alignment_map(resolved, resources)
    return w_KCE if map_ED is None else w_KCE @ map_ED


def alignment_map(resolved: ResolvedCell, resources: Resources) -> torch.Tensor | None:
    """map_ED of the cell's alignment: that of `init`, else fitted on the training classes; None if
    the widths are equal.
    """
    chosen = resolved.setup.alignment
    if chosen is None:
        return None
    saved = resources.saved(resolved, ALIGNMENT)
    if saved is not None and saved.map_ED is not None:
        return saved.map_ED
    uses = chosen.plugin.USES
    text_CE = resources.texts(resolved, resolved.setup.trained.names)
    support_ND, labels_N = (
        embedded_support(resolved, resources) if "support" in uses else (None, None)
    )
    inputs = AlignmentInputs(
        text_dim=text_CE.shape[1],
        dim=resources.encoder(resolved).projection.weight_DF.shape[0],
        generator=torch_stream(resolved.cell.seed, "alignment"),
        text_CE=text_CE if "text" in uses else None,
        support_ND=support_ND,
        labels_N=labels_N,
    )
    return chosen.plugin.build(inputs, chosen.options)


def embedded_support(
    resolved: ResolvedCell, resources: Resources, *, of_backbone: bool = False
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """(N, D) embeddings of the support set before training and labels (N,); with `of_backbone`
    (N, F) features. A clip is the mean over its frames, whatever the temporal module is. With
    `support_views` these are the pooled views, or the means over the views of every picture.
    """
    if resolved.support is None:
        return None, None
    rows, labels = samples_of(resolved, resources)
    return _embedded(resolved, rows, labels, resources, of_backbone=of_backbone)


def embedded_views(
    resolved: ResolvedCell, resources: Resources
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """(N, V, D) embeddings of the views of the support pictures, and labels (N,); without
    `support_views` V is 1: the whole picture.
    """
    import torch

    support = resolved.support
    if support is None:
        return None, None
    rows = resources.support_features(resolved).rows_of(support.items)
    has_views = resolved.cell.support_views is not None
    with torch.no_grad():
        h_N = rows.gather()
        h_NV = h_N if has_views else h_N.unsqueeze(1)
        z_NVD = resources.encoder(resolved).projection(h_NV)
        if resolved.cell.frames is not None:
            z_NVD = z_NVD.mean(dim=2)
    return z_NVD, torch.tensor(support.labels)


def embedded_validation(
    resolved: ResolvedCell, resources: Resources, *, of_backbone: bool = False
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """(M, D) embeddings of the validation samples before training and labels (M,), made as those
    of the support set.
    """
    samples = resolved.validation
    if samples is None:
        return None, None
    rows = resources.train_features(resolved).rows_of(samples.items)
    return _embedded(resolved, rows, samples.labels, resources, of_backbone=of_backbone)


def _embedded(
    resolved: ResolvedCell,
    rows: StoredRows,
    labels: Sequence[int],
    resources: Resources,
    *,
    of_backbone: bool,
) -> tuple[torch.Tensor, torch.Tensor]:
    import torch

    with torch.no_grad():
        h_N = rows.gather()
        z_ND = h_N if of_backbone else resources.encoder(resolved).projection(h_N)
        if resolved.cell.frames is not None:
            z_ND = z_ND.mean(dim=1)
    return z_ND, torch.tensor(labels)
