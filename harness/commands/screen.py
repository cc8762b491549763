"""Rank initial classifiers before training, by cheap measures of W on the support set.

Every cell's W is made as a run would make it, and measured on the cell's validation samples, or
else on its support set; never on the test set. Where cells have run, the rank correlation of every
measure with their accuracy is shown too. With --held-out the measure that agrees best with the
outcomes of the first studies is chosen, and its agreement is shown on studies that had no part in
the choice. Pages, csv files and a scatter plot are written to the reports folder.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from harness.core.protocols.screen import Screen
    from harness.report.model.screening import Screening

HELP = "rank initial classifiers before training, by cheap measures"
#: The order of the rows where --by does not say another: the measure that reports/screen.md chose.
BY = "zero_shot"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import (
        add_embedded_argument,
        add_folder_arguments,
        add_json_argument,
    )

    parser.add_argument("tasks", nargs="+", metavar="TASK", help="YAML files or names of tasks")
    parser.add_argument(
        "--held-out", nargs="+", default=[], metavar="TASK",
        help="studies on which the measure is judged that was chosen on the others",
    )  # fmt: skip
    parser.add_argument("--by", default=BY, metavar="MEASURE", help=f"order of the rows ({BY})")
    parser.add_argument(
        "--measure", action="append", default=[], metavar="NAME",
        help="a measure of your own, as package.module:object",
    )  # fmt: skip
    add_embedded_argument(parser)
    add_folder_arguments(parser)
    add_json_argument(parser)


def run(args: Namespace) -> int:
    import json

    from harness.core.errors import UnknownName
    from harness.core.store import writable
    from harness.report.model.screening import best_screen
    from harness.report.render.screen_page import document
    from harness.run.plugins import screen_plugins

    _sort_words(args)
    screens = screen_plugins(args.measure)
    if args.by not in screens:
        raise UnknownName("measure of classifiers", args.by, screens)
    writable(args.reports)
    studies, held_out = (_screenings(args, tasks, screens) for tasks in (args.tasks, args.held_out))
    chosen = best_screen(studies) if held_out else None
    _check_outcomes(args, studies, held_out, chosen)
    pages = _write(args, studies, held_out, chosen)
    if args.json:
        shown = {
            "chosen": chosen,
            "studies": [document(s, args.by) for s in studies],
            "held_out": [document(s, args.by) for s in held_out],
        }
        print(json.dumps(shown, indent=1))
    else:
        print("\n".join(str(page) for page in pages))
    return 0


def _sort_words(args: Namespace) -> None:
    """Words of the form key=value are no tasks. Raises BadInput if nothing else is left."""
    from harness.core.errors import BadInput

    words = [*args.tasks, *args.held_out]
    args.overrides = [*args.overrides, *(w for w in words if "=" in w)]
    args.tasks = [w for w in args.tasks if "=" not in w]
    args.held_out = [w for w in args.held_out if "=" not in w]
    if not args.tasks:
        raise BadInput("screen needs a task: a YAML file, or the name of one in tasks/")


def _screenings(
    args: Namespace, tasks: Sequence[str], screens: Mapping[str, Screen]
) -> list[Screening]:
    from harness.commands._screening import screening_of
    from harness.commands._studies import study_of

    studies = [study_of(args, task, as_run=True) for task in tasks]
    return [screening_of(study, screens) for study in studies]


def _check_outcomes(
    args: Namespace, studies: Sequence[Screening], held_out: Sequence[Screening], chosen: str | None
) -> None:
    """Raises BadInput where --held-out has nothing to choose by, or to be judged by."""
    from harness.core.errors import BadInput

    if not held_out:
        return
    both = {s.task.name for s in studies} & {s.task.name for s in held_out}
    if both:
        raise BadInput(f"--held-out {sorted(both)[0]}: a study cannot be chosen on and held out")
    if chosen is None:
        raise BadInput(
            "--held-out: no measure can be chosen, as the other studies have too few outcomes in "
            "common; run them first"
        )
    for study in held_out:
        if chosen not in study.agreement:
            raise BadInput(
                f"--held-out {study.task.name}: it has too few outcomes to judge {chosen} by; run "
                "it first"
            )


def _write(
    args: Namespace, studies: Sequence[Screening], held_out: Sequence[Screening], chosen: str | None
) -> list[Path]:
    """The page of every study with its csv and figure, and one of all; returns the pages."""
    from harness.report.render.screen_figure import screen_figure
    from harness.report.render.screen_page import screen_csv, screen_page, validation_page
    from harness.report.render.write import write_files, write_index

    contents: dict[Path, bytes] = {}
    pages: list[Path] = []
    typed = [*args.tasks, *args.held_out]
    for study, word in zip((*studies, *held_out), typed, strict=True):
        name, figure = study.task.name, screen_figure(study)
        if figure is not None:
            contents[args.reports / f"{name}_screen" / figure.name] = figure.png
        page = screen_page(study, args.by, figure, _command(args, [word], []))
        contents[args.reports / f"{name}_screen.csv"] = screen_csv(study).encode()
        pages.append(args.reports / f"{name}_screen.md")
        contents[pages[-1]] = page.encode()
    if len(pages) > 1:
        command = _command(args, args.tasks, args.held_out)
        page = validation_page(studies, held_out, chosen, command)
        pages.insert(0, args.reports / "screen.md")
        contents[pages[0]] = page.encode()
    write_files(contents)
    write_index(args.reports)
    return pages


def _command(args: Namespace, tasks: Sequence[str], held_out: Sequence[str]) -> str:
    """What a reader types to get the same."""
    import shlex

    words = ["python", "-m", "harness", "screen", *tasks, *args.overrides]
    words += ["--held-out", *held_out] if held_out else []
    words += [] if args.by == BY else ["--by", args.by]
    words += [word for name in args.measure for word in ("--measure", name)]
    return shlex.join(words + (["--embedded"] if args.embedded else []))
