"""Rebuild the saved artefacts of the embedded default from the installed packages.

emoji-motion-videos writes the clips of emoji_motion as files to the folder --out, in lossless h264
(mp4), with the lists that `video:FOLDER` reads.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from pathlib import Path

HELP = "rebuild the emoji class split, the LiT layer or videos of moving emoji"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what", choices=("emoji-split", "lit-emoji", "emoji-motion-objects", "emoji-motion-videos")
    )
    parser.add_argument("--out", type=Path, required=True, metavar="PATH")
    parser.add_argument(
        "--dataset", default="emoji_motion", metavar="NAME",
        help="for emoji-motion-videos, as in '{name: emoji_motion, objects: 2}'",
    )  # fmt: skip


def run(args: Namespace) -> int:
    from harness.commands._messages import say
    from harness.core.store import writable

    writable(args.out.parent)
    make: dict[str, Callable[[Path], None]] = {
        "emoji-split": _emoji_split,
        "lit-emoji": _lit_emoji,
        "emoji-motion-objects": _emoji_motion_objects,
        "emoji-motion-videos": lambda out: _emoji_motion_videos(out, args.dataset),
    }
    make[args.what](args.out)
    say(f"wrote {args.out}")
    return 0


def _emoji_split(out: Path) -> None:
    import json

    from harness.core.files import write_atomically
    from harness.data.emoji import make_split

    split = make_split()
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in split["classes"])
    head = f'{{"seed": {split["seed"]}, "sha256": "{split["sha256"]}", "classes": [\n'
    write_atomically(out, lambda f: f.write(f"{head}{rows}\n]}}\n".encode()))


def _lit_emoji(out: Path) -> None:
    from harness.commands._messages import say
    from harness.commands._progress import Progress
    from harness.run.lit_emoji import rebuild_lit_emoji

    with Progress() as progress:
        measures = rebuild_lit_emoji(out, lambda d, n: progress.update("pictures", d, n))
    say(f"zero-shot top-1 on the development classes: {100 * measures['development_top1']:.1f}")


def _emoji_motion_objects(out: Path) -> None:
    import json

    from harness.core.files import write_atomically
    from harness.data.emoji_motion import usable_objects

    rows = ",\n".join(json.dumps(name, ensure_ascii=False) for name in usable_objects())
    write_atomically(out, lambda f: f.write(f"[\n{rows}\n]\n".encode()))


def _emoji_motion_videos(out: Path, dataset: str) -> None:
    from harness.commands._dataset import dataset_choice
    from harness.commands._messages import say
    from harness.commands._progress import Progress
    from harness.core.errors import BadInput
    from harness.data import emoji_motion
    from harness.data._video_writer import write_clips
    from harness.plan.catalogue import Catalogue

    choice = dataset_choice(dataset, "--dataset")
    chosen = Catalogue().dataset_plugin(choice)
    if choice.name != "emoji_motion":
        raise BadInput(f"--dataset: {dataset} is not emoji_motion")
    data = emoji_motion.open_dataset(chosen.argument, chosen.options)
    with Progress() as progress:
        count = write_clips(data, out, lambda d, n: progress.update("videos", d, n))
    say(f"{count} videos of {len(data.classes)} classes")
