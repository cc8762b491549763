"""The figure of accuracy against cost."""

from __future__ import annotations

import pytest

from harness.report.model.table import build_table
from harness.report.render import cost_figure as module
from harness.report.render.cost_figure import cost_figure
from harness.report.render.figures import draw, of_cost

from ..model.test_pareto import with_costs
from ..studies import few_shot
from .extents import colliding, drawn, outside, texts
from .test_legible import LONG, renamed

COSTS = {"text": {"params": 0}, "random": {"params": 40_000, "views": "4x3", "a100_days": 2.0}}


def test_it_joins_and_names_the_front(monkeypatch: pytest.MonkeyPatch) -> None:
    table = build_table(with_costs(COSTS))
    figures = drawn(monkeypatch, module)
    figure = cost_figure(table)
    assert figure is not None
    assert figure.caption.startswith("Top-1 accuracy against cost at 4 shots, with 95% intervals.")
    (picture,) = figures
    line = picture.axes[0].lines[0]
    means = [100 * table.entries[r, table.columns[-1]].estimate.mean  # type: ignore[union-attr]
             for r in ("text", "prototype")]  # fmt: skip
    assert list(line.get_ydata()) == pytest.approx(means)
    assert {*table.rows, "0", "491,904"} <= set(texts(picture))


@pytest.mark.parametrize("prefix", ["", f"{LONG} · "])
@pytest.mark.parametrize("most", [12, 3])
def test_no_text_touches_another(monkeypatch: pytest.MonkeyPatch, prefix: str, most: int) -> None:
    monkeypatch.setattr(module, "MOST_LINES", most)
    figures = drawn(monkeypatch, module)
    assert cost_figure(renamed(build_table(with_costs(COSTS)), prefix, ""))
    assert (colliding(figures[0]), outside(figures[0])) == ([], [])
    assert ("other rows" in texts(figures[0])) == (most == 3)


def test_rows_whose_cost_is_not_known_are_said() -> None:
    figure = cost_figure(build_table(with_costs({**COSTS, "lda": {"params": None}})))
    assert figure is not None
    assert figure.caption.endswith(" Not known in 'Trained parameters': lda.")


def test_it_is_left_out_where_costs_are_equal_or_classes_are_drawn() -> None:
    assert cost_figure(build_table(few_shot())) is None
    draws = with_costs(COSTS, task={"class_seed": [0, 1], "shots": 1})
    assert cost_figure(build_table(draws)) is None


def test_one_seed_and_one_class() -> None:
    results = with_costs(COSTS, task={"seeds": 1, "shots": 1}, n=4, n_classes=1)
    figures = draw(results, build_table(results))
    assert [f.name for f in figures if of_cost(f)] == ["cost.png"]
