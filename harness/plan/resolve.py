"""Cell -> ResolvedCell: everything that a cell names, opened at planning and passed on.

Code that runs cells opens no plugin, dataset or list of classes by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from harness.core.cells import Cell, Choice, KeyedCell
from harness.core.facts import EncoderFacts
from harness.core.protocols.alignment import Alignment
from harness.core.protocols.classifier import Classifier
from harness.core.protocols.dataset import Dataset
from harness.core.protocols.encoder import EncoderPlugin
from harness.core.protocols.method import Method
from harness.core.protocols.paradigm import Paradigm, head_materials
from harness.core.protocols.plugin import Plugin
from harness.core.protocols.prompt import Prompt
from harness.core.protocols.solver import Solver
from harness.core.protocols.temporal import Temporal
from harness.core.samples import SupportSet, TestSet
from harness.plan.catalogue import Catalogue, Chosen, blame, init_file
from harness.plan.class_lists import ClassList, rows_among
from harness.plan.named_data import for_dataset
from harness.sampling.draws import Draws
from harness.sampling.views import short_side
from harness.task.classifiers import classifier_prompt, reads_validation
from harness.training.weights import Info

CLASS_NAME, MEAN, FIRST_ORDER = Choice("class_name"), Choice("tap"), Choice("first_order")
PluginT = TypeVar("PluginT", bound=Plugin)


@dataclass(frozen=True, eq=False)
class Setup:
    """The opened parts of a cell. Cells that differ only in their seed share it.

    A part that does not apply to the cell is None.
    """

    dataset: Dataset
    test_dataset: Dataset  # the same if the cell names no other
    trained: ClassList
    tested: ClassList
    encoder: Chosen[EncoderPlugin]
    text_encoder: Chosen[EncoderPlugin]  # the encoder itself if the cell names no other
    facts: EncoderFacts  # of the image encoder; text_dim is that of the text encoder
    text_weights: str  # content hash of the text encoder
    resolution: int
    init: Path | None  # the weights that training starts from
    saved: Info | None  # what is in them
    prompt: Chosen[Prompt]
    paradigm: Chosen[Paradigm] | None
    classifier: Chosen[Classifier] | None
    alignment: Chosen[Alignment] | None
    inside: Chosen[Temporal] | None  # a temporal module inside the backbone
    over_frames: Chosen[Temporal] | None  # the temporal module after the projection
    method: Chosen[Method] | None
    solver: Chosen[Solver]
    uses: frozenset[str]  # inputs of paradigm, classifier, alignment and method
    #: Training samples that the smallest and the largest class have; None: nothing is trained on.
    per_class: int | None
    largest_class: int | None
    #: Where all tested classes were trained on, but are not the same list: the number of each among
    #: the trained classes. Their rows of W are used then. In zero-shot W is replaced (None).
    rows: tuple[int, ...] | None = None

    @property
    def same_classes(self) -> bool:
        """Whether test classes and training classes are the same."""
        return self.trained.names == self.tested.names

    @property
    def row_names(self) -> tuple[str, ...]:
        """The classes of the rows of W that predict test samples."""
        return self.tested.names if self.rows is None else self.trained.names

    @property
    def is_linear(self) -> bool:
        """Whether the head is linear: W with a bias, of which the length counts."""
        return self.paradigm is not None and not self.paradigm.plugin.USES

    @property
    def prompt_key(self) -> str:
        """The key of the task that the texts of the classes come from."""
        return _prompt_key(self.classifier.choice if self.classifier else None)


@dataclass(frozen=True, eq=False)
class ResolvedCell(KeyedCell):
    """A cell with its keys, its opened parts, and its sets, which are drawn at first use."""

    setup: Setup
    draws: Draws

    @property
    def support(self) -> SupportSet | None:
        """The training samples; None if there are none."""
        cell, setup = self.cell, self.setup
        if not has_training_samples(cell):
            return None
        return support_of(cell, setup, self.draws)

    @property
    def validation(self) -> SupportSet | None:
        """The validation samples; None if there are none."""
        cell, setup = self.cell, self.setup
        if cell.val is None:
            return None
        data, classes, seed = setup.dataset, setup.trained.indices, cell.seed
        if isinstance(cell.val, int):
            return self.draws.validation(data, classes, seed, cell.val)
        per_class = val_per_class(cell)
        if per_class == "coop":
            return self.draws.coop(data, classes, *_drawn_by(cell))[1]
        return self.draws.official_validation(data, classes, seed, per_class)

    @property
    def test(self) -> TestSet:
        """The test samples."""
        setup = self.setup
        return self.draws.test(
            setup.test_dataset, setup.tested.indices, distractors=may_have_distractors(self.cell)
        )


def support_of(cell: Cell, setup: Setup, draws: Draws) -> SupportSet:
    """The training samples of a cell that has some.

    Raises DataError for a published list that does not fit the data set.
    """
    data, classes = setup.dataset, setup.trained.indices
    if cell.support.name == "coop":
        return draws.coop(data, classes, *_drawn_by(cell))[0]
    if cell.support.name == "file" and cell.shots is not None:
        path = dict(cell.support.options)["path"]
        return draws.listed(data, classes, cell.seed, cell.shots, path)
    return draws.support(
        data, classes, cell.seed,
        shots=cell.shots, fraction=cell.fraction, val=val_cut(cell), take_all=takes_all(cell),
    )  # fmt: skip


def _drawn_by(cell: Cell) -> tuple[int, int]:
    """(seed, K) of a cell whose sets are CoOp's."""
    if cell.seed is None or cell.shots is None:
        raise ValueError("support coop: the cell has no seed or no shots")
    return cell.seed, cell.shots


