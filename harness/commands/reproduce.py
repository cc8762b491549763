"""Run all tables and figures of the paper, and write one page on which of its claims hold.

Without --full their variants on embedded data are run, which takes minutes on two cores.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from harness.core.cells import Choice
    from harness.report.model.figure import Figure
    from harness.report.model.paper import CostLine, PaperPart
    from harness.report.model.published import Published
    from harness.report.model.results import Results
    from harness.report.model.table import Table
    from harness.study import Study
    from harness.task.schema import Task

HELP = "run the tables and figures of the paper and say which claims hold"
FOLDER = "paper/"
#: Task -> the task whose saved weights its second row starts from.
SOURCES = {"tableA1": "tableA1_source"}
#: Figures of a task's report that the page shows, for tasks that are figures in the paper.
PICTURES = {
    "figure1": "correlation.png",
    "figureA5": "correlation.png",
    "figure3": "accuracy.png",
    "figure4": "curves.png",
}


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments, add_launch_arguments

    parser.add_argument("tasks", nargs="*", metavar="TASK", help="as in table01 (default: all)")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--embedded", action="store_true", help="on embedded data (the default)")
    which.add_argument("--full", action="store_true", help="the original studies, on your data")
    add_folder_arguments(parser)
    add_launch_arguments(parser)
    parser.add_argument("--retry-failed", action="store_true", help="run failed cells again")


def run(args: Namespace) -> int:
    from harness.commands._messages import say, say_of_index
    from harness.report.model.paper import NOT_TESTABLE

    parts = []
    for name in _chosen(args.tasks):
        say(f"== {name}")
        parts.append(_part(name, args))
    print(_write(parts, args))
    say_of_index(args.reports)
    whole = all(
        part.relation == NOT_TESTABLE or (part.results is not None and _is_done(part.results))
        for part in parts
    )
    return 0 if whole else 1


def _chosen(names: Sequence[str]) -> list[str]:
    """Tasks of tasks/paper/ in the order of the paper: tables before figures, the appendix last.

    Raises UnknownName for any other name.
    """
    from harness.core.errors import UnknownName
    from harness.task import library

    tasks = [n.removeprefix(FOLDER) for n in library.tasks() if n.startswith(FOLDER)]
    known = [n for n in tasks if n not in SOURCES.values()]
    known.sort(key=lambda n: ("A" in n, n.startswith("figure"), n))
    wanted = [n.removeprefix(FOLDER) for n in names]
    for name in wanted:
        if name not in known:
            raise UnknownName("table or figure", name, known)
    return [n for n in known if not wanted or n in wanted]


def _part(name: str, args: Namespace) -> PaperPart:
    """Run one table or figure. If it cannot run, the page gives the reason; the others continue."""
    from harness.commands._messages import say
    from harness.core.errors import BadInput
    from harness.report.model.paper import PaperPart
    from harness.report.model.published import read_published
    from harness.report.model.table import build_table
    from harness.task import library
    from harness.task.read import read_task

    task = read_task(library.task_file(FOLDER + name))
    published = tuple(n for file in task.report.published for n in read_published(file))
    if task.embedded is not None and task.embedded.relation == "not_testable" and not args.full:
        costs = _costs([task], published)
        return PaperPart(task, why_not=task.embedded.why, published=published, costs=costs)
    try:
        study = _run(name, args)
    except BadInput as error:
        say(f"error: {error}")
        return PaperPart(task, why_not=str(error), published=published)
    table = build_table(study)
    costs = _costs([task, study.task], published)
    return PaperPart(study.task, study, table, "", published, costs, _pictures(name, study, table))


def _run(name: str, args: Namespace) -> Results:
    """Run a task as `grid` does, with its own report.

    Raises BadInput if it cannot run.
    """
    overrides: list[str] = []
    if name in SOURCES:
        source = _study(SOURCES[name], [], args)
        init = f"{source.task.name}#{source.plan().cells[0].train_key}"
        overrides = [f"include=[{{init: {init}}}]"]
    return _study(name, overrides, args).results()


def _study(name: str, overrides: list[str], args: Namespace) -> Study:
    """Run a study, or submit it, and write its report.

    Raises BadInput if it cannot run.
    """
    from harness.commands._messages import say
    from harness.commands._progress import Progress, progress_events
    from harness.commands._studies import launch_options, plan_of
    from harness.core.words import plural
    from harness.study import open_study

    study = open_study(
        FOLDER + name, runs=args.runs, reports=args.reports, embedded=not args.full,
        overrides=overrides,
    )  # fmt: skip
    missing = plan_of(study).missing()
    say(f"{study.task.name}: {plural(len(study.plan().cells), 'cell')}, {len(missing)} to run")
    with Progress() as progress:
        study.run(
            launch=args.launch,
            options=launch_options(args),
            events=progress_events(progress, missing),
            retry_failed=args.retry_failed,
        )
    for resolved in study.plan().failed():
        record = study.record(resolved)
        say(f"failed {resolved.key}: {record.error if record else 'no Record'}")
    study.report()
    return study


def _is_done(study: Results) -> bool:
    return all(r.record is not None and r.record.status == "done" for r in study.results)


def _pictures(name: str, study: Results, table: Table) -> tuple[Figure, ...]:
    """The counterpart of a figure of the paper, named after the task."""
    from dataclasses import replace

    from harness.report.render.figures import draw

    if name not in PICTURES:
        return ()
    return tuple(
        replace(figure, name=f"{name}.png")
        for figure in draw(study, table)
        if figure.name == PICTURES[name]
    )


def _costs(tasks: Sequence[Task], published: Sequence[Published]) -> tuple[CostLine, ...]:
    """The costs of the paper's encoders and of their replacements, if the paper prints costs."""
    if not any(number.column.startswith("FLOPs") for number in published):
        return ()
    named = {(choice, (task.frames or [1])[0]): task for task in tasks for choice in task.encoder}
    return tuple(_cost(choice, frames, task) for (choice, frames), task in named.items())


def _cost(choice: Choice, frames: int, task: Task) -> CostLine:
    """The cost of one encoder for the frames of a clip, with the task's temporal module."""
    from harness.report.model.paper import CostLine
    from harness.run.costs import clip_cost_of

    over_time = any(temporal.name == "t_trans" for temporal in task.temporal)
    cost = clip_cost_of(choice, frames, t_trans=over_time)
    return CostLine(str(choice), frames, cost.macs_paper, cost.macs, cost.params_paper, cost.params)


def _write(parts: list[PaperPart], args: Namespace) -> Path:
    """Write the page as Markdown and HTML, its figures, and the index of the reports.

    Raises OutputError or DiskFull.
    """
    import shlex

    from harness.core.store import writable
    from harness.report.model.published import read_published
    from harness.report.render import html
    from harness.report.render.reproduce import NAME, page
    from harness.report.render.write import write_files, write_index
    from harness.report.text.details import details
    from harness.task.declared import declaration

    folder: Path = args.reports
    writable(folder)
    words = ["python", "-m", "harness", NAME, *args.tasks, *(["--full"] if args.full else [])]
    text = page(parts, read_published("text4vis"), shlex.join(words), declaration())
    figures = [figure for part in parts for figure in part.figures]
    of_entries = [details(part.table) for part in parts if part.table is not None]
    # Figures first, so that a page never links to a missing one.
    contents = {folder / NAME / figure.name: figure.png for figure in figures}
    contents[folder / f"{NAME}.md"] = text.encode()
    contents[folder / f"{NAME}.html"] = html.page(text, NAME, figures, of_entries).encode()
    write_files(contents)
    write_index(folder)
    return folder / f"{NAME}.md"
