"""Whether the towers of a cell have the part that it tunes."""

from __future__ import annotations

from harness.core.cells import Cell, Stage
from harness.plan.resolve import Setup


def why_not_tuned(cell: Cell, setup: Setup) -> str | None:
    """Why a tuned part is not in the towers of a cell; None if it is."""
    for stage in cell.parts:
        if stage.tuning == "prompt" and not _learns_context(cell, setup):
            return "tuning: prompt trains a learned context alone: name prompt: learnable"
        reason = _why_no_adapters(stage, cell, setup)
        if reason is not None:
            return reason
    reason = _why_no_texts(cell, setup) if cell.text_tower == "online" else None
    return reason or (_why_no_stages(cell) if cell.stages else None)


def _learns_context(cell: Cell, setup: Setup) -> bool:
    return cell.prompt is not None and setup.prompt.plugin.TRAINED


def _why_no_adapters(stage: Stage, cell: Cell, setup: Setup) -> str | None:
    towers = stage.lora.towers if stage.lora is not None else ()
    if "image" in towers and setup.facts.image_adapters is False:
        return (
            f"tuning: lora: the image tower of {cell.encoder} has no attention of a known kind: "
            "towers: [text] with text_tower: online adapts the text tower alone"
        )
    if towers == ("text",) and cell.text_tower != "online":
        return (
            "tuning: lora: the text tower has no adapters where its texts are embedded once: "
            "text_tower: online, with classifier text or paradigm matching"
        )
    if "text" in towers and cell.text_tower == "online" and setup.facts.text_adapters is False:
        return (
            f"tuning: lora: the text tower of {setup.text_encoder.choice} has no attention of a "
            "known kind: towers: [image] adapts the image tower alone"
        )
    return None


def _why_no_stages(cell: Cell) -> str | None:
    """Why stages cannot follow each other."""
    names = [stage.tuning for stage in cell.parts]
    if "head" in names and cell.paradigm is not None and cell.paradigm.name == "matching":
        return "stages: head trains W, and matching has none: its rows are texts"
    after_head = names[names.index("head") + 1 :] if "head" in names else []
    if cell.text_tower == "online" and after_head:
        return (
            "stages: after a stage head the rows of W are no longer those of the texts, and "
            f"text_tower: online would make them anew in the stage {after_head[0]}"
        )
    towers = [tower for stage in cell.parts if stage.lora for tower in stage.lora.towers]
    if len(towers) > len(set(towers)):
        return "stages: adapters (lora) of one tower are trained in one stage only"
    if cell.interpolate is not None:
        return "interpolate: a training in stages has no weights between before and after yet"
    return None


def _why_no_texts(cell: Cell, setup: Setup) -> str | None:
    """Why texts cannot be encoded anew at every step."""
    text_encoder = setup.text_encoder
    if not text_encoder.plugin.TAKES_CONTEXT:
        return f"text_tower: online: the text tower of {text_encoder.choice} cannot be trained"
    if cell.schedule not in (None, "frozen"):
        return (
            "text_tower: online makes the rows of W anew at every step, so their schedule is frozen"
        )
    return None
