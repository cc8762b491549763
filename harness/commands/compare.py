"""Compare A with B: two rows of a task, two cells, two runs folders or two csv files.

A row is named by its label, or by a value that only it has, with --task TASK; with report.average
the means over data sets are compared too. A cell is named by
its key, and several seeds of one cell by their keys with commas. Cells of two runs folders are
paired where they are the same; so are lines of two csv files of cells, which have no outcomes of
items: the test is then over seeds alone. What has no partner is named on standard error.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from harness.report.model.compare import Comparison

HELP = "compare two rows of a task, two cells, two runs folders or two csv files"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import (
        add_embedded_argument,
        add_folder_arguments,
        add_json_argument,
    )

    parser.add_argument("a", metavar="A", help="a row, a key, a runs folder or a csv file")
    parser.add_argument("b", metavar="B", help="the same kind of thing")
    parser.add_argument("--task", metavar="TASK", help="the task of two rows")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="changes of the task")
    parser.add_argument(
        "--margin", metavar="POINTS", help="differences of fewer points do not matter"
    )
    add_embedded_argument(parser)
    add_folder_arguments(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.commands._messages import say
    from harness.commands._numbers import number_between
    from harness.commands._sides import sides_of
    from harness.core.errors import BadInput
    from harness.report.model.compare import compare
    from harness.report.text.compared import compared_text

    margin = None
    if args.margin is not None:
        margin = number_between("--margin", args.margin, 0, 100) / 100
    sides = sides_of(args)
    for line in sides.left:
        say(f"not compared: {line}")
    if not sides.pairs:
        raise BadInput(f"nothing of '{args.a}' and '{args.b}' can be paired")
    found = compare(sides.pairs, margin)
    if args.json:
        print(json.dumps(_document(found, sides.kind, sides.left, margin), indent=1))
    else:
        print(compared_text(found))
    return 0


def _document(
    found: Sequence[Comparison], kind: str, left: Sequence[str], margin: float | None
) -> dict[str, Any]:
    fields = ("a", "b", "difference", "low", "high", "p", "p_adjusted", "seeds", "items", "groups",
              "estimand", "test", "note", "level")  # fmt: skip
    return {
        "kind": kind, "m": found[0].m, "margin": margin, "not_compared": list(left),
        "comparisons": [
            {"where": c.where, "mean_a": c.mean_a, "mean_b": c.mean_b,
             **{name: getattr(c.contrast, name) for name in fields}, "over": c.over,
             "verdict": c.verdict}
            for c in found
        ],
    }  # fmt: skip
