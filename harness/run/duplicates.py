"""The same content among the samples that cells use: in training and test, or under two classes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from harness.core.cells import Choice
from harness.plan.resolve import ResolvedCell
from harness.run.alike import Alike
from harness.run.leakage import Fingerprint
from harness.sampling.overlap import KINDS, Contents, Pair, Sample, counted, in_two_classes

#: The hash of an item's pixels, of a clip in so many frames; None where it is not known.
Pixels = Callable[[Choice, int | None, str], str | None]
#: What is said of pairs -> the pairs.
Findings = Mapping[str, Sequence[Pair]]


@dataclass(frozen=True)
class Duplicates:
    """Warnings of cells by key, with the numbers of each, and notes on all cells together. What is
    equal byte for byte in training and test is in the notes of `find_leakage` already.
    """

    warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def find_duplicates(
    cells: Iterable[ResolvedCell],
    fingerprint: Fingerprint,
    pixels: Pixels,
    alike: Alike | None = None,
) -> Duplicates:
    """Compare training and validation samples with test samples, and the classes of all.

    Classes of two data sets are not compared: names of one may say less than those of another.
    """
    finder = _Finder(fingerprint, pixels, alike or Alike())
    warnings: dict[str, tuple[str, ...]] = {}
    everything: dict[str, dict[str, Pair]] = {}
    for resolved in cells:
        found = {what: pairs for what, pairs in finder.of_cell(resolved).items() if pairs}
        if found:
            warnings[resolved.key] = tuple(f"{w}: {counted(pairs)}" for w, pairs in found.items())
        for what, pairs in found.items():
            everything.setdefault(what, {}).update({str(pair): pair for pair in pairs})
    notes = tuple(
        f"{what}: {counted(list(pairs.values()))}"
        for what, pairs in everything.items()
        if not what.endswith(KINDS[0])
    )
    return Duplicates(warnings, notes)


class _Finder:
    """Findings of cells, each set of samples compared once."""

    def __init__(self, fingerprint: Fingerprint, pixels: Pixels, alike: Alike) -> None:
        self._fingerprint, self._pixels, self._alike = fingerprint, pixels, alike
        self._findings: dict[object, Findings] = {}
        self._of_set: dict[object, tuple[list[Sample], list[Pair]]] = {}

    def of_cell(self, resolved: ResolvedCell) -> Findings:
        cell, setup = resolved.cell, resolved.setup
        # A plan draws each set once, so the same set is the same object.
        parts = (resolved.support, resolved.validation, resolved.test)
        key = (cell.dataset, cell.test_dataset, cell.frames, *map(id, parts))
        if key not in self._findings:
            self._findings[key] = self._found(resolved, setup.trained.names)
        return self._findings[key]

    def _found(self, resolved: ResolvedCell, names: Sequence[str]) -> Findings:
        cell, sets = resolved.cell, self._alike.of(resolved)
        tested_in = cell.test_dataset or cell.dataset
        training: list[Sample] = []
        mixed: dict[Choice, list[Pair]] = {tested_in: [], cell.dataset: []}
        for drawn in (sets.support, sets.validation):
            if drawn is not None:
                labels = [names[label] for label in drawn.labels]
                samples, pairs = self._samples(cell.dataset, cell.frames, drawn.items, labels)
                training += samples
                mixed[cell.dataset] += pairs
        labels = [resolved.test.class_names[label] for label in sets.test.labels]
        tested, pairs = self._samples(tested_in, cell.frames, sets.test.items, labels)
        mixed[tested_in] += pairs
        leaked = list(Contents(training).pairs(tested))
        if cell.test_dataset is None:
            mixed[cell.dataset] += [pair for pair in leaked if pair.two_classes]
        return {
            **{
                f"Test items of {tested_in} that are training items of {cell.dataset} as well, "
                f"{kind}": [pair for pair in leaked if pair.kind == kind]
                for kind in KINDS
            },
            **{
                f"Items of {dataset} whose content is under two classes": of_dataset
                for dataset, of_dataset in mixed.items()
            },
        }

    def _samples(
        self, dataset: Choice, frames: int | None, items: Sequence[str], names: Sequence[str]
    ) -> tuple[list[Sample], list[Pair]]:
        """Samples of one set with their hashes, and those of them that are under two classes."""
        key = (dataset, frames, tuple(items), tuple(names))
        if key not in self._of_set:
            samples = [
                Sample(
                    item,
                    name,
                    (self._fingerprint(dataset, item), self._pixels(dataset, frames, item)),
                )
                for item, name in zip(items, names, strict=True)
            ]
            self._of_set[key] = samples, in_two_classes(samples)
        return self._of_set[key]
