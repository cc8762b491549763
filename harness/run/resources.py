"""What the cells of a run share: features, images, encoders and text embeddings, each once."""

from __future__ import annotations

import hashlib
import itertools
import sys
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from harness.core.cells import Choice
from harness.core.conform import conform
from harness.core.errors import DataError, EncoderError
from harness.core.listing import MOST_NAMED
from harness.core.protocols.dataset import Clips, Dataset, as_features
from harness.core.protocols.encoder import TextEncoder, TunableText
from harness.core.text_context import TextContext
from harness.core.text_findings import (
    EqualRows,
    TextFindings,
    remember,
    remembered,
    text_address,
)
from harness.plan.needs import (
    embeds_on,
    facts_of_features,
    needs_texts,
)
from harness.plan.resolve import ResolvedCell
from harness.plan.saved import restored
from harness.run.encoders import (
    LoadedEncoder,
    TextEncoderKey,
    encoder_key,
    load_encoder,
    load_text_encoder,
    text_encoder_key,
)
from harness.run.feature_keys import FeatureKey, keys_of, support_key, test_key, train_key
from harness.run.feature_table import FeatureTable, pixels_of, table_of
from harness.run.read_often import read_often
from harness.run.seconds import SecondsSpent, remember_extracted, remember_rates
from harness.run.wanted_features import WantedFeatures, Wants, wanted_features
from harness.training.agreement import errors_of_any
from harness.training.device import device
from harness.training.distributed import World, world
from harness.training.equal_rows import equal_rows
from harness.training.features import FeatureStore, Progress
from harness.training.item_views import ItemViews, dims
from harness.training.pictures import Pictures
from harness.training.text_embeddings import text_embeddings
from harness.training.weights import TEXT, Weights

if TYPE_CHECKING:
    import torch

Value = TypeVar("Value")


