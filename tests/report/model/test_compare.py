"""`compare`: what is paired, by which test, and with which verdict."""

from __future__ import annotations

import numpy as np
import pytest

from harness.core.errors import BadInput
from harness.core.outcomes import Outcomes
from harness.report.model.compare import (
    DESCRIPTIVE,
    HIGHER,
    LOWER,
    SAME,
    UNDECIDED,
    Pair,
    Runs,
    compare,
)
from harness.report.model.recorded import differing, runs_of_csv, runs_of_records
from harness.report.text.compared import compared_text
from harness.stats import pairwise
from harness.stats.holm import holm

from ..studies import few_shot


def runs(share: float, seeds: tuple[int | None, ...] = (0, 1, 2, 3, 4), test: str = "t") -> Runs:
    rng = np.random.default_rng(int(1000 * share) + len(seeds))
    difficulty_N = np.random.default_rng(0).random(80)
    correct_SN = 0.8 * difficulty_N + 0.2 * rng.random((len(seeds), 80)) < share
    top1 = dict(zip(seeds, correct_SN.mean(axis=1).tolist(), strict=True))
    return Runs(top1, Outcomes(correct_SN, seeds, np.arange(80)), test, 80)


def test_outcomes_of_one_test_set_get_the_test_of_a_leaderboard() -> None:
    a, b, c = runs(0.7), runs(0.4), runs(0.695)
    found = compare([Pair("x", "a", "b", a, b), Pair("y", "a", "b", a, c),
                     Pair("z", "a", "b", b, a)])  # fmt: skip
    assert a.outcomes is not None
    assert b.outcomes is not None
    assert c.outcomes is not None
    expected = [
        pairwise.contrast(p, q, name_a="a", name_b="b")
        for p, q in ((a.outcomes, b.outcomes), (a.outcomes, c.outcomes), (b.outcomes, a.outcomes))
    ]
    assert [x.contrast.p for x in found] == [e.p for e in expected]
    assert [x.contrast.p_adjusted for x in found] == holm([e.p for e in expected])
    assert [x.verdict for x in found] == [HIGHER, UNDECIDED, LOWER]
    assert {x.m for x in found} == {3}
    for x in found:
        assert x.mean_a - x.mean_b == pytest.approx(x.contrast.difference)


def test_what_cannot_be_tested_is_descriptive() -> None:
    (few,) = compare([Pair("x", "a", "b", runs(0.7, (0, 1)), runs(0.4, (0, 1)))])
    assert (few.verdict, few.m, few.contrast.low is None) == (DESCRIPTIVE, 0, False)
    a = runs(0.7)
    (same,) = compare([Pair("x", "a", "b", a, a)])
    assert same.verdict == SAME


def test_other_test_sets_are_unpaired() -> None:
    (found,) = compare([Pair("x", "a", "b", runs(0.7), runs(0.4, test="other"))])
    assert found.contrast.test.endswith("unpaired")
    assert found.contrast.estimand == "E1"


def test_a_margin_tells_equivalence_from_ignorance() -> None:
    pair = Pair("x", "a", "b", runs(0.7), runs(0.701))
    (wide,), (narrow,) = compare([pair], 0.3), compare([pair], 0.001)
    assert wide.verdict == "equivalent within the margin"
    assert narrow.verdict == "undecided"
    (both,) = compare([Pair("x", "a", "b", runs(0.7), runs(0.4))], 0.9)
    assert both.verdict == f"{HIGHER}, different, but within the margin"


def test_only_common_seeds_count() -> None:
    (found,) = compare([Pair("x", "a", "b", runs(0.7), runs(0.4, (3, 4, 5)))])
    assert found.contrast.seeds == 2
    assert found.mean_a - found.mean_b == pytest.approx(found.contrast.difference)


def test_records_of_one_cell_are_one_side() -> None:
    results = few_shot()
    of_text = [
        r.record for r in results.results
        if r.record and r.cell.shots == 1 and str(r.cell.classifier) == "text"
    ]  # fmt: skip
    found = runs_of_records(of_text, results.arrays, results.tests.__getitem__)
    assert found.top1 == {r.cell["seed"]: r.top1 for r in of_text}
    others = [r.record for r in results.results if r.record]
    with pytest.raises(BadInput, match="differ in their seed alone"):
        runs_of_records(others, results.arrays, results.tests.__getitem__)
    with pytest.raises(BadInput, match="none of these cells is done"):
        runs_of_records([], results.arrays, results.tests.__getitem__)


CSV = "dataset,shots,classifier,seed,status,top1,n,key\n"


def test_lines_of_a_csv_are_configurations_with_seeds() -> None:
    text = CSV + "emoji,1,text,0,done,0.5,10,k\nemoji,1,text,1,done,0.6,10,l\n"
    text += "emoji,1,lda,,infeasible,,,\nemoji,4,text,0,done,0.7,10,m\n"
    found = runs_of_csv(text, "x.csv")
    assert [r.top1 for r in found.values()] == [{0: 0.5, 1: 0.6}, {0: 0.7}]
    assert list(differing(found).values()) == ["shots=1", "shots=4"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a,b\n1,2\n", "no column 'top1'"), (CSV + "e,1,t,0,done,much,10,k\n", "line 2"),
        (CSV + "e,1,t,0,done,55,10,k\n", "no share"),
        (CSV + 2 * "e,1,t,0,done,0.5,10,k\n", "seed 0 is there twice"),
    ],
)  # fmt: skip
def test_other_csv_files_are_refused(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said):
        runs_of_csv(text, "x.csv")


def test_the_text_has_difference_interval_and_verdict() -> None:
    pairs = [Pair("1 shot", "text", "random", runs(0.7), runs(0.4)),
             Pair("2 shots", "text", "random", runs(0.7), runs(0.69))]  # fmt: skip
    lines = compared_text(compare(pairs)).splitlines()
    assert lines[:3] == ["a: text", "b: random", "a minus b, top-1 in points:"]
    assert lines[3].startswith("  1 shot: +")
    assert lines[3].endswith(": a is higher")
    assert "two-way random effects; estimand E2; 5 seeds, 80 items, p " in lines[4]
    assert lines[-2].endswith("Holm's correction over 2 comparisons.")
    assert lines[-1] == "a is higher: 1; undecided: 1."
