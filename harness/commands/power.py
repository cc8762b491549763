"""Show what the undecided pairs of a task need: seeds, items, and what the seeds would cost.

The pairs and their level are those of the family that the task declares. --difference names the
difference that matters, in points; without it that is the task's report.margin, and without that
the difference that each pair has now, which may be chance.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from harness.report.model.needs import Needs
    from harness.report.model.needs_of_means import MeanNeed

HELP = "show how many seeds and items the undecided pairs of a task need, and their cost"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_json_argument, add_task_arguments

    add_task_arguments(parser)
    add_json_argument(parser)
    parser.add_argument(
        "--difference", metavar="POINTS", help="the difference that is to be found, in points"
    )
    parser.add_argument(
        "--power", default="0.8", metavar="SHARE", help="the wanted chance to find it (0.8)"
    )


def run(args: Namespace) -> int:
    import json

    from harness.commands._numbers import number_between
    from harness.commands._studies import plan_of, study_of
    from harness.core.errors import BadInput
    from harness.report.model.needs import needs_of
    from harness.report.model.needs_of_means import needs_of_means
    from harness.report.text.needs import needs_text
    from harness.report.text.needs_of_means import needs_of_means_text

    target = None
    if args.difference is not None:
        target = number_between("--difference", args.difference, 0, 100) / 100
    power = number_between("--power", args.power, 0.05, 1)
    study = study_of(args, args.task, as_run=True)
    plan_of(study)
    table = study.table()
    if not table.pairs:
        raise BadInput(
            f"{study.task.name}: no two rows can be compared yet; run the task, with two rows or "
            "more"
        )
    needs = needs_of(table, target=target, power=power)
    of_means = needs_of_means(table, target=target, power=power)
    if args.json:
        document = _document(needs, study.task.name) | {"means": [_mean(n) for n in of_means]}
        print(json.dumps(document, indent=1))
        return 0
    print(needs_text(needs, study.task.name))
    if table.average is not None:
        print(needs_of_means_text(of_means))
    return 0


def _mean(n: MeanNeed) -> dict[str, Any]:
    fields = ("a", "b", "kind", "difference", "target", "seeds", "units", "noun", "power",
              "seeds_needed", "items_factor", "units_needed", "seconds", "why")  # fmt: skip
    return {"column": n.title, **{name: getattr(n, name) for name in fields},
            "detectable_with_infinite_seeds": n.floor}  # fmt: skip


def _document(needs: Needs, task: str) -> dict[str, Any]:
    return {
        "task": task, "family": needs.family, "m": needs.m, "compared": needs.compared,
        "power": needs.power,
        "undecided": [
            {"column": n.column.label, "draw": n.column.draw, "a": n.a, "b": n.b,
             "difference": n.difference, "target": n.target, "seeds": n.seeds, "items": n.items,
             "groups": n.groups, "power": n.power, "seeds_needed": n.seeds_needed,
             "items_needed": n.items_needed, "groups_needed": n.groups_needed,
             "detectable_with_infinite_seeds": n.floor, "seconds": n.seconds, "why": n.why}
            for n in needs.of
        ],
    }  # fmt: skip
