"""Keys of cells: a hash of the key version, the canonical cell, and hashes of what it reads.

So a Record is never used for other data, class names, texts or weights.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from harness.core.cells import EVALUATION_FIELDS, FIELDS_OUTSIDE_KEYS, Cell, Choice
from harness.core.hashes import file_hash
from harness.core.hashing import canonical, digest, digest_text
from harness.core.protocols.dataset import Dataset, Used
from harness.core.records import KEY_VERSION
from harness.plan.catalogue import Catalogue, blame
from harness.plan.resolve import Setup, has_training_samples, reads_order, support_of
from harness.sampling.draws import Draws
from harness.task.solver_keys import is_convex

#: A placeholder for the seed in the text that is hashed; no user would choose this number.
_SEED_MARK = -982_451_653_000_000_007


#: The hash over those items of a data set that are used.
ContentOf = Callable[[Dataset, Used], str]


def of_bytes(dataset: Dataset, used: Used) -> str:
    """What keys hold of the data."""
    return dataset.content(used)


def of_manifest(dataset: Dataset, _used: Used) -> str:
    """What keys held before: of data of the researcher a hash over names and sizes."""
    return dataset.manifest


def content_hashes(
    cell: Cell, setup: Setup, catalogue: Catalogue, where: str, content: ContentOf = of_bytes
) -> tuple[str, str]:
    """Hashes of what a cell reads: (in training, in evaluation). They do not depend on the seed.

    Raises TaskError for data that cannot be read.
    """
    trained_on, tested_on = used_items(cell, setup)
    prompt = setup.prompt.choice if cell.prompt is not None else None
    training = catalogue.remember(
        ("training", content, cell.dataset, id(setup.dataset), setup.trained.indices,
         tuple(trained_on), reads_order(cell), prompt, cell.encoder, cell.text_encoder, cell.init),
        lambda: _training(cell, setup, where, content),
    )  # fmt: skip

    def evaluation() -> str:
        with blame(where, "test_dataset" if cell.test_dataset else "dataset"):
            data = content(setup.test_dataset, tested_on)
        return digest([data, _texts(cell, setup, setup.tested.names)])

    # The catalogue keeps the data sets, so their ids stay theirs.
    key = ("evaluation", content, id(setup.test_dataset), setup.tested.indices, prompt)
    return training, catalogue.remember(key, evaluation)


def used_items(cell: Cell, setup: Setup) -> tuple[Used, Used]:
    """What is used of the data set, and of the test data set."""
    trained_on = {"train": setup.trained.indices} if has_training_samples(cell) else {}
    if isinstance(cell.val, Choice):
        trained_on["val"] = setup.trained.indices
    return trained_on, {"test": setup.tested.indices}


def _training(cell: Cell, setup: Setup, where: str, content: ContentOf) -> str:
    with blame(where, "dataset"):
        data = content(setup.dataset, used_items(cell, setup)[0])
    read: list[Any] = [data, _texts(cell, setup, setup.trained.names), setup.facts.weights]
    if cell.text_encoder is not None:
        read.append(setup.text_weights)
    if setup.init is not None:
        read.append(file_hash(setup.init))
    if reads_order(cell):
        read.append(_order(setup.dataset))
    return digest(read)


def _order(dataset: Dataset) -> list[str]:
    """Hashes over the lists of train and val in their order, which CoOp's draws follow. They go
    over all classes, so all are in it, and the items that were left out as damaged.
    """
    splits = (dataset.listed("train"), dataset.listed("val"))
    return [digest([s.ids, [dataset.classes[c] for c in s.labels.tolist()]], 64) for s in splits]


def _texts(cell: Cell, setup: Setup, names: Sequence[str]) -> list[Any]:
    """Class names with their texts under the prompt."""
    if cell.prompt is None:
        return list(names)
    prompt = setup.prompt
    trained = prompt.plugin.texts(names, prompt.options)
    tested = prompt.plugin.evaluation_texts(names, prompt.options)
    # In the key only if they differ, so that keys from before evaluation texts existed stay valid.
    evaluation = [tested] if tested != trained else []
    return [*zip(names, trained, strict=True), *evaluation]


def list_hash(cell: Cell, setup: Setup, draws: Draws, where: str, seed: int | None) -> str | None:
    """Hash over the samples of the published list that a cell trains on; None without one.

    Raises TaskError for a list that is missing or does not fit the data set.
    """
    if cell.support.name != "file":
        return None
    with blame(where, "support"):
        return support_of(replace(cell, seed=seed), setup, draws).sha256


def keys_of_row(
    cell: Cell,
    seeds: Sequence[int | None],
    training: str,
    evaluation: str,
    list_at: Callable[[int | None], str | None] = lambda _: None,
) -> Iterator[tuple[str, str]]:
    """(key, train_key) of a row's cell at each of its seeds. `list_at` gives the hash of what a
    published list has for a seed.
    """
    if cell.support.name == "file":
        for seed in seeds:
            with_list = digest([training, list_at(seed)])
            yield next(_keys(cell, [seed], with_list, evaluation))
    else:
        yield from _keys(cell, seeds, training, evaluation)


def _keys(
    cell: Cell, seeds: Sequence[int | None], training: str, evaluation: str
) -> Iterator[tuple[str, str]]:
    plain = {k: v for k, v in cell.plain().items() if k not in FIELDS_OUTSIDE_KEYS}
    key_at = _hasher(plain, [training, evaluation])
    train_key_at = key_at
    if cell.selection != "test":  # else the test set decides what is trained
        for name in EVALUATION_FIELDS:
            plain.pop(name, None)
        if cell.regime == "zero_shot" or cell.train_classes is not None:
            # The test classes do not affect training, except that training classes exclude them;
            # the training classes are in the hash.
            plain.pop("classes", None)
        if is_convex(cell.recipe):
            plain.pop("classifier", None)  # one optimum, wherever W starts
        train_key_at = _hasher(plain, [training])
    return ((key_at(seed), train_key_at(seed)) for seed in seeds)


def _hasher(plain: dict[str, Any], content: Sequence[str]) -> Callable[[int | None], str]:
    """The hash of a cell by its seed. The text is built once, as a row may have many seeds."""
    without_seed = canonical([KEY_VERSION, plain, *content])
    marked = canonical([KEY_VERSION, {**plain, "seed": _SEED_MARK}, *content])
    before, after = marked.split(str(_SEED_MARK))

    def at(seed: int | None) -> str:
        return digest_text(without_seed if seed is None else f"{before}{seed}{after}")

    return at
