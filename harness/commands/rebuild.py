"""Make the saved artefacts of the embedded default again, from the installed packages."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from pathlib import Path

HELP = "make the emoji class split or the LiT layer again"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("what", choices=("emoji-split", "lit-emoji"))
    parser.add_argument("--out", type=Path, required=True, metavar="FILE")


def run(args: Namespace) -> int:
    from harness.commands._session import say
    from harness.store import writable

    writable(args.out.parent)
    if args.what == "emoji-split":
        _emoji_split(args.out)
    else:
        _lit_emoji(args.out)
    say(f"wrote {args.out}")
    return 0


def _emoji_split(out: Path) -> None:
    import json

    from harness.cache import write_atomically
    from harness.data.emoji import make_split

    split = make_split()
    rows = ",\n".join(json.dumps(row, ensure_ascii=False) for row in split["classes"])
    head = f'{{"seed": {split["seed"]}, "sha256": "{split["sha256"]}", "classes": [\n'
    write_atomically(out, lambda f: f.write(f"{head}{rows}\n]}}\n".encode()))


def _lit_emoji(out: Path) -> None:
    from harness.commands._progress import Progress
    from harness.commands._session import say
    from harness.training.align import rebuild_lit_emoji

    with Progress() as progress:
        found = rebuild_lit_emoji(out, lambda d, n: progress.update("pictures", d, n))
    say(f"zero-shot top-1 on the development classes: {100 * found['development_top1']:.1f}")
