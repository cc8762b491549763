"""CoOp's template of each of its eleven data sets (Zhou et al., IJCV 2022; arXiv 2109.01134).

`prompt: coop` takes the template of the task's data set, which is known by the name of its folder:
`coop:ROOT/oxford_pets`, `folder:data/dtd`. `dataset: eurosat` names it where the folder does not.
The folder names of EuroSAT's classes become CoOp's class names ("AnnualCrop" is "Annual Crop
Land").

`imagenet` is how many templates ImageNet has: 1 is CoOp's, 7 those of Tip-Adapter, LP++, GDA and
ProLIP, 8 these and CoOp's (CLAP, TaskRes), 80 those of CLIP's authors. `average` is as in
`templates`: normalised (Tip-Adapter) or plain (CLAP, TaskRes).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, field_validator

from harness.core.errors import did_you_mean, nearest
from harness.prompts._template_texts import fill, read_templates

DATA_FILE = Path(__file__).with_name("coop.json")
IMAGENET = "imagenet"
#: Planning fills the option dataset with the name of the cell's data set.
NAMES_DATASET = True


class Options(BaseModel):
    """dataset: which of CoOp's data sets, by default the task's. imagenet: how many templates
    ImageNet has, 1 | 7 | 8 | 80. average: normalised | plain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    dataset: str | None = None
    imagenet: Literal[1, 7, 8, 80] = 1
    average: Literal["normalised", "plain"] = "normalised"

    @field_validator("dataset")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        return None if name is None else _known_as(name)


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """What a class is averaged over: every template of the data set with the class name."""
    dataset = options.dataset
    if dataset is None:
        raise ValueError("prompt coop: planning has not filled in the data set")
    plain = {_key(old): new for old, new in _read().names.get(dataset, {}).items()}
    renamed = [plain.get(_key(name), name) for name in names]
    return fill(_templates(dataset, options.imagenet), renamed)


def averaging(options: Options) -> str:
    """How the embeddings of a class's texts become one: normalised | plain."""
    return options.average


def _templates(dataset: str, imagenet: int) -> tuple[str, ...]:
    own = (_read().templates[dataset],)
    if dataset != IMAGENET or imagenet == 1:
        return own
    if imagenet == 8:
        return (*read_templates("imagenet7"), *own)
    return read_templates(f"imagenet{imagenet}")


def _known_as(name: str) -> str:
    """The name in the data file. ValueError for a data set that is none of CoOp's."""
    known = {_key(each): each for each in _read().templates}
    if _key(name) not in known:
        listed = ", ".join(known.values())
        close = did_you_mean(nearest(name, list(known.values())))
        raise ValueError(f"is none of CoOp's data sets, which have templates: {listed}{close}")
    return known[_key(name)]


def _key(name: str) -> str:
    """caltech-101, Caltech101 and caltech_101 are one name."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


@dataclass(frozen=True)
class _Published:
    templates: Mapping[str, str]  # data set -> template
    names: Mapping[str, Mapping[str, str]]  # data set -> name of a class's folder -> its text


@cache
def _read() -> _Published:
    data = json.loads(DATA_FILE.read_text(encoding="utf-8"))
    return _Published(data["templates"], data["names"])
