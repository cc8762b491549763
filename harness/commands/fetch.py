"""Download the weights and data of a task into the caches of this machine.

Run it on a machine with network access (a login node); jobs then run offline.

--convert FILE writes the weights of a TorchScript archive, as OpenAI published CLIP, to
safetensors. No other command reads such a file, because it holds code.
"""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.core.cells import Choice
    from harness.core.protocols.encoder import EncoderPlugin
    from harness.plan.catalogue import Chosen
    from harness.task.schema import Task

HELP = "download the weights and data of a task, for machines without network"


def add_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("task", nargs="?", help="a YAML file, or the name of one in tasks/")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="as in encoder=hf_clip:X")
    parser.add_argument(
        "--convert", type=Path, metavar="FILE",
        help="in place of a task: write an archive of OpenAI's CLIP as safetensors",
    )  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="FILE", help="where --convert writes")
    parser.add_argument(
        "--sha256", metavar="HEX",
        help="the digest of another archive that you trust, for --convert",
    )  # fmt: skip


def run(args: Namespace) -> int:
    from harness.core.errors import BadInput

    if (args.task is None) == (args.convert is None):
        raise BadInput("fetch takes a task, or --convert FILE")
    if args.convert is not None:
        return _convert(args.convert, args.out, args.sha256)
    if args.out is not None or args.sha256 is not None:
        raise BadInput("--out and --sha256 belong to --convert FILE")
    return _fetch(args)


def _convert(file: Path, out: Path | None, sha256: str | None) -> int:
    from harness.commands._messages import say
    from harness.encoders._torchscript import convert

    written, arch = convert(file.expanduser(), out, sha256)
    say(f"wrote {written}: write encoder: open_clip:{arch or 'ARCH'}@{written}")
    return 0


def _fetch(args: Namespace) -> int:
    from harness.commands._messages import say
    from harness.core.protocols.dataset import DatasetPlugin
    from harness.core.protocols.encoder import EncoderPlugin
    from harness.plan.catalogue import Catalogue
    from harness.task import library
    from harness.task.read import read_task

    task = read_task(library.task_file(args.task), args.overrides)
    catalogue = Catalogue()
    for kind, choice in _named(task, str(args.task)):
        if kind == "encoder":
            encoder = catalogue.chosen(EncoderPlugin, choice)
            if _is_present(encoder):
                say(f"{kind} {choice}: already present")
                continue
            say(f"{kind} {choice}: fetching")
            encoder.plugin.fetch(encoder.argument, encoder.options)
            encoder.plugin.facts(encoder.argument, encoder.options)  # raises if it is still missing
        else:
            dataset = catalogue.chosen(DatasetPlugin, choice)
            say(f"{kind} {choice}: fetching")
            if not dataset.plugin.fetch(dataset.argument, dataset.options):
                say(f"{kind} {choice}: nothing to fetch")
    return 0


def _named(task: Task, where: str) -> Iterator[tuple[str, Choice]]:
    """Datasets and encoders of the task's cells, each once."""
    from harness.task.grid import expand

    once: dict[tuple[str, Choice], None] = {}
    for cell in expand(task, where):
        for kind, choice in (
            ("dataset", cell.dataset),
            ("dataset", cell.test_dataset),
            ("encoder", cell.encoder),
            ("encoder", cell.text_encoder),
        ):
            if choice is not None:
                once.setdefault((kind, choice))
    yield from once


def _is_present(encoder: Chosen[EncoderPlugin]) -> bool:
    """Whether the weights of the encoder are present."""
    from harness.core.errors import EncoderError

    try:
        encoder.plugin.facts(encoder.argument, encoder.options)
    except EncoderError:
        return False
    return True
