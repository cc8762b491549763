"""`power` for means over data sets: seeds and items of these, or how many new ones."""

from __future__ import annotations

import numpy as np
import pytest

from harness.report.model.needs_of_means import needs_of_means
from harness.report.model.table import build_table
from harness.report.text.needs_of_means import needs_of_means_text
from harness.stats.across import wilcoxon_p
from harness.stats.fixed_sets import SetOutcomes, components_of_sets, mean_of_sets
from harness.stats.over_sets import datasets_needed
from harness.stats.planning import components, projected

from ..several_sets import several


def test_these_data_sets_need_seeds_or_items() -> None:
    table = build_table(several("these_datasets"))
    found = table.average
    assert found is not None
    needs = needs_of_means(table, target=0.02)
    undecided = [c for c in found.pairs if (c.contrast.p_adjusted or 1) > 0.05]
    assert 0 < len(needs) == len(undecided)
    for need in needs:
        assert (need.units_needed, need.units, need.why) == (None, 6, "")
        assert need.power is not None
        assert need.floor is not None
        assert (need.seeds_needed is None) == (need.floor > 0.02) or need.seeds_needed
        assert need.items_factor is None or need.items_factor > 0
        if need.seeds_needed is not None:
            # 1 s a cell, two rows on six data sets.
            assert need.seconds == pytest.approx(12 * max(0, need.seeds_needed - 5))
    text = needs_of_means_text(needs)
    assert "(these data sets, with more seeds or items):" in text
    assert any(n.items_factor for n in needs) <= ("times the items of every data set" in text)
    assert "to find 2.0: " in text


def test_new_data_sets_need_more_of_them() -> None:
    table = build_table(several("new_datasets"))
    needs = needs_of_means(table, target=0.05)
    assert needs
    for need in needs:
        assert need.seeds_needed is need.items_factor is None
        assert need.units_needed is None or need.units_needed >= 8, "2/2^n at most 0.05/6"
    assert "the data sets are the sample, so only more data sets help" in needs_of_means_text(needs)
    assert "data sets that differ as these do" in needs_of_means_text(needs)


def test_without_means_or_undecided_pairs_there_is_nothing() -> None:
    assert needs_of_means(build_table(several(None))) == []
    assert needs_of_means_text([]) == "means over data sets: no comparison is undecided"


def test_the_target_is_the_margin_else_the_difference() -> None:
    margin = build_table(several("these_datasets", report={"margin": 3}))
    assert {n.target for n in needs_of_means(margin)} == {0.03}
    assert all(n.target == abs(n.difference)
               for n in needs_of_means(build_table(several("these_datasets"))))  # fmt: skip


def test_one_data_set_is_planned_as_a_column() -> None:
    x_SN = np.random.default_rng(0).choice([-1.0, 0.0, 1.0], (6, 40), p=[0.1, 0.6, 0.3])
    clusters_N = np.repeat(np.arange(20), 2)
    of_one = components_of_sets([SetOutcomes(x_SN, clusters_N, 1.0)])
    plain = components(x_SN, clusters_N)
    for name in ("seeds", "groups", "residual", "n_seeds", "n_groups"):
        assert getattr(of_one, name) == pytest.approx(getattr(plain, name)), name


def test_today_is_projected_as_the_test_of_the_mean_found_it() -> None:
    rng = np.random.default_rng(1)
    sets = []
    for i, items in enumerate((40, 70, 50)):
        x_SN = rng.normal(size=(5, items)) + rng.normal(size=items) + 0.4 * np.arange(5)[:, None]
        sets.append(SetOutcomes(x_SN, 1000 * i + np.arange(items), 1 / 3))
    error, df = projected(c := components_of_sets(sets), c.n_seeds, c.n_groups)
    t = mean_of_sets(sets, paired=True).t
    assert error == pytest.approx(t.standard_error)
    assert df == pytest.approx(t.df, rel=0.05)


def test_deterministic_rows_need_items_alone() -> None:
    sets = [SetOutcomes(np.random.default_rng(i).choice([-1.0, 0.0, 1.0], (1, 30)),
                        100 * i + np.arange(30), 0.5) for i in (0, 1)]  # fmt: skip
    c = components_of_sets(sets)
    assert not c.random_seeds
    assert projected(c, 1, c.n_groups)[0] == pytest.approx(
        mean_of_sets(sets, paired=True).t.standard_error
    )


def test_the_planned_number_of_data_sets_has_the_planned_power() -> None:
    """2,000 studies of normal differences, one comparison."""
    d_M = np.array([-0.02, 0.01, 0.03, 0.06, 0.02])
    number = datasets_needed(d_M, 0.03, m=1)
    assert number is not None
    rng, sd = np.random.default_rng(5), float(d_M.std(ddof=1))
    found = [wilcoxon_p(rng.normal(0.03, sd, number)) <= 0.05 for _ in range(2000)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.06)


def test_the_smallest_p_bounds_the_number_of_data_sets() -> None:
    d_M = np.array([0.100, 0.101, 0.102])
    assert datasets_needed(d_M, 0.1, m=1) == 6
    assert datasets_needed(d_M, 0.1, m=55) == 12
    assert datasets_needed(d_M[:1], 0.1, m=1) is None
    assert datasets_needed(np.full(4, 0.1), 0.1, m=1) is None
    # Draws that share half of their classes leave a part of the variance that no draw removes.
    wide = np.array([-0.1, 0.0, 0.1, 0.2])
    assert datasets_needed(wide, 0.05, m=1, overlap=0.5) is None
    assert (datasets_needed(wide, 0.5, m=1, overlap=0.5) or 0) >= 4
