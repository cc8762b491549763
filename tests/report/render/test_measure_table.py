"""The table of all measures."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.table import build_table
from harness.report.render.measure_table import measure_table

from ..studies import few_shot


def test_titles_have_units_and_lower_is_better_is_marked() -> None:
    text = measure_table(build_table(few_shot()))
    assert text.splitlines()[0] == (
        "| Column | Row | Top-1 accuracy (points) | Top-5 accuracy (points) | Mean class accuracy "
        "(points) | Negative log-likelihood (nats) ↓ | Expected calibration error (points) ↓ |"
    )
    first = text.splitlines()[2].strip("|").split("|")
    assert [c.strip() for c in first[:2]] == ["1 shot", "text"]
    assert [c.strip() for c in first[-2:]] == ["1.250", "5.0"]
    assert text.endswith("Means over seeds; these measures are not tested. ↓: lower is better.")


def test_further_measures_follow_and_one_that_is_gone_keeps_its_name() -> None:
    text = measure_table(build_table(few_shot(measures=lambda _: {"gone.away:margin": 12.3456})))
    assert text.splitlines()[0].endswith(
        "| Expected calibration error (points) ↓ | gone.away:margin |"
    )
    assert text.splitlines()[2].endswith("| 5.0 | 12.346 |")


def test_a_row_without_a_measure_has_an_empty_place() -> None:
    def measures(cell: object) -> dict[str, float]:
        return {"x:y": 1.0} if "text" in str(getattr(cell, "classifier", None)) else {}

    lines = measure_table(build_table(few_shot(measures=measures))).splitlines()
    assert lines[2].endswith("| 1.000 |")
    assert next(line for line in lines if "| random |" in line).endswith("|  |")


def test_top1_alone_is_the_leaderboard() -> None:
    table = build_table(few_shot())
    entries = {k: replace(e, measures={"top1": 0.5}) for k, e in table.entries.items()}
    assert measure_table(replace(table, entries=entries)) == ""
