"""The model of a cell: where features come from, embedding, class texts, head."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.cells import Recipe
from harness.core.conform import conform
from harness.core.errors import CellError
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.core.protocols.solver import ChangingTexts, FeatureSource
from harness.core.protocols.temporal import TemporalInputs
from harness.core.seeding import torch_stream
from harness.plan.resolve import ResolvedCell
from harness.run.initialise import alignment_map, initial_classifier, template_classifiers
from harness.run.resources import Resources
from harness.training.device import device
from harness.training.loader import CachedFeatures, Sampling, TunedBackbone
from harness.training.model import Embedding, Model
from harness.training.texts import DrawnTemplates, LearnedContext, TrainedTower
from harness.training.weights import put_into

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class BuiltModel:
    """A model before training, and its initial classifier."""

    model: Model
    w_init_CD: torch.Tensor

    @property
    def backbone(self) -> TunedBackbone | None:
        """Where it is tuned."""
        source = self.model.source
        return source if isinstance(source, TunedBackbone) else None


def build_model(resolved: ResolvedCell, recipe: Recipe, resources: Resources) -> BuiltModel:
    """Every initial value comes from the cell's seed or from files.

    Raises CellError or EncoderError.
    """
    place = device()
    names = resolved.setup.trained.names
    w_CD = initial_classifier(resolved, names, resources)
    head = build_head(resolved, recipe, len(names), w_CD)
    w_init_CD = head.weight().clone()
    head.to(place)
    source = _source(resolved, recipe, resources, place)
    projection = resources.encoder(resolved).projection.trainable(place)
    embedding = Embedding(projection, _over_frames(resolved, resources, place, trained=True))
    texts = _texts(resolved, resources, place)
    model = Model(source, embedding, head, texts, gather=resolved.cell.gather is not False)
    return BuiltModel(model, w_init_CD)


def pretrained_embedding(resolved: ResolvedCell, resources: Resources) -> Embedding:
    """The encoder's own embedding, where nothing is trained."""
    projection = resources.encoder(resolved).projection
    return Embedding(projection, _over_frames(resolved, resources, "cpu", trained=False))


def build_head(
    resolved: ResolvedCell, recipe: Recipe | None, n_classes: int, w_CD: torch.Tensor | None
) -> Head:
    """The head of the cell's paradigm around an initial classifier."""
    cell, setup = resolved.cell, resolved.setup
    if setup.paradigm is None:
        raise CellError("a method has no head of a paradigm")
    options = setup.classifier.options if setup.classifier else None
    # The classifier's own scale, else the recipe's, else the one the encoder was trained with.
    scale = (options and options.scale) or (recipe and recipe.logit_scale)
    head = setup.paradigm.plugin.build(
        HeadInputs(
            n_classes=n_classes,
            dim=setup.facts.dim,
            generator=torch_stream(cell.seed, "init"),
            logit_scale=scale or setup.facts.logit_scale,
            w_CD=w_CD,
            normalise=options.normalise if options else True,
            schedule=cell.schedule,
            train_logit_scale=bool(recipe and recipe.train_logit_scale),
            loss=cell.loss,
        ),
        setup.paradigm.options,
    )
    return conform(Head, head, f"the head of paradigm '{setup.paradigm.choice}'")


def _source(
    resolved: ResolvedCell, recipe: Recipe, resources: Resources, place: torch.device
) -> FeatureSource:
    cell, support = resolved.cell, resolved.support
    if support is None:
        raise CellError("there is nothing to train on")
    if cell.tuning != "all":
        return CachedFeatures(resources.train_features(resolved).of(support.items).to(place))
    pictures = resources.pictures(resolved)
    sampling = Sampling(cell.seed, cell.frames, recipe.augment)
    encoder = resources.encoder(resolved).image
    if encoder.module is None:
        raise CellError(f"tuning: all: {cell.encoder} has no module that could be tuned")
    source = TunedBackbone(encoder, pictures, support.items, sampling, place)
    _insert_temporal(resolved, source, resources)
    if recipe.checkpointing:
        source.recompute()
    return source


def _insert_temporal(resolved: ResolvedCell, source: TunedBackbone, resources: Resources) -> None:
    """A module over time inside the backbone, with its saved weights where `init` has them."""
    inside = resolved.setup.inside
    if inside is None:
        return
    new = inside.plugin.insert(source.module, _temporal_inputs(resolved), inside.options)
    source.put_in(new)
    source.module.to(next(source.module.parameters()).device)
    saved, file = resources.encoder(resolved).weights, resolved.setup.init
    if saved is not None and saved.inserted and file is not None:
        if saved.inserted.keys() != source.inserted().keys():
            raise CellError("init: the saved weights hold another module over time")
        put_into(source.module, saved.inserted, file, "module over time", saved.inserted)


def _over_frames(resolved: ResolvedCell, resources: Resources, place: Any, *, trained: bool) -> Any:
    """The module over time behind the projection; None for pictures."""
    chosen = resolved.setup.over_frames
    if chosen is None:
        return None
    module = chosen.plugin.build(_temporal_inputs(resolved), chosen.options)
    saved, file = resources.encoder(resolved).weights, resolved.setup.init
    if saved is not None and saved.temporal and file is not None:
        put_into(module, saved.temporal, file, "module over time")
    return module.to(place).requires_grad_(trained)


def _temporal_inputs(resolved: ResolvedCell) -> TemporalInputs:
    cell, facts = resolved.cell, resolved.setup.facts
    return TemporalInputs(facts.dim, cell.frames or 1, torch_stream(cell.seed, "temporal"))


def _texts(
    resolved: ResolvedCell, resources: Resources, place: torch.device
) -> ChangingTexts | None:
    """What makes the rows of W anew at every step; None where they stay or are their own."""
    cell, names = resolved.cell, resolved.setup.trained.names
    prompt, options = resolved.setup.prompt.plugin, resolved.setup.prompt.options
    if cell.prompt is None or not _from_texts(resolved):
        return None
    if not prompt.TRAINED and cell.text_tower != "online":
        if not prompt.drawn(options):
            return None
        return DrawnTemplates(template_classifiers(resolved, names, resources).to(place))
    tower = _own_copy(resources.text_encoder(resolved), place)
    rest = (
        names, lambda own: prompt.texts(own, options), alignment_map(resolved, resources),
        prompt.averaging(options),
    )  # fmt: skip
    if prompt.TRAINED:
        context_ME = prompt.start(options, tower, torch_stream(cell.seed, "context"))
        tower.module.requires_grad_(cell.text_tower == "online")
        return LearnedContext(context_ME.to(place), tower, *rest)
    return TrainedTower(tower, *rest)


def _from_texts(resolved: ResolvedCell) -> bool:
    """Whether the rows of W are texts of the classes, unchanged."""
    classifier = resolved.cell.classifier
    return classifier is None or classifier.name == "text"


def _own_copy(text_encoder: Any, place: torch.device) -> Any:
    """A copy that this cell may train: the loaded one is shared."""
    own = deepcopy(text_encoder)
    own.module.to(place)
    return own
