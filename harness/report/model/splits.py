"""Means over the official splits of a data set, as the field prints them. Descriptive."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from harness.core.cells import Cell
from harness.core.records import Record
from harness.report.model.entry import DONE, Entry
from harness.report.model.official_split import split_of, without_split
from harness.report.model.table import Table


@dataclass(frozen=True)
class SplitMean:
    """A row on a data set with several splits; fractions, None where a split is missing.

    `deviation` is that of the seeds; None for one seed.
    """

    row: str
    dataset: str
    splits: tuple[int, ...]
    missing: tuple[int, ...]
    mean_class: float | None
    deviation: float | None
    top1: float | None
    seeds: int


def split_means(table: Table) -> list[SplitMean]:
    """Of every row that has columns which differ in the split of the data set alone."""
    found = []
    for row in table.rows:
        groups: dict[Cell, dict[int, Entry]] = {}
        for column in table.columns:
            entry = table.entries[row, column]
            split = None if entry.cell is None else split_of(entry.cell.dataset)
            if entry.cell is not None and split is not None:
                groups.setdefault(without_split(entry.cell), {})[split] = entry
        found += [_mean(row, cell, of) for cell, of in groups.items() if len(of) > 1]
    return found


def _mean(row: str, cell: Cell, by_split: dict[int, Entry]) -> SplitMean:
    splits = tuple(sorted(by_split))
    missing = tuple(split for split in splits if by_split[split].status != DONE)
    dataset = cell.dataset.name
    entries = [by_split[split] for split in splits]
    seeds = set.intersection(*(set(_by_seed(e.records)) for e in entries))
    if missing or not seeds:
        return SplitMean(row, dataset, splits, missing or splits, None, None, None, 0)
    records_NS = [[_by_seed(e.records)[seed] for e in entries] for seed in sorted(seeds, key=str)]
    class_N = np.array([_mean_of(r.mean_class for r in of_seed) for of_seed in records_NS])
    top1_N = np.array([_mean_of(r.top1 for r in of_seed) for of_seed in records_NS])
    deviation = float(class_N.std(ddof=1)) if len(class_N) > 1 else None
    return SplitMean(
        row, dataset, splits, (), float(class_N.mean()), deviation, float(top1_N.mean()), len(seeds)
    )


def _by_seed(records: Iterable[Record]) -> dict[int | None, Record]:
    return {record.cell.get("seed"): record for record in records}


def _mean_of(values: Iterable[float | None]) -> float:
    return float(np.mean([np.nan if value is None else value for value in values]))
