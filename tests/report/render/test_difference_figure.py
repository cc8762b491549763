"""The figure of differences from the reference."""

from __future__ import annotations

from typing import Any

from harness.report.model.table import build_table
from harness.report.render.difference_figure import difference_figure

from ..studies import few_shot


def caption_of(**task: Any) -> str | None:
    figure = difference_figure(build_table(few_shot(task=task)))
    return None if figure is None else figure.caption


def test_it_says_what_is_significant() -> None:
    figure = difference_figure(build_table(few_shot()))
    assert figure is not None
    assert figure.png.startswith(b"\x89PNG")
    assert figure.alt == "Differences from random with 95% intervals"
    assert "Filled and blue: significant" in figure.caption


def test_few_seeds_are_descriptive() -> None:
    caption = caption_of(seeds=3, shots=1)
    assert caption is not None
    assert caption.endswith("Descriptive: too few seeds for a p-value.")


def test_a_margin_is_shaded() -> None:
    report = {"rows": "classifier", "reference": "random"}
    plain, wide = (
        difference_figure(build_table(few_shot(task={"shots": 1, "report": report | more})))
        for more in ({}, {"margin": 2.5})
    )
    assert plain is not None
    assert wide is not None
    assert wide.caption == f"{plain.caption} Shaded: the margin of 2.5 points."
    assert wide.png != plain.png


def test_nothing_to_show() -> None:
    assert caption_of(report={"rows": "classifier"}) is None  # no reference
    assert caption_of(seeds=1, shots=1) is None  # no interval
    assert caption_of(class_seed=[0, 1], shots=1) is None  # a table instead
