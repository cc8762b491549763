"""Builds the model of a cell: feature source, embedding, class texts and head."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.cells import Cell, Recipe
from harness.core.conform import conform
from harness.core.errors import CellError
from harness.core.protocols.paradigm import CLASSIFIER, Head, HeadInputs
from harness.core.protocols.solver import ChangingTexts, FeatureSource
from harness.core.seeding import torch_stream
from harness.plan.resolve import ResolvedCell, Setup
from harness.plan.saved import takes_classifier
from harness.run.equal_texts import cut_warnings, text_warnings
from harness.run.initialise import (
    alignment_map,
    context_of,
    initial_classifier,
    saved_head,
    saved_logit_scale,
    template_classifiers,
)
from harness.run.over_frames import over_frames, temporal_inputs
from harness.run.probe import frozen_features, start_of
from harness.run.resources import Resources
from harness.run.support_rows import support_source
from harness.training.device import device
from harness.training.drawn_captions import DrawnCaptions
from harness.training.model import Embedding, Model
from harness.training.probe import FrozenFeatures, ProbeModel
from harness.training.texts import DrawnTemplates, LearnedContext, TrainedTower
from harness.training.tower_parts import FROZEN, Tuned
from harness.training.training_views import Sampling
from harness.training.tuned import Execution, TunedBackbone
from harness.training.weights import INSERTED, put_into

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class BuiltModel:
    """A model before training, its initial classifier, and what embeds features afterwards."""

    model: Model | ProbeModel
    w_init_CD: torch.Tensor | None  # None where the start plays no part
    embedding: Embedding | FrozenFeatures
    warnings: tuple[str, ...] = ()  # on its texts

    @property
    def backbone(self) -> TunedBackbone | None:
        """The backbone, if it is tuned."""
        source = self.model.source
        return source if isinstance(source, TunedBackbone) else None


def build_model(resolved: ResolvedCell, recipe: Recipe, resources: Resources) -> BuiltModel:
    """Every initial value comes from the cell's seed or from files.

    Raises CellError or EncoderError.
    """
    if resolved.cell.head is not None:
        return _build_probe(resolved, recipe, resources)
    torch_device = device()
    names = resolved.setup.trained.names
    w_CD = initial_classifier(resolved, names, resources)
    warnings = text_warnings(resolved, names, w_CD, resources)
    head = build_head(resolved, recipe, len(names), w_CD, resources)
    w_init_CD = head.weight().clone()
    head.to(torch_device)
    source = _source(resolved, recipe, resources, torch_device)
    projection = resources.encoder(resolved).projection.trainable(torch_device)
    projection.tune(resolved.cell.parts[0].tuning)
    embedding = Embedding(projection, over_frames(resolved, resources, torch_device, trained=True))
    texts = _texts(resolved, resources, torch_device)
    if isinstance(texts, LearnedContext):
        warnings += cut_warnings(resolved, names, resources, texts.learned)
    model = Model(source, embedding, head, texts, gather=resolved.cell.gather is not False)
    return BuiltModel(model, w_init_CD, embedding, warnings)


def _build_probe(resolved: ResolvedCell, recipe: Recipe, resources: Resources) -> BuiltModel:
    """A head on frozen features: these are computed once, so that a step is the head's alone."""
    import torch

    torch_device = device()
    features = frozen_features(resolved, resources)
    names = resolved.setup.trained.names
    source = support_source(resolved, resources, torch_device, features)
    if resolved.setup.solver.plugin.CONVEX:
        zeros_CK = torch.zeros(len(names), source.width, device=torch_device)
        head = build_head(resolved, recipe, len(names), zeros_CK, resources)
        head.to(torch_device)  # its bias is made on the CPU
        return BuiltModel(ProbeModel(source, head), None, features)
    start = start_of(resolved, recipe, resources, features)
    warnings = text_warnings(resolved, names, start.w_CK, resources)
    head = build_head(resolved, recipe, len(names), start.w_CK, resources, b_C=start.b_C)
    w_init_CK = head.weight().clone()
    head.to(torch_device)
    return BuiltModel(ProbeModel(source, head), w_init_CK, features, warnings)


def pretrained_embedding(resolved: ResolvedCell, resources: Resources) -> Embedding:
    """The embedding of the encoder as it is, for cells without training."""
    projection = resources.encoder(resolved).projection
    return Embedding(projection, over_frames(resolved, resources, "cpu", trained=False))


def untrained_backbone(resolved: ResolvedCell, resources: Resources) -> TunedBackbone | None:
    """For cells without training: a backbone with a saved module over time inside, whose features
    of a frame depend on the other frames and are not cached; else None.
    """
    if resolved.setup.inside is None:
        return None
    sampling = Sampling(resolved.cell.seed, resolved.cell.frames)
    encoder, pictures = resources.encoder(resolved).image, resources.pictures(resolved)
    source = TunedBackbone(
        encoder, pictures, (), sampling, device(), workers=resources.workers,
        execution=Execution(resolved.cell.feature_precision),
    )  # fmt: skip
    _insert_temporal(resolved, source, resources)
    return source


