"""Templates: their placeholder for the class name, and files of templates."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.text_files import lines_of, read_text


def with_placeholder(template: str) -> str:
    """The template itself. ValueError unless it has one {} where the class name goes."""
    if template.count("{}") != 1:
        raise ValueError(f"the template {template!r} needs one {{}} where the class name goes")
    return template


def fill(templates: Sequence[str], names: Sequence[str]) -> list[list[str]]:
    """For every name all templates, with the name in place of {}."""
    # Not str.format: a template may hold other braces.
    return [[template.replace("{}", name) for template in templates] for name in names]


@cache
def read_templates(file: str) -> tuple[str, ...]:
    """The templates of a file, one a line; a line that begins with # is a comment.

    `file` is the path of a file, or the name of one beside this module. It is read once, so that
    training reads the templates that are in the key, whatever becomes of the file meanwhile.

    Raises ValueError for a file that is missing, unreadable, empty or without the {}.
    """
    folder = Path(__file__).parent
    known = sorted(path.stem for path in folder.glob("*.txt"))
    path = folder / f"{file}.txt" if file in known else Path(file)
    if not path.exists():
        raise ValueError(
            f"there is no file {file}; known by name: {', '.join(known)}"
            + did_you_mean(nearest(file, known))
        )
    try:
        lines = lines_of(read_text(path))
    except DataError as error:
        raise ValueError(str(error)) from error
    templates = [line for line in lines if line and not line.startswith("#")]
    if not templates:
        raise ValueError(f"{file} holds no templates")
    return tuple(with_placeholder(template) for template in templates)