class Resources:
    """Call `load` and `settle` with every cell first; afterwards threads only read."""

    def __init__(self, progress: Progress | None = None, workers: int | None = None) -> None:
        self._progress = progress
        #: Processes that read data ahead of a training; None: as many as there are cores.
        self.workers = workers
        self._tables: dict[FeatureKey, FeatureTable] = {}
        self._broken: dict[FeatureKey, Exception] = {}
        self._loaded: list[FeatureKey] = []  # or broken; in the same order in all processes
        self._values: dict[Any, Any] = {}
        self._pictures: dict[tuple[Choice, Any, str | None], Pictures] = {}
        self._read_often: dict[int, Clips] = {}  # data sets of clips that train a backbone, by id
        self._told: set[str] = set()
        self._seconds = SecondsSpent()
        self._lock = threading.RLock()

    def load(self, cells: Sequence[ResolvedCell], wants: Wants = wanted_features) -> None:
        """Compute or load texts, and features if the backbone is frozen; what fails is `broken`."""
        self.prepare_texts(cells)
        self._read_often = read_often(cells)
        for key, wanted in wants(cells, self._opened).items():
            self._loaded.append(key)
            try:
                self._tables[key] = self._load(key, wanted)
            except (DataError, EncoderError) as error:
                self._broken[key] = error

    def settle(self, cells: Sequence[ResolvedCell], group: World) -> None:
        """What one of the processes cannot read fails its cells in all.

        Raises DataError or EncoderError if this is so for all cells.
        """
        self._broken = errors_of_any(group, self._broken, self._loaded)
        if cells and all(self.broken(cell) for cell in cells):
            raise next(iter(self._broken.values()))

    def prepare_texts(self, cells: Sequence[ResolvedCell]) -> None:
        """Compute or load the text embeddings that cells begin or are evaluated with."""
        for resolved in cells:
            if needs_texts(resolved):
                self.texts(resolved, resolved.test.class_names)

    def share(self, cells: Sequence[ResolvedCell], group: World) -> None:
        """Share the features that are not in the cache among the processes, before `load`, which
        computes what this process does not see there, and says what fails.
        """
        spent: dict[FeatureKey, float] = {}
        for key, wanted in self._wanted(cells).items():
            if as_features(wanted.dataset) is None:
                spent[key] = self._share(key, wanted, group)
        group.wait()
        for key, seconds in zip(spent, group.total(*spent.values()), strict=True):
            self._seconds.add_features(key, seconds)

    def _share(self, key: FeatureKey, wanted: WantedFeatures, group: World) -> float:
        """Seconds that the part of this process took."""
        with suppress(DataError, EncoderError):
            _, views, store = self._views(key, wanted)
            with suppress(DataError):
                store.share(views, group.rank, group.size, self._progress)
            return store.spent.seconds
        return 0.0

    def broken(self, resolved: ResolvedCell) -> Exception | None:
        """Why the data or the encoder of a cell cannot be read."""
        return next((self._broken[k] for k in keys_of(resolved) if k in self._broken), None)

    def claim_seconds(self, resolved: ResolvedCell) -> dict[str, float]:
        """What computing the features and texts of a cell took; see `SecondsSpent.claim`."""
        return self._seconds.claim(keys_of(resolved), _text_key(resolved))

    def train_features(self, resolved: ResolvedCell) -> FeatureTable:
        """Features of the training dataset, in one view."""
        return self._tables[train_key(resolved)]

    def support_features(self, resolved: ResolvedCell) -> FeatureTable:
        """Features of the support pictures: `train_features`, or (N, V, F) of their views."""
        return self._tables[support_key(resolved)]

    def mean_support_features(self, resolved: ResolvedCell) -> FeatureTable:
        """(N, F): the means over the views of support pictures; made once for all cells."""
        key = support_key(resolved)
        table = self._tables[key]
        return self._once(
            ("mean views", key), lambda: replace(table, rows=table.rows.mean_over_views())
        )

    def test_features(self, resolved: ResolvedCell) -> FeatureTable:
        """Features of the test dataset, in the cell's views."""
        return self._tables[test_key(resolved)]

    def pixels(self, dataset: Choice, frames: int | None) -> dict[str, str]:
        """Hashes of the pixels of items whose features were needed, or that a tuned backbone has
        read by now, as far as they are known; of clips, of so many frames.
        """
        merged: dict[str, str] = {}
        # Of items that are read in several ways the hash of one clip, which most have.
        for key, table in sorted(self._tables.items(), key=lambda each: -each[0].view.clips):
            if (key.dataset, key.frames) == (dataset, frames):
                merged |= table.pixels
        for (choice, *_), pictures in self._pictures.items():
            if choice == dataset and frames is None:
                merged |= pictures.seen.hashes
        return merged

    def encoder(self, resolved: ResolvedCell) -> LoadedEncoder:
        """The pretrained image encoder; it must not be changed: copy it to tune it."""
        return load_encoder(encoder_key(resolved.setup))

    def text_encoder(self, resolved: ResolvedCell) -> TextEncoder:
        """The text encoder, with the saved weights of `init` if it was trained; it must not be
        changed: copy it to train it.
        """
        return load_text_encoder(_text_encoder_key(resolved))

    def tunable_text(self, resolved: ResolvedCell) -> TunableText:
        """The text encoder of a cell whose texts are trained, or were."""
        encoder = self.text_encoder(resolved)
        return conform(TunableText, encoder, f"the text encoder of {resolved.cell.encoder}")

    def saved(self, resolved: ResolvedCell, part: str) -> Weights | None:
        """The weights of `init`, if the cell takes this part of them."""
        taken = part in restored(resolved.cell, resolved.setup)
        return self.encoder(resolved).weights if taken else None

    def pictures(self, resolved: ResolvedCell, *, test: bool = False) -> Pictures:
        """Preprocessed images of the training or test dataset, read once."""
        cell, setup = resolved.cell, resolved.setup
        choice = (cell.test_dataset or cell.dataset) if test else cell.dataset
        dataset = self._opened(setup.test_dataset if test else setup.dataset)
        key = encoder_key(setup)
        with self._lock:
            if (of_these := (choice, key, cell.crops)) not in self._pictures:
                read = Pictures(dataset, load_encoder(key).image, setup.resolution)
                self._pictures[of_these] = read
            return self._pictures[of_these]

    def texts(self, resolved: ResolvedCell, names: tuple[str, ...]) -> torch.Tensor:
        """(C, E) text embeddings of class names under the evaluation prompt, in the width of the
        text encoder.
        """
        prompt = resolved.setup.prompt
        return self._once(
            ("texts", *_text_key(resolved), names),
            lambda: self._embed(
                resolved,
                prompt.plugin.evaluation_texts(names, prompt.options),
                prompt.plugin.averaging(prompt.options),
            ),
        )

    def equal_rows(self, w_CD: torch.Tensor) -> EqualRows:
        """Rows of W that are equal or close; compared once for equal W."""
        content = hashlib.sha256(w_CD.detach().cpu().contiguous().numpy().tobytes()).hexdigest()
        return self._once(("equal rows", *w_CD.shape, content), lambda: equal_rows(w_CD))

    def text_findings(self, resolved: ResolvedCell, names: tuple[str, ...]) -> TextFindings:
        """What is to be known of the texts of class names; kept in the cache for the next plan."""
        prompt = resolved.setup.prompt
        texts = prompt.plugin.evaluation_texts(names, prompt.options)
        address = text_address(_text_encoder_key(resolved).weights, prompt.choice, texts)

        def find() -> TextFindings:
            found = remembered(address)
            if found is None:
                rows = self.equal_rows(self.texts(resolved, names))
                cut = self.cut_short(resolved, names)
                found = TextFindings(rows, tuple(cut[:MOST_NAMED]), len(cut))
                remember(address, found)
            return found

        return self._once(("text findings", address), find)

    def cut_short(
        self, resolved: ResolvedCell, names: tuple[str, ...], context: TextContext | None = None
    ) -> list[int]:
        """Classes with a text that the text encoder cuts, with a context or without one."""
        prompt = resolved.setup.prompt
        texts = prompt.plugin.evaluation_texts(names, prompt.options)
        tower = self.text_encoder(resolved)
        return [c for c, of_class in enumerate(texts) if any(tower.cut_short(of_class, context))]

    def tell(self, warnings: Iterable[str]) -> None:
        """Print warnings that no cell of this run has printed, to standard error."""
        with self._lock:
            for warning in warnings:
                if warning not in self._told and world().rank == 0:
                    print(f"warning: {warning}", file=sys.stderr)
                self._told.add(warning)

    def templates(self, resolved: ResolvedCell, names: tuple[str, ...]) -> torch.Tensor:
        """(K, C, E): embeddings of the class names under each template of the prompt."""
        import torch

        prompt = resolved.setup.prompt

        def make() -> torch.Tensor:
            texts = prompt.plugin.texts(names, prompt.options)
            each = [[[of_class[k]] for of_class in texts] for k in range(len(texts[0]))]
            return torch.stack(
                [self._embed(resolved, of_template, "normalised") for of_template in each]
            )

        return self._once(("templates", *_text_key(resolved), names), make)

    def _embed(self, resolved: ResolvedCell, texts: list[list[str]], average: str) -> torch.Tensor:
        setup = resolved.setup
        load = lambda: self.text_encoder(resolved)  # noqa: E731 - only if they are not cached
        spent = partial(self._seconds.add_texts, _text_key(resolved))
        weights = _text_encoder_key(resolved).weights
        on_gpu = embeds_on(setup, device().type) != "cpu"
        return text_embeddings(
            weights, load, setup.prompt.choice, texts, average, spent, device() if on_gpu else None
        )

    def _wanted(self, cells: Iterable[ResolvedCell]) -> dict[FeatureKey, WantedFeatures]:
        return wanted_features(cells, self._opened)

    def _load(self, key: FeatureKey, wanted: WantedFeatures) -> FeatureTable:
        dataset, setup = wanted.dataset, wanted.setup
        precomputed = as_features(dataset)
        if precomputed is not None:
            return table_of(precomputed, itertools.chain(*wanted.sets.values()))
        items, views, store = self._views(key, wanted)
        facts = facts_of_features(setup)
        try:
            loaded = store.load(views, self._progress)
        finally:
            self._seconds.add_features(key, store.spent.seconds)
            remember_rates(key.dataset, facts, setup.resolution, key.precision, store)
        remember_extracted(key.dataset, store, key.frames, key.view, items)
        numbers = {item: i for i, item in enumerate(items)}
        rows = loaded.rows.shaped(*dims(len(items), key.view, key.frames))
        return FeatureTable(numbers, rows, pixels_of(key.view, key.frames, items, loaded.pixels))

    def _views(
        self, key: FeatureKey, wanted: WantedFeatures
    ) -> tuple[list[str], ItemViews, FeatureStore]:
        """Items, what is looked at of each, and where its features are kept or computed."""
        dataset, setup = wanted.dataset, wanted.setup
        items = list(dict.fromkeys(itertools.chain(*wanted.sets.values())))
        encoder = load_encoder(key.encoder)
        facts = facts_of_features(setup)
        store = FeatureStore(dataset, facts, lambda: encoder.image, setup.resolution, key.precision)
        return items, ItemViews(dataset, items, key.frames, key.view), store

    def _opened(self, dataset: Dataset) -> Dataset:
        return self._read_often.get(id(dataset), dataset)

    def _once(self, key: Any, make: Callable[[], Value]) -> Value:
        with self._lock:
            if key not in self._values:
                self._values[key] = make()
            value: Value = self._values[key]
            return value


def _text_key(resolved: ResolvedCell) -> tuple[Any, ...]:
    setup = resolved.setup
    weights = _text_encoder_key(resolved).weights
    return setup.text_encoder.choice, weights, setup.prompt.choice


def _text_encoder_key(resolved: ResolvedCell) -> TextEncoderKey:
    trained = TEXT in restored(resolved.cell, resolved.setup)
    return text_encoder_key(resolved.setup, trained=trained)
