"""Sentences on each class from a file, averaged, as CuPL and DCLIP do.

{name: descriptions, file: flowers.json}. The file is JSON, {class: [sentences]}, with at least one
sentence for every class that a cell trains or tests. A class is the mean of the normalised
embeddings of its sentences, as they are: the class name is not added.
"""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.core.errors import BadInput
from harness.prompts._sentences import read_sentences

#: Most classes without sentences that a message names.
MOST_NAMED = 20


class Options(BaseModel):
    """file: the JSON file of the sentences, {class: [sentences]}."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: str = Field(min_length=1)

    @field_validator("file")
    @classmethod
    def _is_read(cls, file: str) -> str:
        read_sentences(file)  # its errors belong to the option
        return file


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """The sentences of every class. Raises BadInput for classes that the file does not have."""
    sentences = read_sentences(options.file)
    missing = [name for name in names if name not in sentences]
    if missing:
        raise BadInput(_missing(options.file, missing, len(names)))
    return [list(sentences[name]) for name in names]


def _missing(file: str, missing: Sequence[str], n_classes: int) -> str:
    more = f" and {len(missing) - MOST_NAMED} more" if len(missing) > MOST_NAMED else ""
    named = ", ".join(f"'{name}'" for name in missing[:MOST_NAMED])
    return f"{file} has no sentence on {len(missing)} of the {n_classes} classes: {named}{more}"
