"""The pages of screens, their csv, JSON and figure."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace

from harness.core.cells import Cell
from harness.core.protocols.screen import Screened
from harness.report.render.page_summary import summary_of
from harness.report.render.screen_figure import screen_figure
from harness.report.render.screen_page import document, screen_csv, screen_page, validation_page

from ..model.test_screening import like_accuracy, screening
from ..studies import name_of


def test_the_page_of_a_study() -> None:
    study = screening()
    page = screen_page(study, "margin", screen_figure(study), "python -m harness screen few_shot")
    assert "| few_shot | Mean margin | 1.00 \\[1.00, 1.00\\] | 1.00 \\[1.00, 1.00\\] |" in page
    assert "| 1.00 to 1.00 | 2 / 6 | 0.0 | orders rows as training does |" in page
    assert "orders rows the other way" in page
    assert "| 1 shot | 1 | prototype \\* | 6.050 | -605.0 | 61.0 |" in page
    assert "\\* made of the samples that it is measured on (prototype)" in page
    assert "(few_shot_screen/scatter.png)" in page
    summary = summary_of("few_shot_screen.md", page)
    assert summary is not None
    assert summary.answer == (
        "Mean margin has the highest rank correlation with the accuracy after training (Spearman's "
        "rho 1.00 \\[1.00, 1.00\\], orders rows as training does)."
    )
    assert summary.figure == "few_shot_screen/scatter.png"


def alike(cell: Cell) -> Screened:
    """Both measures order the rows alike, on other scales."""
    value = like_accuracy(cell).values["margin"]
    assert value is not None
    return replace(like_accuracy(cell), values={"margin": value, "zero_shot": value / 10})


def test_measures_that_order_all_rows_alike_share_the_answer() -> None:
    tied = screening(alike)
    page = screen_page(tied, "zero_shot", None, "x")
    assert (
        "**Answer.** Mean margin and zero-shot accuracy share the highest rank correlation with "
        "the accuracy after training (Spearman's rho 1.00 \\[1.00, 1.00\\], orders rows as "
        "training does)."
    ) in page
    assert "In the order of" not in page, "it is one of the two"
    other = replace(tied, task=tied.task.model_copy(update={"name": "other"}))
    chosen = validation_page([tied], [other], "margin", "x")
    assert (
        "mean margin (`margin`) has the highest Spearman correlation on few_shot, where it was "
        "chosen. Zero-shot accuracy is equal there; the first in the order of the measures was "
        "chosen."
    ) in chosen
    assert "is equal there" not in validation_page([screening()], [other], "margin", "x")


def test_rows_in_the_order_of_another_measure_than_the_best_say_so() -> None:
    page = screen_page(screening(), "zero_shot", None, "x")
    said = "In the order of zero-shot accuracy (`--by zero_shot`), and not of mean margin, which "
    assert page.index("## Rows by zero-shot accuracy") < page.index(said)
    assert said not in screen_page(screening(), "margin", None, "x")
    assert "In the order of" not in screen_page(
        screening(top1=lambda cell: None), "zero_shot", None, "x"
    )


def test_the_verdict_is_defined_and_what_studies_share_is_said() -> None:
    study, other = screening(), screening(name="other")
    for page in (screen_page(study, "margin", None, "x"),
                 validation_page([study], [other], "margin", "x")):  # fmt: skip
        assert "means that the whole interval of rho is above 0" in page
    shared = validation_page([study], [other], "margin", "x")
    assert "All studies share data set emoji" in shared
    assert f"those of the same cells: {len(study.cells)} in few_shot and other." in shared


def test_without_outcomes_rows_are_ranked() -> None:
    study = screening(top1=lambda cell: None)
    assert screen_figure(study) is None
    page = screen_page(study, "margin", None, "x")
    assert "No outcomes yet" in page
    assert "no measure is judged" in page
    assert "| 1 shot | 7 | text | 0.050 | -5.0 |  |" in page
    assert "None" not in page


def test_rows_without_values_are_told() -> None:
    def some(cell: Cell) -> Screened:
        return Screened({}, why="no W") if name_of(cell) == "text" else like_accuracy(cell)

    page = screen_page(screening(some), "margin", None, "x")
    assert "| 1 shot |  | text |  |  | 1.0 |" in page
    assert "Without values: 2 rows of a column, as no W." in page


def test_the_page_of_held_out_studies_shows_what_was_chosen_first() -> None:
    study = screening()
    other = replace(study, task=study.task.model_copy(update={"name": "other"}))
    page = validation_page([study], [other], "zero_shot", "x")
    chosen, _, held_out = page.partition("## Held-out studies")
    assert "zero-shot accuracy (`zero_shot`) has the highest Spearman correlation on" in chosen
    first, second = [line for line in held_out.splitlines() if line.startswith("| other")]
    assert first.startswith("| other | **Zero-shot accuracy** | -1.00")
    assert second.startswith("| other | Mean margin | 1.00")
    assert "[other](other_screen.md)" in page
    assert (
        "has Spearman's rho -1.00 \\[-1.00, -1.00\\] on other (orders rows the other way)" in page
    )


def test_a_line_of_the_csv_for_every_cell() -> None:
    study = screening()
    lines = list(csv.DictReader(io.StringIO(screen_csv(study))))
    assert len(lines) == len(study.cells) == 28
    assert list(lines[0]) == ["row", "column", "draw", "seed", "samples", "n", "made_of_samples",
                              "margin", "zero_shot", "why", "top1", "key"]  # fmt: skip
    assert (lines[0]["row"], lines[0]["margin"], lines[0]["n"]) == ("text", "0.0", "100")


def test_the_document_is_json() -> None:
    found = json.loads(json.dumps(document(screening(), "margin")))
    assert found["candidates"][0]["row"] == "prototype"
    assert found["agreement"]["margin"]["spearman"]["mean"] == 1.0
