"""How far the confidence of a row is from its accuracy, bin by bin: a reliability diagram."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from harness.report.model.entry import DONE, Entry
from harness.report.model.labels import Column
from harness.report.model.results import Results
from harness.report.model.table import Table

#: Bins of equal width, as those of the expected calibration error.
BINS = 15
#: A diagram is shown where the distance of a row's bins from its accuracy is at least this (a
#: fraction). The error of a single seed has noise that never cancels: with 200 items it is 6 to 8
#: points where the bins of all seeds lie on the diagonal.
LEAST_ERROR = 0.05
MOST_ROWS = 6


@dataclass(frozen=True)
class Bin:
    """Predictions of about one confidence; fractions, the share is that of all predictions."""

    confidence: float
    accuracy: float
    share: float


@dataclass(frozen=True)
class Reliability:
    """The bins of a row that have predictions, of all seeds and items; `error` is the mean over
    seeds of the expected calibration error, as in the table of measures.
    """

    row: str
    bins: tuple[Bin, ...]
    error: float

    @property
    def distance(self) -> float:
        """Mean distance of confidence and accuracy over the bins of all seeds together."""
        return sum(b.share * abs(b.confidence - b.accuracy) for b in self.bins)


@dataclass(frozen=True)
class Diagrams:
    """Those of a column; `left_out`: rows without space."""

    column: Column
    rows: tuple[Reliability, ...]
    left_out: tuple[str, ...]


def reliability(results: Results, table: Table) -> Diagrams | None:
    """Of the last column that has Records with confidences; None where no row is off by
    LEAST_ERROR in it.
    """
    for column in reversed(table.columns):
        errors = {
            row: error
            for row in table.rows
            if (error := table.entries[row, column].measures.get("ece")) is not None
        }
        kept = sorted(errors, key=errors.__getitem__, reverse=True)[:MOST_ROWS]
        rows = [
            Reliability(row, bins, errors[row])
            for row in table.rows
            if row in kept and (bins := _bins(results, table.entries[row, column]))
        ]
        if rows:
            worst = max(r.distance for r in rows)
            left_out = tuple(row for row in errors if row not in kept)
            return Diagrams(column, tuple(rows), left_out) if worst >= LEAST_ERROR else None
    return None


def _bins(results: Results, entry: Entry) -> tuple[Bin, ...]:
    """Empty for an entry that is not done, or whose Records have no confidences."""
    if entry.status != DONE or entry.outcomes is None:
        return ()
    confidences = [results.arrays(record).get("confidence") for record in entry.records]
    known = [np.asarray(c, dtype=np.float64) for c in confidences if c is not None]
    if len(known) < len(confidences):
        return ()
    confidence_M, right_M = np.concatenate(known), entry.outcomes.correct_SN.ravel()
    # A confidence of exactly 1 belongs to the last bin.
    bin_M = np.minimum((confidence_M * BINS).astype(int), BINS - 1)
    return tuple(
        Bin(float(confidence_M[inside].mean()), float(right_M[inside].mean()), float(inside.mean()))
        for b in range(BINS)
        if (inside := bin_M == b).any()
    )
