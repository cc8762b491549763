"""Labels of rows keep the options of methods only where these tell rows apart."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell, Choice
from harness.report.model.short_methods import short_methods


def cell(name: str, start: str = "text", **options: Any) -> Cell:
    return Cell(
        Choice("emoji"), "few_shot", Choice("x"), shots=1,
        method=Choice(name, tuple(sorted(options.items()))), classifier=Choice(start),
    )  # fmt: skip


def labels(*cells: Cell) -> list[str]:
    long = {c: f"{c.method} · {c.classifier}" for c in cells}
    return list(short_methods(long).values())


def test_options_are_left_out_where_names_tell_rows_apart() -> None:
    assert labels(cell("tip_adapter", alpha=3.0, beta=1.0), cell("gda", alpha=1.0)) == [
        "tip_adapter · text", "gda · text",
    ]  # fmt: skip
    assert labels(cell("gda", alpha=1.0), cell("gda", "random", alpha=2.0)) == [
        "gda · text", "gda · random",
    ]  # fmt: skip


def test_of_several_that_differ_one_option_is_kept_that_not_all_have() -> None:
    found = labels(
        cell("cross_modal", lr=1e-3, batch=8), cell("cross_modal", lr=1e-4, batch=32, wise=True)
    )
    assert found == ["cross_modal · text", "cross_modal(wise=True) · text"]


def test_all_options_that_are_needed_are_kept() -> None:
    found = labels(*(cell("gda", alpha=a, beta=b, c=1) for a in (1, 2) for b in (3, 4)))
    assert found == [f"gda(alpha={a}, beta={b}) · text" for a in (1, 2) for b in (3, 4)]


def test_a_method_without_options_keeps_its_label() -> None:
    assert labels(cell("gda"), cell("gda", alpha=2.0)) == ["gda · text", "gda(alpha=2.0) · text"]
    assert labels(cell("gda", alpha=2.0)) == ["gda · text"]


def test_seeds_of_one_row_have_one_label() -> None:
    row = {Cell(Choice("emoji"), "few_shot", Choice("x"), seed=s, method=Choice("m", (("a", 1),))):
           "m(a=1)" for s in range(3)}  # fmt: skip
    assert set(short_methods(row).values()) == {"m"}


def test_rows_of_other_kinds_are_left_alone() -> None:
    trained = Cell(Choice("emoji"), "few_shot", Choice("x"), classifier=Choice("lda", (("a", 1),)))
    assert short_methods({trained: "lda(a=1)"}) == {trained: "lda(a=1)"}
