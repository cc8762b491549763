"""Several templates around the class name, averaged or drawn one at a time (Table 4).

`train: average`: a class is the mean over its texts, in training and at evaluation. `average:
normalised` takes the mean of normalised embeddings (CLIP's prompt ensembling), `plain` the mean of
the embeddings as they come, where longer ones weigh more. `train: draw`: at every step one
template is drawn for all classes, and evaluation reads the one template `evaluation` (appendix
B.4). The templates are `texts`, or a `file` with one a line: a path; or `kinetics28`, the 28 that
CLIP's authors published for Kinetics; or `imagenet80` and `imagenet7`, theirs for ImageNet and the
seven of them that few-shot methods use.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from harness.core.cells import Cell
from harness.core.facts import CellFacts
from harness.prompts._changing_texts import why_infeasible
from harness.prompts._template_texts import fill, read_templates, with_placeholder

#: The option `evaluation` of templates that are drawn in training, and averaged in evaluation.
ALL = "all"


class Options(BaseModel):
    """texts: the templates, each with {} where the class name goes; or file: the file that holds
    them. average: normalised | plain. train: average | draw. evaluation: the template that is
    evaluated with train: draw, by default the first; or all, which are averaged.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    texts: tuple[str, ...] = ()
    file: str | None = Field(None, validate_default=True)
    train: Literal["average", "draw"] = "average"
    evaluation: str | None = None
    average: Literal["normalised", "plain"] = "normalised"

    @field_validator("texts")
    @classmethod
    def _have_a_placeholder(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(with_placeholder(text) for text in texts)

    @field_validator("file")
    @classmethod
    def _one_source(cls, file: str | None, info: ValidationInfo) -> str | None:
        # Texts that were refused are not in the data; one error is enough.
        if (file is None) == (not info.data.get("texts", ("refused already",))):
            raise ValueError("the templates are either texts or a file")
        if file is not None:
            read_templates(file)  # its errors belong to the option
        return file

    @field_validator("evaluation")
    @classmethod
    def _is_drawn(cls, evaluation: str | None, info: ValidationInfo) -> str | None:
        if evaluation is not None and info.data.get("train") == "average":
            raise ValueError("all templates are evaluated unless train: draw")
        return evaluation if evaluation in (None, ALL) else with_placeholder(evaluation)

    @field_validator("average")
    @classmethod
    def _is_averaged(cls, average: str, info: ValidationInfo) -> str:
        one = info.data.get("train") == "draw" and info.data.get("evaluation") != ALL
        if average != "normalised" and one:
            raise ValueError("nothing is averaged with train: draw, unless evaluation: all")
        return average


def check(cell: Cell, facts: CellFacts) -> str | None:
    """Templates that are drawn change the rows of W at every step."""
    drawn_in_training = dict(cell.prompt.options).get("train") == "draw" if cell.prompt else False
    if not drawn_in_training or cell.tuning == "none":
        return None
    if cell.tuning == "head":
        return "a template that is drawn at every step makes W, and tuning: head trains it"
    return why_infeasible(cell, "a template that is drawn at every step")


def texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """What a class is averaged over, or one is drawn of: every template with its name."""
    return fill(_templates(options), names)


def drawn(options: Options) -> bool:
    """Whether training draws one of a class's texts at every step."""
    return options.train == "draw"


def evaluation_texts(names: Sequence[str], options: Options) -> list[list[str]]:
    """What evaluation reads: the one template, or all of them."""
    if not drawn(options) or options.evaluation == ALL:
        return texts(names, options)
    return fill([options.evaluation or _templates(options)[0]], names)


def averaging(options: Options) -> str:
    """How the embeddings of a class's texts become one: normalised | plain."""
    return options.average


def _templates(options: Options) -> tuple[str, ...]:
    return options.texts if options.file is None else read_templates(options.file)