def val_cut(cell: Cell) -> int:
    """How many samples of every class are kept out of training for validation."""
    return cell.val if isinstance(cell.val, int) else 0


def val_per_class(cell: Cell) -> Any:
    """K or coop of `val: {official: ...}`; None for the whole official split."""
    return dict(cell.val.options).get("per_class") if isinstance(cell.val, Choice) else None


def reads_order(cell: Cell) -> bool:
    """Whether a cell depends on the order in which its data set lists its items."""
    return cell.support.name == "coop"


def has_training_samples(cell: Cell) -> bool:
    """Whether there are samples for training, or for building a classifier."""
    return cell.regime != "zero_shot" or cell.train_classes is not None


def takes_all(cell: Cell) -> bool:
    """Whether a class of fewer samples than `shots` gives all that it has."""
    return cell.few == "take_all" or cell.support.name != "own"


def may_have_distractors(cell: Cell) -> bool:
    """Whether some of the classes may have no test samples: classes that are named without having
    been trained on need names only.
    """
    return cell.regime == "zero_shot" or cell.test_dataset is not None


def resolve(cell: Cell, catalogue: Catalogue, runs: Path, where: str) -> Setup:
    """Open everything that a cell names.

    Raises TaskError with the file and the key of what does not exist or cannot be read.
    """

    def chosen(kind: type[PluginT], key: str, choice: Choice | None) -> Chosen[PluginT] | None:
        if choice is None:
            return None
        with blame(where, key):
            return catalogue.chosen(kind, choice)

    paradigm = chosen(Paradigm, "paradigm", cell.paradigm)
    method = chosen(Method, "method", cell.method)
    _check_datasets(cell, catalogue, where)
    with blame(where, ""):  # these errors begin with their key
        trained, tested = catalogue.classes(cell)
    facts, text_weights = _encoder_facts(cell, catalogue, where)
    dataset, test_dataset = _datasets(cell, facts, catalogue, where)
    classifier = chosen(Classifier, "classifier", cell.classifier)
    alignment = chosen(Alignment, "alignment", Choice(cell.alignment) if cell.alignment else None)
    inside, over_frames = _temporal(cell, catalogue, where)
    solver = Choice(cell.recipe.solver) if cell.recipe and cell.recipe.solver else FIRST_ORDER
    with blame(where, "init"):
        init = init_file(cell.init, runs) if cell.init else None
        saved = catalogue.saved(init) if init else None
    parts: tuple[Chosen[Any] | None, ...] = (paradigm, classifier, alignment, method)
    smallest, largest = _class_sizes(cell, trained, catalogue)
    return Setup(
        dataset=dataset,
        test_dataset=test_dataset,
        trained=trained,
        tested=tested,
        encoder=catalogue.chosen(EncoderPlugin, cell.encoder),
        text_encoder=catalogue.chosen(EncoderPlugin, cell.text_encoder or cell.encoder),
        facts=facts,
        text_weights=text_weights,
        resolution=cell.resolution or facts.resolution,
        init=init,
        saved=saved,
        prompt=_prompt(cell, catalogue, where),
        paradigm=paradigm,
        classifier=classifier,
        alignment=alignment,
        inside=inside,
        over_frames=over_frames,
        method=method,
        solver=chosen(Solver, "recipe.solver", solver) or catalogue.chosen(Solver, FIRST_ORDER),
        uses=frozenset(name for part in parts if part for name in part.plugin.USES)
        | frozenset(head_materials(paradigm.plugin, cell.tuning) if paradigm else ())
        | frozenset({"validation"} if reads_validation(cell.classifier) else ()),
        per_class=smallest,
        largest_class=largest,
        rows=_rows(cell, trained, tested, where),
    )


