"""Take over the Records of a task from before keys held the bytes of the data.

Their keys hold names and sizes of the data. Whoever runs this says that the data have not changed
since. Each Record is copied to the key that its cell has now, with its arrays and saved weights,
and names the key that it was computed under; the earlier one stays.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

HELP = "take over Records from before keys held the bytes of the data"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_task_arguments

    add_task_arguments(parser)


def run(args: Namespace) -> int:
    from harness.commands._studies import plan_of, study_of

    study = study_of(args, args.task)
    plan_of(study)
    adopted, name = study.adopt(), study.task.name
    if adopted.records:
        print(f"{name}: {_records(adopted.records)} taken over")
    elif not adopted.of_other_samples:
        print(
            f"{name}: nothing to take over: no cell without a Record in {args.runs} has one under "
            "a size-based key"
        )
    if adopted.of_other_samples:
        print(
            f"{name}: {_records(len(adopted.of_other_samples))} not taken over, as the cell would "
            f"be trained or tested on other samples now: {', '.join(adopted.of_other_samples)}"
        )
    return 0


def _records(number: int) -> str:
    return "1 Record was" if number == 1 else f"{number} Records were"
