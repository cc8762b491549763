"""The sentences on heads: convex ones, linear ones by steps, and cosine ones."""

from __future__ import annotations

from dataclasses import replace

from harness.report.model.heads import HeadEnd
from harness.report.model.labels import Column
from harness.report.text.heads import of_heads

NEAR = HeadEnd("a_b", Column("1 shot"), convex=False, linear=True, gradient_norm=0.1,
               gradient_left=0.01, relative_distance=1.0, degrees=45.0, margin=1.0)  # fmt: skip
FAR = replace(NEAR, gradient_left=0.011)
LATER = Column("4 shots")


def test_rows_by_how_many_columns_have_converged() -> None:
    text = of_heads([
        NEAR, replace(FAR, row="b"), replace(NEAR, row="b", column=LATER), replace(FAR, row="c"),
        replace(NEAR, row="d", gradient_left=None),
    ])  # fmt: skip
    assert "nearly converged where the gradient norm at the end is at most 0.01 of that at" in text
    assert (
        "Linear heads: nearly converged in every column: a_b; in some columns: b (1 of 2); in no "
        "column: c; whether they have converged is not known (no gradient at the start in the "
        "Record, or recipe.proximal): d."
    ) in text
    assert "what is left of the initialisation there is early stopping" in text
    assert "Cosine" not in text
    assert "by construction" not in text


def test_cosine_heads_may_have_several_stationary_points() -> None:
    text = of_heads([replace(FAR, linear=False)])
    assert "Cosine heads: nearly converged in no column: a_b." in text
    assert "several stationary points" in text
    assert "early stopping" not in text


def test_only_groups_that_have_rows_are_named() -> None:
    some = of_heads([NEAR, replace(FAR, column=LATER), replace(FAR, row="c")])
    assert "Linear heads: nearly converged in some columns: a_b (1 of 2); in no column: c. " in some
    unknown = of_heads([replace(NEAR, gradient_left=None)])
    assert "Linear heads: whether they have converged is not known (no gradient at" in unknown
    assert "no row" not in some + unknown


def test_convex_heads_are_equal_by_construction() -> None:
    solved = replace(NEAR, convex=True, gradient_left=None)
    assert of_heads([solved]).startswith("All heads were solved to the optimum")
    assert "0.01" not in of_heads([solved])
    both = of_heads([solved, replace(FAR, row="c")])
    assert both.startswith("The heads of a_b were solved to the optimum")
    assert "equal results by construction" in both
    assert "in no column: c" in both
