"""The model of a cell, put together: where features come from, embedding, class texts, head."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from harness.core.cells import Cell, Choice
from harness.core.errors import CellError
from harness.core.protocols.paradigm import Head, HeadInputs
from harness.core.protocols.temporal import TemporalInputs
from harness.core.seeding import torch_stream
from harness.plan import resolve
from harness.run.resources import Workshop
from harness.training.device import device
from harness.training.loader import CachedFeatures, Sampling, Source, TunedBackbone
from harness.training.model import Embedding, Model
from harness.training.texts import DrawnTemplates, LearnedContext, Texts, TrainedTower
from harness.training.weights import put_into

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Assembled:
    """A model before training, and its initial classifier."""

    model: Model
    w_init_CD: torch.Tensor

    @property
    def backbone(self) -> TunedBackbone | None:
        source = self.model.source
        return source if isinstance(source, TunedBackbone) else None


def assemble(cell: Cell, workshop: Workshop) -> Assembled:
    """Every initial value comes from the cell's seed or from files.

    Raises CellError or EncoderError.
    """
    place = device()
    names = workshop.train_names(cell)
    head = make_head(cell, len(names), workshop.classifier(cell, names))
    w_init_CD = head.weight().clone()
    _move(head, place)
    source = _source(cell, workshop, place)
    projection = workshop.projection(cell).trainable(place)
    embedding = Embedding(projection, _temporal(cell, workshop, place, trained=True))
    texts = _texts(cell, names, workshop, place)
    model = Model(source, embedding, head, texts, gather=cell.gather is not False)
    return Assembled(model, w_init_CD)


def pretrained(cell: Cell, workshop: Workshop) -> Embedding:
    """The encoder's own embedding, where nothing is trained."""
    return Embedding(workshop.projection(cell), _temporal(cell, workshop, "cpu", trained=False))


def make_head(cell: Cell, n_classes: int, w_CD: torch.Tensor | None) -> Head:
    """The head of the cell's paradigm around an initial classifier."""
    found, _, options = resolve.options("paradigm", cell.paradigm)
    facts = resolve.encoder_facts(cell.encoder)
    recipe = cell.recipe
    own = resolve.options("classifier", cell.classifier)[2] if cell.classifier else None
    scale = (own and own.scale) or (recipe and recipe.logit_scale) or facts.logit_scale
    head: Head = found.build(
        HeadInputs(
            n_classes=n_classes,
            dim=facts.dim,
            generator=torch_stream(cell.seed, "init"),
            logit_scale=scale,
            w_CD=w_CD,
            normalise=own.normalise if own else True,
            schedule=cell.schedule,
            train_logit_scale=bool(recipe and recipe.train_logit_scale),
            loss=cell.loss,
        ),
        options,
    )
    return head


def _move(head: Head, place: torch.device) -> None:
    """Heads from outside the package need `to` only where there is another device."""
    if hasattr(head, "to"):
        head.to(place)
    elif place.type != "cpu":
        raise CellError(f"the head has no method 'to' that would move it to {place.type}")


def _source(cell: Cell, workshop: Workshop, place: torch.device) -> Source:
    support = workshop.support(cell)
    if support is None or cell.recipe is None:
        raise CellError("there is nothing to train on")
    if cell.tuning != "all":
        return CachedFeatures(workshop.train_features(cell).of(support.items).to(place))
    pictures = workshop.pictures(cell, cell.dataset)
    sampling = Sampling(cell.seed, cell.frames, cell.recipe.augment)
    encoder = workshop.image_encoder(cell)
    source = TunedBackbone(encoder, pictures, support.items, sampling, place)
    _put_time_in(cell, source, workshop)
    if cell.recipe.checkpointing:
        source.recompute()
    return source


def _put_time_in(cell: Cell, source: TunedBackbone, workshop: Workshop) -> None:
    """Temporal modules inside the backbone."""
    if cell.temporal is None:
        return
    found, _, options = resolve.options("temporal", cell.temporal)
    if found.PLACE != "backbone":
        return
    new = found.insert(source.module, _inputs(cell), options)
    source.put_in(new)
    source.module.to(next(source.module.parameters()).device)
    saved = workshop.saved(cell)
    if saved is not None and saved.inserted:
        if saved.inserted.keys() != source.inserted().keys():
            raise CellError("init: the saved weights hold another module over time")
        file = workshop.init_of(cell)
        put_into(source.module, saved.inserted, file, "module over time", saved.inserted)


def _temporal(cell: Cell, workshop: Workshop, place: Any, *, trained: bool) -> Any:
    """The module over time behind the projection: the mean, where time is modelled inside the
    backbone; None for pictures.
    """
    if cell.temporal is None:
        return None
    found, _, options = resolve.options("temporal", cell.temporal)
    if found.PLACE == "backbone":
        found, _, options = resolve.options("temporal", Choice("tap"))
    module = found.build(_inputs(cell), options)
    saved = workshop.saved(cell)
    if saved is not None and saved.temporal:
        put_into(module, saved.temporal, workshop.init_of(cell), "module over time")
    return module.to(place).requires_grad_(trained)


def _inputs(cell: Cell) -> TemporalInputs:
    facts = resolve.encoder_facts(cell.encoder)
    return TemporalInputs(facts.dim, cell.frames or 1, torch_stream(cell.seed, "temporal"))


def _texts(
    cell: Cell, names: tuple[str, ...], workshop: Workshop, place: torch.device
) -> Texts | None:
    """What makes the rows of W anew at every step; None where they stay or are their own."""
    if cell.prompt is None or not _from_texts(cell):
        return None
    found, _, options = resolve.options("prompt", cell.prompt)
    drawn = hasattr(found, "drawn") and found.drawn(options)
    learned = getattr(found, "TRAINED", False)
    if not learned and cell.text_tower != "online":
        return DrawnTemplates(workshop.templates(cell, names).to(place)) if drawn else None
    tower = _copy_on(workshop.text_tower(cell), place)
    average = found.averaging(options) if hasattr(found, "averaging") else "normalised"
    rest = (names, lambda own: found.texts(own, options), workshop.alignment(cell), average)
    if learned:
        context_ME = found.start(options, tower, torch_stream(cell.seed, "context"))
        tower.module.requires_grad_(cell.text_tower == "online")
        return LearnedContext(context_ME.to(place), tower, *rest)
    return TrainedTower(tower, *rest)


def _from_texts(cell: Cell) -> bool:
    """Whether the rows of W are texts of the classes, as they stand."""
    return cell.classifier is None or cell.classifier.name == "text"


def _copy_on(tower: Any, place: torch.device) -> Any:
    from copy import deepcopy

    own = deepcopy(tower)
    own.module.to(place)
    return own
