"""A dataset on the command line, named as in a task."""

from __future__ import annotations

from harness.core.cells import Choice
from harness.core.errors import BadInput


def dataset_choice(text: str, flag: str) -> Choice:
    """`video:clips` or `{name: video:clips, split: 2}`.

    Raises BadInput if it is neither.
    """
    from pydantic import TypeAdapter, ValidationError

    from harness.task.schema_types import Named
    from harness.task.yaml_reader import parse

    try:
        # A plain name is not parsed as YAML: `folder:a: b` would become a mapping.
        value = parse(text, flag) if text.lstrip().startswith("{") else text
        choice: Choice = TypeAdapter(Named).validate_python(value)
    except ValidationError as error:
        problem = error.errors()[0]["msg"].removeprefix("Value error, ")
        raise BadInput(f"{flag}: {text!r} {problem}") from error
    return choice
