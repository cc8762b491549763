"""Means over data sets in the files of a report."""

from __future__ import annotations

import csv
import io

import pytest

from harness.report.model.table import build_table
from harness.report.render.average_table import average_table
from harness.report.render.csv_files import contrasts_csv
from harness.report.render.figures import draw, of_means
from harness.report.render.leaderboard import leaderboard
from harness.report.render.markdown import body
from harness.report.render.tex import latex

from ..several_sets import names_of_sets, several

AGAINST = {"reference": "random"}


def test_the_leaderboard_and_its_tex_have_a_column_for_each_mean() -> None:
    table = build_table(several("these_datasets", datasets=names_of_sets(2), rows=2, shots=[1, 2]))
    head = leaderboard(table).splitlines()[0]
    assert head.endswith("| mean of 2 data sets · 1 shot | mean of 2 data sets · 2 shots |")
    tex = latex(table)
    assert tex.count(r"\begin{tabular}{lrrr}") == 2
    assert r"mean~of~2~data~sets $\cdot$ 1~shot" in tex
    assert "Means over data sets (report.average: these\\_datasets)" in tex
    assert table.average is not None
    estimate = table.average.entries["text", table.average.columns[0]].estimate
    assert estimate is not None
    row = next(line for line in leaderboard(table).splitlines() if line.startswith("| text |"))
    assert f"{100 * estimate.mean:.0f}" in row.split("|")[6]


def test_the_csv_has_the_means_under_a_marker() -> None:
    results = several("new_datasets", datasets=names_of_sets(6), rows=3, report=AGAINST)
    table = build_table(results)
    lines = list(csv.DictReader(io.StringIO(contrasts_csv(table))))
    means = [line for line in lines if line["dataset"] == "mean:new_datasets"]
    assert len(means) == 3
    assert table.average is not None
    for line, c in zip(means, table.average.against, strict=False):
        assert line["shots"] == "1"
        assert float(line["difference"]) == c.contrast.difference
        assert line["datasets"] == "6"
        assert int(line["win"]) + int(line["tie"]) + int(line["loss"]) == 6
    others = [line for line in lines if not line["dataset"].startswith("mean:")]
    assert len(others) == 3 * 6
    assert {line["win"] for line in others} == {""}


def test_a_margin_is_judged_for_means_too() -> None:
    results = several("these_datasets", rows=2, report={"margin": 40})
    table = build_table(results)
    lines = list(csv.DictReader(io.StringIO(contrasts_csv(table))))
    assert lines[-1]["dataset"] == "mean:these_datasets"
    assert lines[-1]["verdict"] == "different, but within the margin"
    assert "Margin 40" in average_table(table)


def test_without_means_no_file_changes() -> None:
    results = several(None, datasets=names_of_sets(2), rows=2)
    table = build_table(results)
    assert average_table(table) == ""
    assert "win" not in contrasts_csv(table).splitlines()[0]
    assert not any(of_means(f) for f in draw(results, table))
    assert "Mean over data sets" not in body(results, table, [], [])


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("new_datasets", ["accuracy", "differences", "ranks", "improvement", "profile"]),
        ("these_datasets", ["accuracy", "differences", "improvement", "profile"]),
    ],
)
def test_the_figures_are_in_the_section_of_means(kind: str, names: list[str]) -> None:
    results = several(kind, datasets=names_of_sets(8), rows=4, report=AGAINST)
    table = build_table(results)
    figures = draw(results, table)
    own = [f for f in figures if of_means(f)]
    assert [f.name for f in own] == [f"mean_{name}.png" for name in names]
    assert all(f.png.startswith(b"\x89PNG") for f in own)
    page = body(results, table, figures, [])
    start, end = page.index("## Mean over data sets"), page.index("## Differences from")
    assert all(start < page.index(f.name) < end for f in own)
    captions = {f.name: f.caption for f in own}
    assert captions["mean_accuracy.png"].startswith("Mean over data sets: top-1 accuracy")
    improvement = captions["mean_improvement.png"]
    assert ("95% intervals for other data sets" in improvement) is (kind == "new_datasets")


def test_two_rows_have_no_diagram() -> None:
    results = several("new_datasets", rows=2, datasets=names_of_sets(2))
    own = [f.name for f in draw(results, build_table(results)) if of_means(f)]
    assert own == ["mean_accuracy.png", "mean_improvement.png", "mean_profile.png"]
