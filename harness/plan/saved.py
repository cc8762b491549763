"""What a cell takes from the file of `init`, what it leaves there, and what it does not find there.

What has the same meaning in the cell is restored; what is left is a note; and where the cell would
begin from another model than the saved one, it is refused.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.core.protocols.classifier import SAVED
from harness.core.protocols.paradigm import CLASSIFIER, LOGIT_SCALE
from harness.plan.resolve import Setup
from harness.training.weights import (
    ALIGNMENT,
    BACKBONE,
    CONTEXT,
    INSERTED,
    PROJECTION,
    TEMPORAL,
    TEXT,
    TITLES,
    Info,
)

_OVER_TIME = frozenset({TEMPORAL, INSERTED})


def restored(cell: Cell, setup: Setup) -> frozenset[str]:
    """The parts of the file that the cell takes, by their names in `training.weights`."""
    saved = setup.saved
    if saved is None:
        return frozenset()
    texts = reads_texts(cell, setup) and saved.source.text_encoder == setup.text_weights
    state, takes_w = _state(setup), takes_classifier(setup)
    used = {
        PROJECTION: True,
        BACKBONE: True,
        INSERTED: setup.inside is not None,
        TEMPORAL: setup.over_frames is not None and setup.inside is None,
        TEXT: texts,
        CONTEXT: texts and setup.prompt.plugin.TRAINED,
        ALIGNMENT: texts and cell.alignment == saved.source.alignment,
        LOGIT_SCALE: _scale_of_classifier(setup) is None
        and (LOGIT_SCALE in state or setup.method is not None),
    }
    of_head = {CLASSIFIER, *state}  # what belongs to W comes with it
    return frozenset(p for p in saved.parts if used.get(p, takes_w and p in of_head))


def reads_texts(cell: Cell, setup: Setup) -> bool:
    """Whether text embeddings have a meaning for the cell."""
    return cell.prompt is not None and "text" in setup.uses


def takes_classifier(setup: Setup) -> bool:
    """Whether W is that of the file."""
    return setup.classifier is not None and SAVED in setup.classifier.plugin.USES


def why_other_model(cell: Cell, setup: Setup, where: str) -> str | None:
    """Why the saved model cannot go on in this cell; None if it can, or without `init`.

    Raises TaskError for something of the model that the file does not hold.
    """
    saved = setup.saved
    if saved is None:
        return None
    width, shape = (setup.facts.dim, setup.facts.feature_dim), saved.shape
    if shape != width:
        return (
            f"init: the saved projection maps {shape[1]} features to {shape[0]}, that of "
            f"{cell.encoder} {width[1]} to {width[0]}"
        )
    lacking = _lacking(cell, setup, saved)
    if lacking is not None:
        again = "train it again with save: last" if saved.source.version == 0 else lacking[1]
        version = " (an earlier version of the harness wrote it)" * (saved.source.version == 0)
        problem = f"{cell.init} holds no {lacking[0]}, which this cell has{version}: {again}"
        raise TaskError(where, "init", problem)
    return (
        _other_time(cell, saved)
        or _other_context(cell, setup, saved)
        or _other_classifier(setup, saved)
    )


def _lacking(cell: Cell, setup: Setup, saved: Info) -> tuple[str, str] | None:
    """What the cell has and the file does not hold, and what can be done."""
    named = _scale_of_classifier(setup) or (cell.recipe and cell.recipe.logit_scale)
    if LOGIT_SCALE in _state(setup) and LOGIT_SCALE not in saved.parts and named is None:
        return TITLES[LOGIT_SCALE], "name it, as in classifier: {name: text, scale: 100}"
    if setup.prompt.plugin.TRAINED and reads_texts(cell, setup) and CONTEXT not in saved.parts:
        return TITLES[CONTEXT], f"it was not trained with prompt {cell.prompt}"
    tower_is_known = saved.source.version > 0  # no tower in the file is the pretrained tower
    if cell.text_tower == "online" and TEXT not in saved.parts and not tower_is_known:
        return TITLES[TEXT], ""
    if takes_classifier(setup) and CLASSIFIER not in saved.parts:
        return TITLES[CLASSIFIER], "it was saved without a classifier"
    return None


def _other_time(cell: Cell, saved: Info) -> str | None:
    """Frames that another module read."""
    before = saved.source.temporal
    if cell.temporal is None or before is None or not saved.parts & _OVER_TIME:
        return None
    if cell.temporal.name == before:
        return None
    return f"init: the saved module over time is {before}, and not {cell.temporal.name}"


def _other_context(cell: Cell, setup: Setup, saved: Info) -> str | None:
    """A learned context that has another meaning in this cell, or is that of other classes."""
    if CONTEXT not in restored(cell, setup):
        return None
    form = setup.prompt.plugin.context_form(setup.prompt.options)
    if form.position != saved.source.position:
        return (
            f"init: the saved context is {saved.source.position} the class name, and that of "
            f"prompt {cell.prompt} is {form.position} it"
        )
    of_classes = saved.context is not None and len(saved.context) == 3
    if of_classes != form.class_specific:
        kind, other = ("class-specific", "shared") if of_classes else ("shared", "class-specific")
        return f"init: the saved context is {kind}, and that of prompt {cell.prompt} is {other}"
    for names in (setup.trained.names, setup.row_names) if of_classes else ():
        if names != saved.source.classes:
            return _other_classes("context", names, saved.source.classes)
    return None


def _other_classifier(setup: Setup, saved: Info) -> str | None:
    """Why the saved W does not fit."""
    if not takes_classifier(setup) or setup.classifier is None:
        return None
    for names in (setup.trained.names, setup.row_names):
        if names != saved.source.classes:
            return _other_classes("W", names, saved.source.classes)
    missing = [n for n in _state(setup) if n not in saved.parts and n != LOGIT_SCALE]
    if missing:
        return f"init: the saved classifier has no {missing[0]}, which this paradigm has"
    options = setup.classifier.options
    if "normalise" in options.model_fields_set and options.normalise != saved.source.normalise:
        return f"normalise is {str(saved.source.normalise).lower()} in the saved weights"
    return None


def _other_classes(what: str, names: Sequence[str], saved: Sequence[str]) -> str:
    unknown = [name for name in names if name not in saved]
    unused = [name for name in saved if name not in names]
    if unknown:
        difference = f"'{unknown[0]}' is not among them"
    elif unused:
        difference = f"'{unused[0]}' is not among those of this cell"
    else:
        difference = "their order differs"
    return f"init: the saved {what} is that of {len(saved)} other classes: {difference}"


def _state(setup: Setup) -> Sequence[str]:
    return setup.paradigm.plugin.STATE if setup.paradigm is not None else ()


def _scale_of_classifier(setup: Setup) -> float | None:
    scale: float | None = setup.classifier.options.scale if setup.classifier else None
    return scale


def notes_on_saved(cell: Cell, setup: Setup) -> Iterator[str]:
    """What of the saved weights a cell leaves, and what begins anew in it."""
    saved = setup.saved
    if saved is None:
        return
    left = saved.parts - restored(cell, setup)
    if setup.paradigm is not None and "text" in setup.paradigm.plugin.USES:
        left -= {CLASSIFIER}  # its rows are made of the texts again
    for part in sorted(left):
        hint = "; classifier: saved would use it" if part == CLASSIFIER else ""
        yield f"the saved {TITLES.get(part, part)} is not used{hint}"
    source = saved.source
    if source.version and source.encoder != setup.facts.weights:
        yield f"the weights were saved with another encoder than {cell.encoder}"
    if cell.text_tower == "online" and TEXT not in saved.parts:
        yield "no text tower was trained before: it begins as the pretrained one"
    same_time = cell.temporal is None or cell.temporal.name == source.temporal
    if not same_time and not saved.parts & _OVER_TIME and cell.tuning != "none":
        yield f"no {cell.temporal} was trained before: it begins as without init"
    if cell.alignment is not None and ALIGNMENT not in restored(cell, setup):
        yield "the alignment is fitted anew"
    named = cell.recipe and cell.recipe.logit_scale
    if named and LOGIT_SCALE in restored(cell, setup):
        yield f"the saved logit scale takes the place of recipe.logit_scale {named:g}"
    if source.unnamed:
        yield (
            f"{source.unnamed} trained tensors of the head were not saved: its paradigm has no "
            "name for them"
        )
