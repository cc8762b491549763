"""Classes that are tested as zero-shot and were trained on: named in notes, or refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.core.cells import Cell
from harness.core.errors import TaskError
from harness.core.perils import SHARED_CLASSES
from harness.plan.catalogue import Catalogue
from harness.plan.class_lists import named
from harness.plan.resolve import Setup, has_training_samples
from harness.sampling.class_names import SameName


def refuse_shared_classes(cell: Cell, setup: Setup, catalogue: Catalogue, where: str) -> None:
    """Raises TaskError for a zero-shot cell whose tested classes were all trained on, unless the
    task accepts that. Classes without test samples do not count: nothing is tested of them.
    """
    shared = setup.trained.shared
    if cell.regime != "zero_shot" or not has_training_samples(cell) or not shared:
        return
    counts = catalogue.class_counts(cell.test_dataset or cell.dataset, "test")
    pairs = zip(setup.tested.indices, setup.tested.names, strict=True)
    tested = {name for c, name in pairs if counts[c]}
    if not tested <= {name.tested for name in shared} or SHARED_CLASSES in cell.allow:
        return
    raise TaskError(
        where,
        "train_classes",
        f"nothing is zero-shot: all {len(tested)} tested classes are trained on under the same "
        f"name ({named(shared)}). Leave them out of training with exclude_shared: true, or accept "
        f"it with allow: [{SHARED_CLASSES}]",
    )


def _in_other_words(shared: Sequence[SameName]) -> str:
    """Which names are spelt in another way."""
    other = [name for name in shared if name.tested != name.trained]
    return f" ({named(other)})" if other else ""


def shared_class_notes(cell: Cell, setup: Setup) -> Iterator[str]:
    """Notes on the classes that training and test set of a cell have in common."""
    if not has_training_samples(cell):
        return
    trained, tested = setup.trained, setup.tested.names
    test_set = cell.test_dataset or cell.dataset
    if setup.rows is not None:
        yield (
            f"All {len(tested)} classes of {test_set} that are tested are among the "
            f"{len(trained.names)} trained on{_in_other_words(trained.shared)}. Accuracy is over "
            f"the {len(tested)} alone."
        )
    elif trained.shared:
        yield (
            f"{len(trained.shared)} of the {len(tested)} classes of {test_set} that are tested are "
            f"trained on under the same name, in {cell.dataset}: {named(trained.shared)}."
        )
    if trained.left_out:
        yield (
            f"exclude_shared: {len(trained.left_out)} of the "
            f"{len(trained.names) + len(trained.left_out)} training classes of {cell.dataset} are "
            f"left out, as {test_set} has them too: {named(trained.left_out)}."
        )
