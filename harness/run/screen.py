"""Screens of cells before training: W as the cell would begin with it, on samples that it may see.

The features, texts and initialisations are those of a run. Test samples are not read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from harness.core.errors import BadInput, CellError
from harness.core.progress import counted
from harness.core.protocols.screen import Screen, Screened, ScreenInputs
from harness.plan.resolve import ResolvedCell
from harness.run.attempts import configurations
from harness.run.initialise import embedded_support, embedded_validation, initial_classifier
from harness.run.probe import frozen_features, is_linear, start_of
from harness.run.resources import Resources
from harness.run.support_rows import samples_of
from harness.run.wanted_features import wanted_before_training
from harness.task.classifiers import reads_validation
from harness.training.features import Progress
from harness.training.threads import one_core_pool

if TYPE_CHECKING:
    import torch

    from harness.core.cells import Recipe
    from harness.core.samples import FloatArray

SUPPORT, VALIDATION = "support", "validation"


def screen_cells(
    cells: Sequence[ResolvedCell],
    screens: Mapping[str, Screen],
    progress: Progress | None = None,
) -> dict[str, Screened]:
    """What every screen says of every cell, by the key of the cell. A cell without samples, or
    without a W before training, has the reason in place of values.

    Raises BadInput if the data or encoders of no cell can be read.
    """
    found = {c.key: Screened({}, why=why) for c in cells if (why := _why_not(c))}
    left = [c for c in cells if c.key not in found]
    resources = Resources(progress)
    resources.load(left, wanted_before_training)
    for resolved in left:
        if (broken := resources.broken(resolved)) is not None:
            found[resolved.key] = Screened({}, why=str(broken))
    readable = [c for c in left if c.key not in found]
    if left and not readable:
        raise BadInput(found[left[0].key].why)
    with one_core_pool(1) as pool:  # as cells are trained: the last bits are the same
        for resolved in counted("cells", readable):
            found[resolved.key] = pool.submit(_screen, resolved, screens, resources).result()
    return {c.key: found[c.key] for c in cells}


def _why_not(resolved: ResolvedCell) -> str:
    """Why a cell cannot be measured; empty if it can."""
    if resolved.setup.method is not None:
        return "a method has no W before training"
    if resolved.setup.classifier is None and not _reads_texts(resolved):
        return "its head draws its own rows"
    if resolved.support is None and resolved.validation is None:
        return "it has no samples beside the test set"
    return ""


def _reads_texts(resolved: ResolvedCell) -> bool:
    paradigm = resolved.setup.paradigm
    return paradigm is not None and "text" in paradigm.plugin.USES


def _screen(
    resolved: ResolvedCell, screens: Mapping[str, Screen], resources: Resources
) -> Screened:
    samples = SUPPORT if resolved.validation is None else VALIDATION
    try:
        inputs = screen_inputs(resolved, resources)
    except CellError as error:
        return Screened({}, why=str(error))
    values = {name: screen.compute(inputs) for name, screen in screens.items()}
    return Screened(values, samples, len(inputs.labels_N), _is_own(resolved, samples))


def _is_own(resolved: ResolvedCell, samples: str) -> bool:
    """Whether W, or the map of its texts, is made of the samples on which it is measured."""
    if samples == SUPPORT:
        return "support" in resolved.setup.uses
    return reads_validation(resolved.cell.classifier)


def screen_inputs(resolved: ResolvedCell, resources: Resources) -> ScreenInputs:
    """W of the cell before training, and its validation samples, or else its support set, as the
    head reads them. Raises CellError where either cannot be made.
    """
    if resolved.cell.head is not None:
        return _of_a_head(resolved, resources)
    w_CD = initial_classifier(resolved, resolved.setup.trained.names, resources)
    embedded = embedded_support if resolved.validation is None else embedded_validation
    z_ND, labels_N = embedded(resolved, resources)
    if w_CD is None or z_ND is None or labels_N is None:
        raise CellError("there is no W before training, or no sample to measure it on")
    return ScreenInputs(_array(w_CD), _array(z_ND), labels_N.numpy())


def _of_a_head(resolved: ResolvedCell, resources: Resources) -> ScreenInputs:
    """A head on frozen features: its start, and the features that it reads."""
    import numpy as np
    import torch

    recipe = resolved.cell.recipe
    if recipe is None:
        raise CellError("a head on frozen features needs a recipe")
    features = frozen_features(resolved, resources)
    start = start_of(resolved, _first(resolved, recipe), resources, features)
    validation = resolved.validation
    if validation is None:
        rows, labels = samples_of(resolved, resources)
    else:
        rows, labels = (
            resources.train_features(resolved).rows_of(validation.items),
            validation.labels,
        )
    with torch.no_grad():
        z_ND = features(rows.gather())
    linear = is_linear(resolved)
    b_C = np.zeros(len(start.w_CK)) if start.b_C is None else _array(start.b_C)
    return ScreenInputs(
        _array(start.w_CK),
        _array(z_ND),
        np.asarray(labels, dtype=np.int64),
        b_C if linear else None,
    )


def _first(resolved: ResolvedCell, recipe: Recipe) -> Recipe:
    """The recipe with the first configuration of a search; none of them changes the directions."""
    return replace(recipe, **configurations(resolved.cell)[0])


def _array(x: torch.Tensor) -> FloatArray:
    import numpy as np

    return np.asarray(x.detach().cpu().double().numpy())
