"""Cancel the jobs of a task that wait or run on a SLURM cluster; Records stay."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "cancel the jobs of a task on a cluster"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_folder_arguments

    parser.add_argument("task", help="a YAML file or a name")
    parser.add_argument("overrides", nargs="*", metavar="key=value")
    add_folder_arguments(parser)


def run(args: Namespace) -> int:
    from harness.commands._session import open_session
    from harness.launch.slurm import queue
    from harness.launch.slurm.inflight import look

    session = open_session(args, as_run=not args.overrides)
    flights = look(session.store, (p.key for p in session.plan.cells))
    if flights.problem is not None:
        raise queue.QueueError(flights.problem)
    own = {k: f for k, f in flights.of.items() if f.pack.task_name == session.task.name}
    live = {f.job.id for f in own.values() if f.job.live}
    left = [k for k, f in own.items() if f.job.live and not f.pack.is_over(k, session.store)]
    queue.cancel(sorted(live))
    print(f"{session.task.name}: cancelled {len(live)} jobs with {len(left)} unfinished cells")
    return 0
