"""The measures of a Record, and what the registry says of each."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from harness.core import registry
from harness.core.errors import BadInput
from harness.core.protocols.measure import Measure, Predictions
from harness.core.records import TOP_LEVEL_MEASURES, Record
from harness.core.samples import TestSet

FRACTION = "fraction"


@dataclass(frozen=True)
class MeasureTitle:
    """How a report names a measure. `unit` is 'fraction', 'nats', ...; '' for none."""

    title: str
    unit: str = ""
    lower_is_better: bool = False

    @property
    def is_fraction(self) -> bool:
        """Whether reports print it in points (0 to 100)."""
        return self.unit == FRACTION


def measures_of(record: Record) -> dict[str, float]:
    """Every measure that a Record has, by name: the top-level ones, then the further ones, sorted.

    Fractions where the unit of the measure is 'fraction'.
    """
    values = {
        "top1": record.top1,
        "top5": record.top5,
        "mean_class": record.mean_class,
        "nll": record.nll,
        "ece": record.ece,
    }
    top_level = {n: v for n in TOP_LEVEL_MEASURES if (v := values[n]) is not None}
    return top_level | {name: record.measures[name] for name in sorted(record.measures)}


def with_measures(
    record: Record,
    measures: Mapping[str, Measure],
    arrays: Callable[[Record], Mapping[str, np.ndarray[Any, Any]]],
    test: TestSet,
) -> Record:
    """The Record with every measure that it lacks, computed from its arrays: a measure that came
    after the Record needs no new training. The file on disk stays as it is.
    """
    missing = [name for name in measures if name not in measures_of(record)]
    if record.status != "done" or not missing:
        return record
    saved = arrays(record)
    predictions = Predictions(**{f.name: saved[f.name] for f in fields(Predictions)})
    computed = {
        name: float(measures[name].compute(predictions, test.labels, test.groups))
        for name in missing
    }
    top_level: dict[str, Any] = {n: v for n, v in computed.items() if n in TOP_LEVEL_MEASURES}
    further = {n: v for n, v in computed.items() if n not in TOP_LEVEL_MEASURES}
    return replace(record, **top_level, measures={**record.measures, **further})


def in_order(names: Iterable[str]) -> list[str]:
    """Names of measures, each once, in the order of `measures_of`."""
    unique = set(names)
    further = sorted(unique - {*TOP_LEVEL_MEASURES})
    return [name for name in TOP_LEVEL_MEASURES if name in unique] + further


def title_of_measure(name: str) -> MeasureTitle:
    """Title and unit of a measure, as its plugin declares them.

    An outside measure (`package.module:object`) may be gone by the time of the report: its Records
    are still valid, so it is then shown under its name, without a unit.
    """
    try:
        plugin = registry.load(Measure, name)
    except BadInput:
        return MeasureTitle(name)
    return MeasureTitle(plugin.TITLE, plugin.UNIT, plugin.BETTER == "lower")
