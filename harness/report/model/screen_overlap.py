"""What screened studies have in common: outcomes, data, and rows made of the same matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from harness.report.model.controls import LEVELS, ROTATED, SHUFFLED, TEXT
from harness.report.model.screening import Screening


def shared_outcomes(studies: Sequence[Screening]) -> dict[tuple[str, str], int]:
    """By the names of two studies: how many cells with a known outcome both have, where any."""
    keys = {
        s.task.name: {planned.key for _, _, planned in s.cells if planned.top1 is not None}
        for s in studies
    }
    numbers = {(a, b): len(keys[a] & keys[b]) for a, b in combinations(keys, 2)}
    return {pair: n for pair, n in numbers.items() if n}


def common(studies: Sequence[Screening], field: str) -> str | None:
    """The value that a field of the cell has in all studies; None where it differs."""
    values = {str(getattr(planned.cell, field)) for s in studies for _, _, planned in s.cells}
    return values.pop() if len(values) == 1 else None


def common_part(studies: Sequence[Screening]) -> str | None:
    """The part of the data set that the classes of all studies are drawn from."""
    parts = {planned.cell.classes.part for s in studies for _, _, planned in s.cells}
    return parts.pop() if len(parts) == 1 else None


@dataclass(frozen=True)
class TextVersions:
    """How many rows there are; how many of them are the matrix of the texts or versions of it; and
    how many of these come in levels of the controls `of`.
    """

    rows: int
    versions: int
    graded: int
    of: tuple[str, ...]


def text_versions(study: Screening) -> TextVersions:
    """Of the rows that the rank correlations have."""
    judged = {c.row for c in study.candidates if c.top1 is not None and not c.own}
    names = {
        row: planned.cell.classifier.name
        for row, _, planned in study.cells
        if row in judged and planned.cell.classifier is not None
    }
    graded = [name for name in names.values() if name in LEVELS]
    versions = [name for name in names.values() if name in {TEXT, ROTATED, SHUFFLED, *LEVELS}]
    return TextVersions(len(judged), len(versions), len(graded), tuple(dict.fromkeys(graded)))
