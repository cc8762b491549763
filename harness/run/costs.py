"""The cost of a cell, and an estimate of its cost on the paper's GPUs."""

from __future__ import annotations

from typing import Any

from harness.core.cells import Choice
from harness.core.environment import peak_bytes
from harness.core.multiply_adds import counted
from harness.core.protocols.encoder import EncoderPlugin
from harness.plan.catalogue import Catalogue
from harness.plan.operations import text_operations, training_length
from harness.plan.resolve import ResolvedCell
from harness.run.epochs import epoch_repeats
from harness.run.evaluate import Trained
from harness.run.resources import Resources
from harness.sampling.support_views import random_crops
from harness.training.cost import (
    EncoderCost,
    clip_cost,
    encoder_cost,
    estimated_days,
    module_cost,
    training_operations,
)
from harness.training.device import device, peak_memory
from harness.training.distributed import world
from harness.training.schedule import samples_read

OPEN_CLIP = "open_clip:"


def record_cost(
    resolved: ResolvedCell, trained: Trained | None, resources: Resources, seconds: float
) -> dict[str, Any]:
    """The field `cost` of a Record; `seconds` of training and evaluation."""
    torch_device = device()
    on_gpu = torch_device.type == "cuda"
    return {
        "wall_s": seconds,
        "gpu_s": seconds * world().size if on_gpu else 0.0,
        "peak_bytes": peak_memory(torch_device) if on_gpu else peak_bytes(),
        "processes": world().size,
        "views": resolved.cell.views,
        **(encoder_counts(resolved, resources) if trained else {}),
        "params": trained.params if trained else None,
        **(_estimated(resolved, resources) if trained and trained.solution.steps else {}),
    }


def encoder_counts(resolved: ResolvedCell, resources: Resources) -> dict[str, int]:
    """Multiply-adds of the image encoder for one view (an image, or all frames of a clip) and its
    parameters, in full and as the paper counts them; empty if there is no encoder to count.
    """
    cost = resources.encoder(resolved).cost
    if cost is None:
        return {}
    setup = resolved.setup
    counted(setup.facts.backbone, setup.resolution, lambda: cost.macs)  # for later estimates
    whole = cost.times(resolved.cell.frames or 1)
    return {
        "flops_per_view": whole.macs,
        "flops_per_view_paper": whole.macs_paper,
        "params_encoder": whole.params,
        "params_encoder_paper": whole.params_paper,
    }


def _estimated(resolved: ResolvedCell, resources: Resources) -> dict[str, float]:
    """Estimated days of the training on the paper's GPUs, from its number of operations: those of
    the image tower as counted, those of a text tower that every step runs from its width.
    """
    support, recipe = resolved.support, resolved.cell.recipe
    macs = encoder_counts(resolved, resources).get("flops_per_view")
    if support is None or recipe is None or macs is None:
        return {}
    tuned = resolved.cell.tunes_backbone
    if tuned:
        of_epoch = len(support.items) * epoch_repeats(resolved, recipe)
        images = samples_read(recipe, of_epoch)
    else:  # features are computed once, however long they are trained on
        crops = random_crops(resolved.cell)
        images = len(support.items) * (crops.n if crops else 1)
    # A stage that trains W alone reads the pictures all the same.
    in_tower = sum(s.share for s in resolved.cell.parts if s.tunes_backbone) if tuned else 0.0
    total = in_tower * training_operations(macs, images, 1, trained=True)
    total += (1 - in_tower) * training_operations(macs, images, 1, trained=False)
    steps = training_length(resolved.cell, resolved.setup, recipe).steps
    texts = text_operations(resolved.cell, resolved.setup, recipe, steps)
    total += texts
    return {
        "operations": total,
        "text_operations": texts,
        "v100_days": estimated_days(total, "V100"),
        "a100_days": estimated_days(total, "A100"),
    }


def clip_cost_of(choice: Choice, frames: int, *, t_trans: bool = False) -> EncoderCost:
    """The cost of an encoder for the frames of a clip, with `t_trans` including that module. An
    architecture of open_clip is counted without its weights, which may be missing.
    """
    if choice.name.startswith(OPEN_CLIP):
        architecture = choice.name.removeprefix(OPEN_CLIP).partition("/")[0]
        cost = clip_cost(architecture).times(frames)
        return cost + _t_trans_cost(architecture, frames) if t_trans else cost
    catalogue = Catalogue()
    encoder, facts = catalogue.chosen(EncoderPlugin, choice), catalogue.image_facts(choice)
    image = encoder.plugin.build_image(encoder.argument, encoder.options)
    return encoder_cost(image, facts.resolution).times(frames)


def _t_trans_cost(architecture: str, frames: int) -> EncoderCost:
    import open_clip
    import torch

    from harness.core.protocols.temporal import TemporalInputs
    from harness.temporal import t_trans

    dim = int(open_clip.get_model_config(architecture)["embed_dim"])
    inputs = TemporalInputs(dim, frames, torch.Generator())
    return module_cost(t_trans.build(inputs, t_trans.Options()), 1, frames, dim)
