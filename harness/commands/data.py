"""Check a dataset before it is used: layout, counts and whether its files can be read.

NAME is kinetics400, ucf101, hmdb51 or imagenet, and PATH its folder; its counts are compared with
the official ones. Or NAME is a dataset as in a task (`folder:flowers`, `{name: video:ucf101, split:
2}`), without PATH. Every file is read completely (--sample N: only N of them), and those with the
same content are found in training and test, and under two classes. With --against LISTS (a folder
or a file) CoOp's draws of coop:ROOT/DATASET are compared with published few-shot lists instead, and
no file is read: shot_K-seed_S.json, shot_K-seed_S_train.jsonl. Exit code 0: no problems; 1:
problems were found; 2: a study cannot open the dataset.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.core.cells import Choice
    from harness.core.protocols.dataset import Dataset
    from harness.data._official import Count

HELP = "check the layout, counts and files of a dataset"


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_json_argument

    parser.add_argument("what", choices=("check",))
    parser.add_argument("name", metavar="NAME", help="ucf101, ... or a name as in a task")
    parser.add_argument("path", metavar="PATH", nargs="?", help="the folder of ucf101, ...")
    parser.add_argument("--split", type=int, choices=(1, 2, 3), default=1,
                        help="of ucf101 and hmdb51")  # fmt: skip
    parser.add_argument("--sample", type=_not_negative, metavar="N",
                        help="read only N files (0: none), not all")  # fmt: skip
    parser.add_argument("--against", metavar="LISTS",
                        help="compare CoOp's draws with published few-shot lists")  # fmt: skip
    add_json_argument(parser)


def _not_negative(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def run(args: Namespace) -> int:
    import json

    from harness.commands._against import compare_with_lists
    from harness.commands._progress import Progress
    from harness.commands._read_items import read_items
    from harness.core.problems import and_more
    from harness.core.progress import shown_by
    from harness.data._official import count, differences, official, without_items

    known = official().get(args.name)
    choice = _choice(args)
    if args.against is not None:
        return compare_with_lists(args.name, choice, args.against, as_json=args.json)
    with Progress(first_seconds=1.0) as progress, shown_by(progress.update):
        data, missing = _open(choice)
    counts = count(data, missing)
    problems, remarks = differences(counts, known, args.split) if known else ([], [])
    problems = [*data.problems, *problems, *without_items(counts)]
    if missing:
        text = f"{len(missing)} listed files are missing: {and_more(missing)}"
        (remarks if known and known["loses_items"] else problems).append(text)
    with Progress() as progress:
        read = read_items(data, missing, args.sample, partial(progress.update, "read"))
    if read.unreadable:
        problems.append(f"{len(read.unreadable)} of {read.files} sampled files cannot be read")
    problems += read.overlaps()
    document = {
        "name": args.name, "dataset": choice.plain(), "source": known["source"] if known else None,
        "classes": len(data.classes), "splits": {use: c.plain() for use, c in counts.items()},
        "sampled": read.files, "not_checked": read.not_checked, "unreadable": read.unreadable,
        "overlap": read.plain(),
        "problems": problems, "remarks": remarks, "notes": list(data.notes),
    }  # fmt: skip
    if args.json:
        print(json.dumps(document, indent=1, ensure_ascii=False))
    else:
        _print(document, counts)
    return 2 if data.problems else 1 if problems else 0


def _choice(args: Namespace) -> Choice:
    """Raises BadInput for a missing PATH, and for a PATH that is not allowed."""
    from harness.commands._dataset import dataset_choice
    from harness.core.cells import Choice
    from harness.core.errors import BadInput, did_you_mean, nearest
    from harness.data._official import official

    known = official()
    if args.name not in known:
        if args.path is None:
            return dataset_choice(args.name, "NAME")
        raise BadInput(
            f"data check: '{args.name}' takes no PATH; with one, NAME is one of {', '.join(known)}"
            + did_you_mean(nearest(args.name, known))
        )
    if args.path is None:
        raise BadInput(f"data check {args.name}: PATH is missing: the folder of the dataset")
    path = Path(args.path)
    if args.name == "imagenet":
        if (path / "classnames.txt").is_file():
            return Choice("coop:" + str(path.parent or "."), (("dataset", path.name),))
        tested = "test" if (path / "test").is_dir() else "val"
        return Choice(f"folder:{path}", (("test", tested),))
    if args.name == "kinetics400":
        return Choice(f"video:{path}")
    return Choice(f"video:{path}", (("format", args.name), ("split", args.split)))


def _open(choice: Choice) -> tuple[Dataset, Sequence[str]]:
    """The dataset, and its listed items that are missing."""
    from harness.core.protocols.dataset import DatasetPlugin
    from harness.plan.catalogue import Catalogue, complete_dataset

    chosen = Catalogue().chosen(DatasetPlugin, choice)
    data, missing = chosen.plugin.open_incomplete(chosen.argument, chosen.options)
    return complete_dataset(data, choice), missing


def _print(document: Mapping[str, Any], counts: Mapping[str, Count]) -> None:
    from harness.core.problems import MOST

    print(f"{document['name']}: {document['classes']} classes")
    for use, items in counts.items():
        if not items.listed:
            continue
        few, many = min(items.per_class.values()), max(items.per_class.values())
        missing = f", {items.missing} listed files are missing" if items.missing else ""
        print(f"  {use}: {items.there} items, {few} to {many} per class{missing}")
    unreadable = document["unreadable"]
    others = document["not_checked"]
    print(
        f"  read: {document['sampled']} sampled files, {len(unreadable)} cannot be read"
        + (f"; {others} others were not checked" if others else "")
    )
    for reason in list(unreadable.values())[:MOST]:
        print(f"    {reason}")
    if len(unreadable) > MOST:
        print(f"    ... and {len(unreadable) - MOST} more")
    if document["source"]:
        print(f"  official counts: {document['source']}")
    for kind in ("notes", "remarks", "problems"):
        for text in document[kind]:
            print(f"{kind[:-1]}: {text}")
    print("problems were found" if document["problems"] else "no problems were found")
