"""The paper's claims as a Markdown table."""

from __future__ import annotations

import re
from typing import Any

import pytest

from harness.report.model.claims import adjust_page, judge
from harness.report.model.published import read_published
from harness.report.model.table import build_table
from harness.report.render.claim_table import claim_table

from ..studies import few_shot

PAPER = read_published("text4vis")
CLAIM: dict[str, Any] = {
    "text": "Texts are above a random matrix.",
    "table": "Table 1",
    "printed": [["Textual encoder of CLIP", "Top-1"], ["Random normal matrix", "Top-1"]],
    "a": "text",
    "b": "random",
    "direction": ">",
}


def lines_of(*claims: dict[str, Any], **options: Any) -> list[list[str]]:
    results = few_shot(task={"shots": 1, "claims": list(claims)}, **options)
    (judged,) = adjust_page([judge(results, build_table(results))])
    text = claim_table(judged, PAPER)
    rows = [line for line in text.splitlines() if line.startswith("| ")][2:]
    return [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]


def test_a_claim_is_beside_the_paper_and_the_result() -> None:
    (cells,) = lines_of(CLAIM)
    assert cells[1] == "81.52 and 59.30"
    assert cells[2] == "1 shot"
    assert re.fullmatch(r"text: \d\d\.\d; random: \d\d\.\d", cells[3])
    assert float(cells[5]) > 0
    assert cells[7:] == ["**supported**"]


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({"a": "random", "b": "text"}, "**contradicted**"),
        ({"direction": "=", "margin": 2}, "**contradicted** (margin 2)"),
        ({"a": "orthogonal", "b": "random", "direction": "=", "margin": 20},
         "**equivalent** (margin 20)"),
        ({"a": "orthogonal", "direction": "=", "b": "random"}, "**undecided**"),
        ({"a": "orthogonal", "b": "random"}, "**undecided**"),
        ({"a": "lda"}, "**not tested**"),
    ],
)  # fmt: skip
def test_a_verdict_needs_evidence(change: dict[str, Any], verdict: str) -> None:
    (found,) = lines_of(CLAIM | change)
    assert found[7:] == [verdict]


def test_losses_are_printed_as_they_are() -> None:
    claim = CLAIM | {"a": "vision_only", "b": "text", "measure": "loss", "printed": []}

    def curve(cell: Any) -> list[float]:
        return [2.0 + 0.001 * cell.seed, 1.0] if cell.classifier is None else [1.5, 1.0]

    (cells,) = lines_of(claim, curve=curve)
    assert cells[1] == ""
    assert re.match(r"vision_only: 1\.501\d*; text: 1\.250", cells[3])
    assert cells[5] == ""
    assert cells[4].startswith("+0.251")


def test_a_claim_of_equality_says_which_p_it_has_and_the_margin_it_could_show() -> None:
    equal = CLAIM | {"direction": "=", "margin": 2}
    beyond, inside, above = lines_of(
        equal, equal | {"a": "orthogonal", "margin": 20}, CLAIM | {"a": "orthogonal"}
    )
    assert beyond[6].endswith(" (beyond)")
    assert inside[6].endswith(" (inside)")
    assert "(" not in above[6]
    assert [cells[5].startswith("margin ") for cells in (beyond, inside, above)] == [
        True, True, False,
    ]  # fmt: skip


def test_a_row_with_more_seeds_than_the_pair_is_named() -> None:
    """Its mean is over all of its seeds, the difference over the common ones."""
    include = [{"classifier": "random", "seeds": 6}]
    claim = CLAIM | {"printed": []}
    results = few_shot(
        task={"shots": 1, "claims": [claim], "classifier": "text", "seeds": 8, "include": include}
    )
    (judged,) = adjust_page([judge(results, build_table(results))])
    assert claim_table(judged, PAPER).endswith(
        "\n\n- Differences of random are over its 6 seeds, and the mean of text over 8 seeds: they "
        "are not differences of the means of the rows."
    )


def test_no_claims_no_table() -> None:
    assert claim_table([], PAPER) == ""
