"""Prompts whose texts depend on the data set: its name, as their option takes it."""

from __future__ import annotations

from pathlib import PurePosixPath

from harness.core import registry
from harness.core.cells import Cell, Choice
from harness.core.errors import BadInput
from harness.core.protocols.prompt import Prompt
from harness.plan.catalogue import Catalogue, Chosen


def for_dataset(prompt: Chosen[Prompt], cell: Cell, catalogue: Catalogue) -> Chosen[Prompt]:
    """The prompt with the name of the cell's data set in its options, if it takes one.

    Where nothing is trained it is that of the test data set.

    Raises BadInput for a data set that the prompt does not know, and for a cell that trains on one
    data set and is tested on another.
    """
    options = dict(prompt.choice.options)
    if not prompt.plugin.NAMES_DATASET or options.get("dataset") is not None:
        return prompt
    trained = dataset_name(cell.dataset)
    tested = dataset_name(cell.test_dataset) if cell.test_dataset is not None else trained
    if trained != tested and (cell.recipe is not None or cell.method is not None):
        raise BadInput(
            f"{prompt.choice}: the cell is trained on '{trained}' and tested on '{tested}': name "
            "the one whose texts are meant with the option dataset"
        )
    options["dataset"] = tested
    return catalogue.chosen(Prompt, Choice(prompt.choice.name, tuple(sorted(options.items()))))


def dataset_name(choice: Choice) -> str:
    """`oxford_pets` of coop:ROOT/oxford_pets, folder:oxford_pets/ and features:oxford_pets.npz; the
    option `dataset` where there is one; the name of the plugin without an argument.
    """
    named = dict(choice.options).get("dataset")
    if isinstance(named, str):
        return named
    family, argument = registry.split_reference(choice.name)
    path = PurePosixPath(argument)
    return (path.stem if path.suffix in (".npz", ".safetensors") else path.name) or family