def build_head(
    resolved: ResolvedCell,
    recipe: Recipe | None,
    n_classes: int,
    w_CD: torch.Tensor | None,
    resources: Resources,
    *,
    b_C: torch.Tensor | None = None,
) -> Head:
    """The head of the cell's paradigm around an initial classifier (and bias), or as saved."""
    cell, setup = resolved.cell, resolved.setup
    if setup.paradigm is None:
        raise CellError("a method has no head of a paradigm")
    saved = saved_head(resolved, resources)
    head = setup.paradigm.plugin.build(
        HeadInputs(
            n_classes=n_classes,
            dim=setup.facts.dim,
            generator=torch_stream(cell.seed, "init"),
            logit_scale=_logit_scale(resolved, recipe, resources),
            w_CD=w_CD,
            normalise=normalises(setup),
            schedule=cell.schedule,
            spec=cell.head,
            b_C=b_C,
            train_logit_scale=bool(recipe and recipe.train_logit_scale),
            loss=cell.loss,
            saved=saved,
        ),
        setup.paradigm.options,
    )
    if saved and not head.weight().cpu().equal(saved[CLASSIFIER]):
        raise CellError(f"paradigm {setup.paradigm.choice} does not take a saved W")
    return conform(Head, head, f"the head of paradigm '{setup.paradigm.choice}'")


def normalises(setup: Setup) -> bool:
    """Whether rows of W have length 1 in the forward pass; a saved W is used as it was trained."""
    if setup.saved is not None and takes_classifier(setup):
        return setup.saved.source.normalise
    return bool(setup.classifier.options.normalise) if setup.classifier else True


def _logit_scale(resolved: ResolvedCell, recipe: Recipe | None, resources: Resources) -> float:
    """Of the classifier, else of `init`, else of the recipe, else of the pretrained encoder."""
    setup = resolved.setup
    saved = saved_logit_scale(resolved, resources)
    named = (setup.classifier and setup.classifier.options.scale) or saved
    return named or (recipe and recipe.logit_scale) or setup.facts.logit_scale


def _source(
    resolved: ResolvedCell, recipe: Recipe, resources: Resources, torch_device: torch.device
) -> FeatureSource:
    cell, support = resolved.cell, resolved.support
    if support is None:
        raise CellError("there is nothing to train on")
    if not cell.tunes_backbone:
        return support_source(resolved, resources, torch_device)
    pictures = resources.pictures(resolved)
    sampling = Sampling(
        cell.seed, cell.frames, recipe.augment, recipe.crop, recipe.repeats, recipe.batch_norm
    )
    encoder = resources.encoder(resolved).image
    if encoder.module is None:
        raise CellError(f"tuning: {cell.tuning}: {cell.encoder} has no module that could be tuned")
    source = TunedBackbone(
        encoder, pictures, support.items, sampling, torch_device, workers=resources.workers,
        execution=Execution(recipe.evaluation, recipe.channels_last, recipe.compile),
    )  # fmt: skip
    source.tune(_tuned(cell))
    _insert_temporal(resolved, source, resources)
    if recipe.checkpointing:
        source.recompute()
    return source


def _insert_temporal(resolved: ResolvedCell, source: TunedBackbone, resources: Resources) -> None:
    """Insert the temporal module into the backbone, with its saved weights if `init` has them."""
    inside = resolved.setup.inside
    if inside is None:
        return
    new = inside.plugin.insert(source.module, temporal_inputs(resolved), inside.options)
    source.put_in(new)
    source.module.to(next(source.module.parameters()).device)
    saved, file = resources.saved(resolved, INSERTED), resolved.setup.init
    if saved is not None and file is not None:
        if saved.inserted.keys() != source.inserted().keys():
            raise CellError("init: the saved weights hold another module over time")
        put_into(source.module, saved.inserted, file, "module over time", saved.inserted)


def _texts(
    resolved: ResolvedCell, resources: Resources, torch_device: torch.device
) -> ChangingTexts | None:
    """Texts from which rows of W are recomputed at every step; None if they are not recomputed."""
    cell, names = resolved.cell, resolved.setup.trained.names
    prompt, options = resolved.setup.prompt.plugin, resolved.setup.prompt.options
    if cell.prompt is None or not _from_texts(resolved):
        return None
    if not prompt.TRAINED and cell.text_tower != "online":
        if not prompt.drawn(options):
            return None
        return DrawnTemplates(template_classifiers(resolved, names, resources).to(torch_device))
    tower = _trainable_copy(resources.text_encoder(resolved), torch_device)
    rest = (
        names, lambda classes: prompt.texts(classes, options), alignment_map(resolved, resources),
        prompt.averaging(options),
    )  # fmt: skip
    if prompt.drawn(options):
        return DrawnCaptions(
            lambda classes: prompt.texts(classes, options), tower, names,
            lambda classes: prompt.evaluation_texts(classes, options), *rest[2:],
            tuned=_tuned(cell).of_texts,
        )  # fmt: skip
    if not prompt.TRAINED:
        return TrainedTower(tower, *rest, tuned=_tuned(cell).of_texts)
    context = context_of(resolved, tower, resources)
    return LearnedContext(
        context.vectors.to(torch_device), tower, *rest, form=context.form,
        tuned=_tuned(cell).of_texts if cell.text_tower == "online" else FROZEN,
    )  # fmt: skip


def _tuned(cell: Cell) -> Tuned:
    """The tuned part of the towers, in the first stage."""
    return Tuned.of(cell.parts[0], cell.seed)


def _from_texts(resolved: ResolvedCell) -> bool:
    """Whether the rows of W are the text embeddings of the classes."""
    classifier = resolved.cell.classifier
    return classifier is None or classifier.name == "text"


def _trainable_copy(text_encoder: Any, torch_device: torch.device) -> Any:
    """A copy that this cell may train, as the loaded encoder is shared."""
    copy = deepcopy(text_encoder)
    copy.module.to(torch_device)
    return copy
