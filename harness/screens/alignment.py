"""Alignment of rows with images: the mean cosine of a row of W with the mean of its class."""

from __future__ import annotations

from harness.core.protocols.screen import ScreenInputs, unit_rows

TITLE, UNIT = "Cosine with the class mean", ""


def compute(inputs: ScreenInputs) -> float | None:
    """Over the classes that have samples; a row of zeros has the cosine 0."""
    means_KD, rows_KD = inputs.class_means()
    return float((unit_rows(means_KD) * rows_KD).sum(axis=1).mean())
