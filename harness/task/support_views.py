"""The views of support pictures of a cell: with every value decided, or none without a meaning."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core import registry
from harness.core.cells import Choice, tunes_backbone
from harness.core.errors import BadInput
from harness.core.protocols.dataset import DatasetPlugin
from harness.core.protocols.method import Method
from harness.task.inputs import reads_support_samples, uses

#: How epochs use the views: without epochs on features, of a head or of a method that asks for
#: views, it is the mean, which classifiers see.
CYCLE, MEAN = "cycle", "mean"


def views_of_support(s: Mapping[str, Any]) -> Choice | None:
    """None where nothing reads features of support pictures. `flip: null` is decided by what the
    data set declares.
    """
    views: Choice | None = s["support_views"]
    has_samples = s["regime"] != "zero_shot" or s["train_classes"] is not None
    trains_on_features = s["tuning"] != "none" and not tunes_backbone(s)
    if views is None or not has_samples:
        return None
    if not trains_on_features and not reads_support_samples(s):
        return None
    options = dict(views.options)
    if options["flip"] is None:
        options["flip"] = not sides_matter(s["dataset"])
    cycles = trains_on_features or "views" in uses(Method, s["method"])
    use = MEAN if views.name == CYCLE and not cycles else views.name
    return Choice(use, tuple(sorted(options.items())))


def sides_matter(dataset: Choice) -> bool:
    """Whether a mirror changes classes of a data set; False for one that planning will refuse."""
    try:
        return registry.load(DatasetPlugin, registry.split_reference(dataset.name)[0]).SIDES_MATTER
    except BadInput:
        return False


def is_of(written: Choice, views: Choice | None) -> bool:
    """Whether views of a cell are those that a task writes."""
    if views is None or views.name != written.name:
        return False
    options, wanted = dict(views.options), dict(written.options)
    return all(wanted[name] in (None, options[name]) for name in wanted)
