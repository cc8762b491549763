"""The figures of a report, as PNG bytes that depend on the results and on nothing else."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.figure import Figure
from harness.report.model.mean_table import mean_table
from harness.report.model.results import Results
from harness.report.model.table import Table
from harness.report.render.accuracy_figure import accuracy_figures
from harness.report.render.banner import with_banner
from harness.report.render.correlation_figure import correlation_figure
from harness.report.render.cost_figure import NAME as COST
from harness.report.render.cost_figure import cost_figure
from harness.report.render.difference_figure import difference_figures
from harness.report.render.dose_figure import NAME, dose_figure
from harness.report.render.gains_figure import NAME as GAINS
from harness.report.render.gains_figure import gains_figure
from harness.report.render.improvement_figure import improvement_figures
from harness.report.render.loss_figure import loss_figures
from harness.report.render.profile_figure import profile_figure
from harness.report.render.rank_figure import rank_figure
from harness.report.render.reliability_figure import NAME as RELIABILITY
from harness.report.render.reliability_figure import reliability_figure
from harness.report.render.step_figure import step_figure
from harness.report.text.watermark import chosen_on_test


def draw(results: Results, table: Table) -> list[Figure]:
    """Accuracy, also over step sizes, differences from the reference, training loss, correlation
    maps, levels of controls, costs and single classes; a figure without data is left out. A
    notebook shows a Figure as it is.

    Where rows were chosen on the test set, every figure has a banner that says so.
    """
    figures = [
        *accuracy_figures(table), *_there(step_figure(table)), *difference_figures(table),
        *loss_figures(results, table),
        *_there(
            correlation_figure(results, table), dose_figure(table),
            reliability_figure(results, table), cost_figure(table), gains_figure(results, table),
        ),
        *_of_means(table),
    ]  # fmt: skip
    return [with_banner(f) for f in figures] if chosen_on_test(table) else figures


def of_means(figure: Figure) -> bool:
    """Whether a figure is of the means over data sets, which have a section of their own."""
    return figure.name.startswith(_MEAN)


def of_controls(figure: Figure) -> bool:
    """Whether a figure belongs to the section of the controls."""
    return figure.name == NAME


def of_cost(figure: Figure) -> bool:
    """Whether a figure belongs to the section of accuracy and cost."""
    return figure.name == COST


def of_classes(figure: Figure) -> bool:
    """Whether a figure belongs to the section of single classes."""
    return figure.name == GAINS


def of_measures(figure: Figure) -> bool:
    """Whether a figure belongs to the section of further measures."""
    return figure.name == RELIABILITY


_MEAN = "mean_"


def _of_means(table: Table) -> list[Figure]:
    """The same pictures of the means over data sets, and those that only means have."""
    means = mean_table(table)
    if means is None:
        return []
    same = [*accuracy_figures(means), *difference_figures(means)]
    return [
        *(replace(f, name=_MEAN + f.name, caption=_of_mean(table, f.caption)) for f in same),
        *_there(rank_figure(table)), *improvement_figures(table), *_there(profile_figure(table)),
    ]  # fmt: skip


def _there(*figures: Figure | None) -> list[Figure]:
    return [figure for figure in figures if figure is not None]


def _of_mean(table: Table, caption: str) -> str:
    noun = "data sets" if table.average is None else table.average.noun
    return f"Mean over {noun}: {caption[0].lower()}{caption[1:]}"
