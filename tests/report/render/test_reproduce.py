"""The page over all tables, on made-up Records."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from markdown_it import MarkdownIt

from harness.core.cells import Cell
from harness.report.model.figure import Figure
from harness.report.model.paper import CostLine, PaperPart
from harness.report.model.published import read_published
from harness.report.model.table import build_table
from harness.report.render.markdown import END_OF_BODY
from harness.report.render.reproduce import page

from ..studies import few_shot_accuracy, make_results, task_of

PAPER = read_published("text4vis")
CLAIM: dict[str, Any] = {
    "text": "Texts are above a random matrix.",
    "table": "Table 1",
    "printed": [["Textual encoder of CLIP", "Top-1"], ["Random normal matrix", "Top-1"]],
    "a": "text",
    "b": "random",
    "direction": ">",
}
ANALOGUE = {"relation": "analogue", "why": "Drawings | stand for videos."}
UNTESTABLE = {"relation": "not_testable", "why": "Nobody can train the other rows."}


def part(**more: Any) -> PaperPart:
    status = more.pop("status", lambda _: "done")
    task = task_of(
        **{"name": "table01_embedded", "shots": 1, "claims": [CLAIM], "embedded": ANALOGUE} | more
    )
    results = make_results(task, few_shot_accuracy, status=status)
    return PaperPart(
        task,
        results,
        build_table(results),
        published=tuple(n for n in PAPER if n.table == "Table 1"),
    )


def text_of(*parts: PaperPart) -> str:
    return page(parts, PAPER, "python -m harness reproduce")


def test_a_claim_is_beside_what_is_printed_and_what_is_measured() -> None:
    text = text_of(part())
    (row,) = [line for line in text.splitlines() if line.startswith("| Texts are above")]
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert cells[1] == "81.52 and 59.30"
    assert cells[7:] == ["**supported**"]
    assert "Claims: 1, of which 1 is tested here." in text
    assert "**supported:** 1 claim (1 of Table 1)" in text


def test_what_does_not_hold_is_said_as_plainly() -> None:
    turned = CLAIM | {"a": "random", "b": "text"}
    equal = CLAIM | {"direction": "="}
    text = text_of(part(claims=[turned, equal]))
    assert text.count("| **contradicted** |") == 2
    assert "**contradicted:** 2 claims (2 of Table 1)" in text


def test_the_page_has_one_family_and_no_other_verdicts() -> None:
    text = text_of(part(), part(name="table08_embedded"))
    assert "Holm's correction over all claims of this page (m = 1)." in text
    board = text.split("### Results here")[1].split("Full report")[0]
    assert "Verdicts are those of the claims above." in board
    assert "**" not in board
    assert not re.search(r"\(\d(-\d)?\)", board)


def test_no_claim_is_put_into_the_mouth_of_the_paper() -> None:
    text = text_of(part())
    assert "The paper says" not in text
    assert "| Claim | Numbers in the paper |" in text
    assert "Some are variants of ours" in text


def test_the_page_says_which_claims_could_tell_two_points_and_what_the_others_lack() -> None:
    text = text_of(part(), part(name="table08_embedded"))
    section = text.split("## Which accuracy claims could tell 2 points")[1].split("\n## ")[0]
    assert "At this page's level, 0.05/1, and with a power of 80%, 0 of 1 different" in section
    lines = [line for line in section.splitlines() if line.startswith("| Table ")]
    assert [line.split("|")[1].strip() for line in lines] == ["Table 1", "Table 8"]
    assert "classes for 1 (today 100)" in lines[0]


def test_without_a_test_of_accuracies_there_is_no_such_section() -> None:
    assert "could tell 2 points" not in text_of(part(seeds=3))


def test_what_cannot_be_tested_keeps_its_claims_and_numbers() -> None:
    task = task_of(name="table07", claims=[CLAIM], embedded=UNTESTABLE)
    costs = (
        CostLine("ViT-L/14", 32, 1_661_548_000_000, 2_600_000_000_000, 230_386_176, 332_000_000),
    )
    text = text_of(PaperPart(task, why_not=UNTESTABLE["why"], costs=costs))
    assert "not testable" in text
    assert text.count(UNTESTABLE["why"]) == 2  # the relation, and the claim
    assert "**not tested**" in text
    assert "| ViT-L/14 | 32 | 1,661.5 | 230.4 | 2,600.0 | 332.0 |" in text


def test_what_could_not_run_says_why_and_is_not_called_untestable() -> None:
    task = task_of(name="table01", claims=[CLAIM], embedded=ANALOGUE)
    text = text_of(PaperPart(task, why_not="there is no folder data/k400"))
    assert "**not run:** there is no folder data/k400" in text
    assert "| Table 1 |" in text
    assert "| not run |" in text


def test_failed_and_missing_cells_are_counted() -> None:
    def status(cell: Cell) -> str:
        return "failed" if cell.seed == 2 else "done"

    text = text_of(part(status=status))
    assert "32 of 40 done" in text
    assert "**not tested:** 1 claim (1 of Table 1)" in text


def test_the_study_itself_is_no_analogue() -> None:
    text = text_of(part(name="table01"))
    assert "Here: **the same study**" in text
    assert "stand for videos" not in text


def test_the_body_knows_no_time_and_no_host() -> None:
    pages = []
    for host, wall in (("a", 1.0), ("b", 2.0)):
        task = task_of(name="table01_embedded", shots=1, claims=[CLAIM], embedded=ANALOGUE)
        results = make_results(task, few_shot_accuracy, host=host, wall=wall)
        pages.append(text_of(PaperPart(task, results, build_table(results))))
    first, second = (text.partition(END_OF_BODY) for text in pages)
    assert first[0] == second[0]
    assert first[2] != second[2]


def test_cells_that_two_tables_share_count_once() -> None:
    one = part()
    text = text_of(one, part(name="figureA5_embedded"))
    assert one.results is not None
    assert f"Records: {len(one.results.results)} of {len(one.results.results)} cells" in text


def test_it_renders_as_tables_and_pictures() -> None:
    picture = Figure("figure4.png", "Training loss. Mean over seeds", b"png")
    whole = replace(part(), figures=(picture,))
    html = MarkdownIt("commonmark").enable("table").render(text_of(whole))
    # overview, what claims could tell, claims, leaderboard, in print, cost
    assert html.count("<table>") == 6
    assert '<img src="reproduce/figure4.png" alt="Training loss"' in html
    assert "Drawings | stand" in html


def test_a_claim_that_names_no_printed_number_has_none() -> None:
    text = text_of(part(claims=[{k: v for k, v in CLAIM.items() if k != "printed"}]))
    (row,) = [line for line in text.splitlines() if line.startswith("| Texts are above")]
    assert row.split("|")[2].strip() == ""