def _rows(cell: Cell, trained: ClassList, tested: ClassList, where: str) -> tuple[int, ...] | None:
    """See `Setup.rows`."""
    if cell.regime == "zero_shot" or trained.names == tested.names:
        return None
    with blame(where, "test_dataset" if cell.test_dataset else "train_classes"):
        return rows_among(trained.names, tested.names)


def _check_datasets(cell: Cell, catalogue: Catalogue, where: str) -> None:
    """Open the data sets, so that their errors come before those of encoders."""
    with blame(where, "dataset"):
        catalogue.dataset(cell.dataset)
    if cell.test_dataset is not None:
        with blame(where, "test_dataset"):
            catalogue.dataset(cell.test_dataset)


def _datasets(
    cell: Cell, facts: EncoderFacts, catalogue: Catalogue, where: str
) -> tuple[Dataset, Dataset]:
    """(trained on, tested on), with frames that are large enough for the cell's pictures."""
    resolution = cell.resolution or facts.resolution
    side = short_side(resolution, facts.crop_share, cell.crops)
    with blame(where, "dataset"):
        dataset = catalogue.dataset_for(cell.dataset, resolution, side)
    if cell.test_dataset is None:
        return dataset, dataset
    with blame(where, "test_dataset"):
        return dataset, catalogue.dataset_for(cell.test_dataset, resolution, side)


def _encoder_facts(cell: Cell, catalogue: Catalogue, where: str) -> tuple[EncoderFacts, str]:
    """Facts of the image encoder with the width of the texts, and the hash of the text encoder."""
    with blame(where, "encoder"):
        facts = catalogue.image_facts(cell.encoder)
    if cell.text_encoder is None:
        return facts, facts.weights
    with blame(where, "text_encoder"):
        texts = catalogue.text_facts(cell.text_encoder)
    combined = replace(
        facts, text_dim=texts.text_dim, text_form=texts.text_form, text_adapters=texts.text_adapters
    )
    return combined, texts.weights


def _prompt_key(classifier: Choice | None) -> str:
    return "prompt" if classifier_prompt(classifier) is None else "classifier"


def _prompt(cell: Cell, catalogue: Catalogue, where: str) -> Chosen[Prompt]:
    with blame(where, _prompt_key(cell.classifier)):
        return for_dataset(catalogue.chosen(Prompt, cell.prompt or CLASS_NAME), cell, catalogue)


def _temporal(
    cell: Cell, catalogue: Catalogue, where: str
) -> tuple[Chosen[Temporal] | None, Chosen[Temporal] | None]:
    """(module inside the backbone, module after the projection). After a module inside the backbone
    the embeddings of the frames are averaged.
    """
    if cell.temporal is None:
        return None, None
    with blame(where, "temporal"):
        module = catalogue.chosen(Temporal, cell.temporal)
    if module.plugin.PLACE == "backbone":
        return module, catalogue.chosen(Temporal, MEAN)
    return None, module


def _class_sizes(
    cell: Cell, trained: ClassList, catalogue: Catalogue
) -> tuple[int | None, int | None]:
    """Training samples of the smallest and of the largest class; 0 if there are no classes."""
    if not has_training_samples(cell):
        return None, None
    counts = catalogue.class_counts(cell.dataset, "train")

    def sizes() -> tuple[int, int]:
        of_class = [int(counts[c]) for c in trained.indices]
        return min(of_class, default=0), max(of_class, default=0)

    return catalogue.remember(("class sizes", cell.dataset, trained.indices), sizes)
