"""Check a data set before it is used: layout, counts and whether its files can be read.

NAME is kinetics400, ucf101, hmdb51 or imagenet, with the folder that holds it; its counts are then
compared with the official ones. Or NAME is a data set as a task names it (`folder:flowers`,
`{name: video:ucf101, split: 2}`), without a PATH. A sample of the files is read whole; --sample
says how many. Exit code 0: all is well; 1: problems were found; 2: it cannot be opened at all.
"""

from __future__ import annotations

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from harness.core.cells import Choice
    from harness.core.protocols.dataset import Dataset
    from harness.data._official import Count

HELP = "check the layout, counts and files of a data set"
SAMPLE = 100


def add_arguments(parser: ArgumentParser) -> None:
    from harness.commands._arguments import add_json_argument

    parser.add_argument("what", choices=("check",))
    parser.add_argument("name", metavar="NAME", help="ucf101, ... or as a task names it")
    parser.add_argument("path", metavar="PATH", nargs="?", help="the folder of ucf101, ...")
    parser.add_argument("--split", type=int, choices=(1, 2, 3), default=1,
                        help="of ucf101 and hmdb51")  # fmt: skip
    parser.add_argument("--sample", type=_not_negative, default=SAMPLE, metavar="N",
                        help=f"files to read ({SAMPLE}; 0: none)")  # fmt: skip
    add_json_argument(parser)


def _not_negative(text: str) -> int:
    if not text.isdecimal():
        raise ArgumentTypeError(f"'{text}' is not a whole number")
    return int(text)


def run(args: Namespace) -> int:
    import json

    from harness.data._official import count, differences, official, without_items

    known = official().get(args.name)
    choice = _choice(args)
    data, missing = _open(choice)
    counts = count(data, missing)
    problems, remarks = differences(counts, known, args.split) if known else ([], [])
    problems += without_items(counts)
    if missing:
        told = f"{len(missing)} listed files are not there: {', '.join(missing[:5])}"
        (remarks if known and known["loses_items"] else problems).append(told)
    sampled, unreadable = _sample(data, missing, args.sample)
    if unreadable:
        problems.append(f"{len(unreadable)} of {len(sampled)} sampled files cannot be read")
    found = {
        "name": args.name, "dataset": choice.plain(), "source": known["source"] if known else None,
        "classes": len(data.classes), "splits": {use: c.plain() for use, c in counts.items()},
        "sampled": len(sampled), "unreadable": unreadable,
        "problems": problems, "remarks": remarks, "notes": list(data.notes),
    }  # fmt: skip
    if args.json:
        print(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        _tell(found, counts)
    return 1 if problems else 0


def _choice(args: Namespace) -> Choice:
    """Raises BadInput: a path too many or too few."""
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
        raise BadInput(f"data check {args.name}: PATH is missing, the folder that holds it")
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
    """The data set, and what of it is listed and not there."""
    from harness.core.protocols.dataset import DatasetPlugin
    from harness.plan.catalogue import Catalogue, complete_dataset

    chosen = Catalogue().chosen(DatasetPlugin, choice)
    data, missing = chosen.plugin.open_incomplete(chosen.argument, chosen.options)
    return complete_dataset(data, choice), missing


def _sample(
    data: Dataset, missing: Sequence[str], size: int
) -> tuple[Sequence[str], dict[str, str]]:
    """Items that were read whole, and why some cannot be."""
    from harness.core.seeding import numpy_stream
    from harness.data._scan import unreadable

    gone = set(missing)
    items = [item for item in (*data.train.ids, *data.test.ids) if item not in gone]
    drawn = numpy_stream(0, "data check").permutation(len(items))[:size]
    sampled = [items[i] for i in sorted(drawn.tolist())]
    found, _ = unreadable(data.read_whole, sampled)
    return sampled, found


def _tell(found: Mapping[str, Any], counts: Mapping[str, Count]) -> None:
    print(f"{found['name']}: {found['classes']} classes")
    for use, seen in counts.items():
        if not seen.listed:
            continue
        few, many = min(seen.per_class.values()), max(seen.per_class.values())
        missing = f", {seen.missing} listed files not there" if seen.missing else ""
        print(f"  {use}: {seen.there} items, {few} to {many} a class{missing}")
    print(f"  read: {found['sampled']} sampled files, {len(found['unreadable'])} cannot be read")
    for reason in list(found["unreadable"].values())[:5]:
        print(f"    {reason}")
    if found["source"]:
        print(f"  official counts: {found['source']}")
    for kind in ("notes", "remarks", "problems"):
        for text in found[kind]:
            print(f"{kind[:-1]}: {text}")
    print("problems were found" if found["problems"] else "all is well")
