"""Pages of tables of the paper say that the page of all claims has a larger family."""

from __future__ import annotations

from typing import Any

import pytest

from harness.report.model.table import build_table
from harness.report.render.markdown import body
from harness.report.text.beside_claims import beside_claims

from ..studies import few_shot

CLAIM = {"text": "x", "a": "text", "b": "random", "direction": ">"}


@pytest.mark.parametrize(
    ("task", "differs"),
    [
        ({"name": "table03_embedded", "claims": [CLAIM]}, True),
        ({"name": "table03", "claims": [CLAIM]}, True),
        ({"name": "table03_embedded", "claims": [CLAIM], "seeds": 3}, False),
        ({"name": "tableA1_source_embedded"}, False),
        ({"claims": [CLAIM]}, False),
        ({}, False),
    ],
)
def test_only_pages_that_are_on_it_and_have_verdicts(task: dict[str, Any], differs: bool) -> None:
    results = few_shot(task=task)
    table = build_table(results)
    text = beside_claims(table)
    assert bool(text) == differs
    assert ("corrects over the claims of all tables" in body(results, table, [], [])) == differs
