"""The contrasts as Markdown tables."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Cell
from harness.report.model.table import Table, build_table
from harness.report.render.contrast_tables import contrast_sections, draws_table

from ..studies import few_shot

DRAWS: dict[str, Any] = {
    "class_seed": [0, 1, 2, 3], "classifier": ["text", "random"], "include": [], "shots": 1,
}  # fmt: skip


def table_of(**options: Any) -> Table:
    return build_table(few_shot(**options))


def lines(text: str) -> list[list[str]]:
    return [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines()
            if line.startswith("| ")][2:]  # fmt: skip


def test_every_row_against_the_reference() -> None:
    table = table_of()
    ((title, text),) = contrast_sections(table)
    assert title == "## Differences from random"
    assert len(lines(text)) == len(table.against) == 20
    first = lines(text)[0]
    assert first[:2] == ["1 shot", "text"]
    assert first[2].startswith("+")
    assert "\\[" in first[2]
    assert first[-1] == "5"


def test_without_a_reference_all_pairs_are_shown() -> None:
    task = {"report": {"rows": "classifier"}, "shots": 4}
    ((title, text),) = contrast_sections(table_of(task=task))
    assert title == "## All pairs"
    assert "| text minus random |" in text


def test_of_many_pairs_those_with_the_best_are_shown() -> None:
    recipe = {"lr": [1e-4, 3e-4, 1e-3, 3e-3], "decay": ["constant", "cosine"]}
    report = {"rows": ["classifier", "recipe.lr", "recipe.decay"]}
    task = {"classifier": ["text", "random"], "recipe": recipe, "include": [], "report": report,
            "shots": [1, 4]}  # fmt: skip
    ((title, text),) = contrast_sections(table_of(task=task))
    assert title == "## Differences from the best row of each column"
    assert "30 of 240 pairs are shown" in text
    assert len(lines(text)) == 30


def test_descriptive_differences_have_no_p() -> None:
    ((_, text),) = contrast_sections(table_of(task={"seeds": 3, "shots": 1}))
    assert {tuple(line[3:6]) for line in lines(text)} == {("descriptive", "", "")}


def test_nothing_to_compare_yet() -> None:
    ((_, text),) = contrast_sections(table_of(status=lambda _: "missing"))
    assert text == "No two rows can be compared yet."


def test_class_draws_have_their_own_table() -> None:
    table = table_of(task=DRAWS)
    assert contrast_sections(table) == []
    (line,) = lines(draws_table(table))
    assert line[:2] == ["1 shot", "text minus random"]
    assert all(cell.endswith("\\*") for cell in line[2:6])
    assert line[6:8] == ["4 of 4", "4 of 4"]
    assert line[8].startswith("+")
    assert draws_table(table_of()) == ""


def test_a_missing_draw_and_too_few_draws_have_no_mean() -> None:
    def late(cell: Cell) -> str:
        return "missing" if cell.class_seed == 1 else "done"

    (line,) = lines(draws_table(table_of(task=DRAWS, status=late)))
    assert (line[3], line[-2], line[-1]) == ("missing", "missing", "")
    (line,) = lines(draws_table(table_of(task=DRAWS | {"class_seed": [0, 1]})))
    assert (line[-2], line[-1]) == ("descriptive", "")


def test_draws_without_a_reference_are_columns_of_their_own() -> None:
    task = DRAWS | {"report": {"rows": "classifier"}}
    ((_, text),) = contrast_sections(table_of(task=task))
    assert [line[0] for line in lines(text)] == [f"1 shot, draw {i}" for i in range(4)]


def test_it_says_where_what_is_undecided_over_draws_is() -> None:
    alone = draws_table(table_of(task=DRAWS))
    assert "A difference without a star is not shown in that draw" in alone
    assert alone.endswith("What is undecided has no other table.")
    report = {"rows": "classifier", "reference": "random", "average": "new_datasets"}
    with_means = draws_table(table_of(task=DRAWS | {"report": report}))
    assert with_means.endswith(
        "Of the means over class draws it is what has an adjusted p above 0.05 in their section."
    )
