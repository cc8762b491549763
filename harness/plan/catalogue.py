"""Plugins with their options, datasets and encoder facts of a plan, each opened once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

import numpy as np
from pydantic import ValidationError

from harness.core import registry
from harness.core.cells import BASE, Cell, Choice, ClassPick
from harness.core.conform import conform
from harness.core.errors import BadInput, DataError, EncoderError, TaskError, did_you_mean, nearest
from harness.core.facts import EncoderFacts
from harness.core.protocols.alignment import Alignment
from harness.core.protocols.classifier import MATERIALS, SAVED, Classifier
from harness.core.protocols.dataset import (
    Clips,
    Dataset,
    DatasetPlugin,
    FeatureItems,
    as_clips,
)
from harness.core.protocols.encoder import EncoderPlugin
from harness.core.protocols.method import METHOD_MATERIALS, Method
from harness.core.protocols.paradigm import HEAD_MATERIALS, Paradigm
from harness.core.protocols.plugin import Plugin
from harness.plan.class_lists import ClassList, compared, named
from harness.sampling.classes import pick_classes
from harness.task.messages import first_problem
from harness.training.weights import NAME, Info, read_info

PluginT = TypeVar("PluginT", bound=Plugin)
Value = TypeVar("Value")

#: What a plugin of each kind may name in USES.
_MATERIALS: Mapping[type[Plugin], Sequence[str]] = {
    Classifier: (*MATERIALS, SAVED), Alignment: MATERIALS, Method: METHOD_MATERIALS,
    Paradigm: HEAD_MATERIALS,
}  # fmt: skip
_DATASET_KINDS: Mapping[str, type[Dataset]] = {
    "pictures": Dataset, "clips": Clips, "features": FeatureItems,
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Chosen(Generic[PluginT]):
    """A plugin that a cell names, and the validated options that the task gives it."""

    choice: Choice
    plugin: PluginT
    options: Any  # an instance of plugin.Options
    argument: str = ""  # of a data set or an encoder: what follows its family


class Catalogue:
    """Opens each distinct choice once. One per plan: changes on disk are seen by the next plan."""

    def __init__(self) -> None:
        self._values: dict[Any, Any] = {}

    def chosen(self, kind: type[PluginT], choice: Choice) -> Chosen[PluginT]:
        """A plugin with its options.

        Raises UnknownName; BadInput for an option that the plugin does not have, and for an unknown
        name in its USES.
        """
        return self._once((kind, choice), lambda: _choose(kind, choice))

    def dataset(self, choice: Choice) -> Dataset:
        """Raises DataError for one that is not laid out as declared."""
        return self._once(("dataset", choice), lambda: open_dataset(self.dataset_plugin(choice)))

    def dataset_for(self, choice: Choice, resolution: int, short_side: int) -> Dataset:
        """The data set; of clips, with frames that are large enough for pictures of `resolution`.

        Raises DataError as `dataset`, and for an option that asks for smaller frames.
        """
        data = self.dataset(choice)
        clips = as_clips(data)
        if clips is None:
            return data

        def sized() -> Dataset:
            found = clips.for_pictures(resolution, short_side)
            return self._once(("sized", id(found)), lambda: complete_dataset(found, choice))

        return self._once(("dataset", choice, resolution, short_side), sized)

    def dataset_plugin(self, choice: Choice) -> Chosen[DatasetPlugin]:
        return self.chosen(DatasetPlugin, choice)

    def image_facts(self, choice: Choice) -> EncoderFacts:
        """Raises EncoderError for an encoder that does not read images."""
        if "pictures" not in self.chosen(EncoderPlugin, choice).plugin.READS:
            raise EncoderError(
                f"{choice} reads texts only: name it under 'text_encoder', and an image encoder "
                "under 'encoder'"
            )
        return self._facts(choice)

    def text_facts(self, choice: Choice) -> EncoderFacts:
        """Raises EncoderError for an encoder without a text tower."""
        if "texts" not in self.chosen(EncoderPlugin, choice).plugin.READS:
            raise EncoderError(f"{choice} has no text tower")
        return self._facts(choice)

    def _facts(self, choice: Choice) -> EncoderFacts:
        encoder = self.chosen(EncoderPlugin, choice)
        return self._once(
            ("facts", choice), lambda: encoder.plugin.facts(encoder.argument, encoder.options)
        )

    def classes(self, cell: Cell) -> tuple[ClassList, ClassList]:
        """(training classes, test classes). Another test dataset is tested with all its classes.

        Raises DataError if a task draws more classes than there are, and if exclude_shared leaves
        none to train on.
        """
        key = (
            "classes", cell.dataset, cell.classes, cell.class_seed, cell.train_classes,
            cell.test_dataset, cell.exclude_shared, cell.test_classes,
        )  # fmt: skip
        return self._once(key, lambda: self._pick(cell))

    def _pick(self, cell: Cell) -> tuple[ClassList, ClassList]:
        dataset, seed = self.dataset(cell.dataset), cell.class_seed
        picked = self._classes(cell.dataset, cell.classes, seed)
        if cell.test_dataset is not None:
            trained = picked
            if cell.train_classes is not None:
                trained = self._classes(cell.dataset, cell.train_classes, seed)
            other = self.dataset(cell.test_dataset)
            tested = ClassList(tuple(range(len(other.classes))), tuple(other.classes))
            return compared(trained, tested, exclude=cell.exclude_shared), tested
        if cell.train_classes is None:
            return picked, picked
        if cell.test_classes is not None:
            return _base_to_new(dataset, picked, cell.train_classes, seed, cell.test_classes)
        # Training classes are drawn from the classes that are not tested.
        training = pick_classes(dataset, cell.train_classes, seed, without=picked.indices)
        trained = _listed(dataset, training)
        return compared(trained, picked, exclude=cell.exclude_shared), picked

    def _classes(self, choice: Choice, pick: ClassPick, seed: int | None) -> ClassList:
        dataset = self.dataset(choice)
        return self._once(
            ("pick", choice, pick, seed),
            lambda: _listed(dataset, pick_classes(dataset, pick, seed)),
        )

    def class_counts(self, choice: Choice, split: str) -> Any:
        """(C,) items of every class in `train`, `test` or `val`."""
        dataset = self.dataset(choice)
        splits = {"train": dataset.train, "test": dataset.test, "val": dataset.listed("val")}
        items = splits[split]
        return self._once(
            ("counts", choice, split),
            lambda: np.bincount(items.labels, minlength=len(dataset.classes)),
        )

    def saved(self, path: Path) -> Info:
        """Raises EncoderError for a file that holds no saved weights."""
        return self._once(("saved", path), lambda: read_info(path))

    def remember(self, key: Any, make: Callable[[], Value]) -> Value:
        """Any other value of the plan, computed once."""
        return self._once(("other", key), make)

    def _once(self, key: Any, make: Callable[[], Value]) -> Value:
        if key not in self._values:
            self._values[key] = make()
        value: Value = self._values[key]
        return value


def _choose(kind: type[PluginT], choice: Choice) -> Chosen[PluginT]:
    family, argument = choice.name, ""
    if kind in (DatasetPlugin, EncoderPlugin):
        family, argument = registry.split_reference(choice.name)
    plugin = registry.load(kind, family)
    _check_uses(kind, choice, plugin)
    try:
        options = plugin.Options(**dict(choice.options))
    except ValidationError as error:
        problem = first_problem(error, lambda _: plugin.Options.model_fields, noun="option")
        raise problem.of_option(choice.name) from error
    return Chosen(choice, plugin, options, argument)


def _check_uses(kind: type[Plugin], choice: Choice, plugin: Any) -> None:
    """Raises BadInput if USES of a plugin has an unknown name."""
    known = _MATERIALS.get(kind, ())
    for name in plugin.USES if known else ():
        if name not in known:
            raise BadInput(
                f"{choice.name}: USES names '{name}', which is unknown; allowed: "
                f"{', '.join(known)}{did_you_mean(nearest(name, known))}"
            )


def open_dataset(chosen: Chosen[DatasetPlugin]) -> Dataset:
    """The dataset, with defaults for optional members."""
    opened = chosen.plugin.open_dataset(chosen.argument, chosen.options)
    return complete_dataset(opened, chosen.choice)


def complete_dataset(opened: Dataset, choice: Choice) -> Dataset:
    """A dataset as its plugin opened it, checked against the Protocol of its kind."""
    where = f"the dataset '{choice.name}'"
    data = conform(Dataset, opened, where)
    if data.kind not in _DATASET_KINDS:
        raise BadInput(f"{where}: kind: {data.kind!r}; allowed: {', '.join(_DATASET_KINDS)}")
    return conform(_DATASET_KINDS[data.kind], opened, where)


def _base_to_new(
    dataset: Dataset, picked: ClassList, train: ClassPick, seed: int | None, which: str
) -> tuple[ClassList, ClassList]:
    """(training classes, test classes): trained on are the base classes, those of `picked` that
    `train` picks; tested are these, or the others.
    """
    inside = set(picked.indices)
    outside = [c for c in range(len(dataset.classes)) if c not in inside]
    indices = pick_classes(dataset, train, seed, without=outside)
    base = _listed(dataset, indices)
    strange = [dataset.classes[c] for c in indices if c not in inside]
    if strange:  # of a file
        raise DataError(f"train_classes: not among the classes that take part: {named(strange)}")
    if which == BASE:
        return base, base
    of_base = set(indices)
    new = _listed(dataset, tuple(c for c in picked.indices if c not in of_base))
    return compared(base, new, exclude=False), new


def _listed(dataset: Dataset, indices: tuple[int, ...]) -> ClassList:
    return ClassList(indices, tuple(dataset.classes[c] for c in indices))


@contextmanager
def blame(where: str, key: str) -> Iterator[None]:
    """Adds the file and the key to an error of a plugin, which does not know them."""
    try:
        yield
    except TaskError:
        raise
    except BadInput as error:
        message = str(error).removeprefix(f"{key}: ")  # some errors begin with their key
        raise TaskError(where, key, message) from error


def init_file(init: str, runs: Path) -> Path:
    """Saved weights: a file, or `TASK#train_key` for those that `save: last` wrote to the runs
    folder.

    Raises EncoderError if there is no such file.
    """
    task, separator, train_key = init.rpartition("#")
    known = sorted(p.parent.name for p in runs.glob("*/keys.json")) if separator else []
    if known and task not in known:
        raise EncoderError(
            f"no task '{task}' was run in {runs}; tasks that were run: {', '.join(known)}"
            + did_you_mean(nearest(task, known))
        )
    path = runs / "checkpoints" / train_key / NAME if separator else Path(init)
    if not path.is_file():
        how = f"; run task {task} with save=last first" if separator else ""
        raise EncoderError(f"there are no saved weights {path}{how}")
    return path
