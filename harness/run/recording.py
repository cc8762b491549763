"""The outcome of a training -> the Record of one cell, with its arrays."""

from __future__ import annotations

import time
import traceback
from dataclasses import dataclass, replace
from typing import Any

from harness.core.environment import environment
from harness.core.records import TOP_LEVEL_MEASURES, Record
from harness.core.store import Arrays
from harness.plan.resolve import ResolvedCell
from harness.run.cell_errors import is_of_one_cell
from harness.run.context import RunContext
from harness.run.costs import record_cost
from harness.run.evaluate import (
    Trained,
    evaluation_head,
    evaluation_warnings,
    measured,
    on_test,
)
from harness.run.interpolation import interpolated
from harness.run.methods import method_of, method_test
from harness.run.precision_warnings import precision_warnings
from harness.run.resources import Resources
from harness.training.agreement import agreement
from harness.training.determinism import kernel_warnings, named_kernels
from harness.training.device import device, device_name
from harness.training.distributed import world


@dataclass(frozen=True)
class Outcome:
    """The outcome of a training. Its cost is counted in the first cell that it is evaluated in."""

    trained: Trained | None
    problem: Exception | None
    seconds: float
    trainings: int

    def paid(self) -> Outcome:
        """The outcome for the next cell of the same training, which costs only its evaluation."""
        return replace(self, seconds=0.0, trainings=0)


def make_record(
    resolved: ResolvedCell, outcome: Outcome, context: RunContext
) -> tuple[Record, Arrays | None, dict[str, float]]:
    """The Record of one cell, done or failed, its arrays, and all its measures by name.

    Raises errors that are not of this cell alone.
    """
    trained, problem = outcome.trained, outcome.problem
    began = time.perf_counter()
    record = Record(
        key=resolved.key,
        cell=resolved.cell.plain(),
        status="failed",
        train_key=resolved.train_key,
        environment=environment(device_name(device())),
    )
    arrays: Arrays | None = None
    measures: dict[str, float] = {}
    if trained is not None:
        try:
            with agreement(world()), named_kernels(device()) as kernels:
                record, arrays, measures = _evaluated(resolved, trained, record, context)
            known = (*record.warnings, *kernel_warnings(kernels))
            record = replace(record, warnings=tuple(dict.fromkeys(known)))
        except Exception as error:
            if not is_of_one_cell(error):
                raise
            problem = error
    seconds = outcome.seconds + time.perf_counter() - began
    cost = record_cost(resolved, trained, context.resources, seconds)
    cost |= {"trainings": outcome.trainings, **context.resources.claim_seconds(resolved)}
    if problem is not None:
        return replace(record, error=_reason(problem), cost=cost), None, {}
    return replace(record, status="done", cost=cost), arrays, measures


def _evaluated(
    resolved: ResolvedCell, trained: Trained, record: Record, context: RunContext
) -> tuple[Record, Arrays, dict[str, float]]:
    test, support = resolved.test, resolved.support
    arrays, predictions, warnings = _predicted(resolved, trained, context)
    of_precision = precision_warnings(resolved.cell, device())
    leaked = context.leakage.warnings.get(resolved.key, ())
    leaked = (*leaked, *context.leakage.tested(resolved))
    measures = measured(predictions, test.labels, test.groups, context.plugins.measures)
    top_level: dict[str, Any] = {name: measures[name] for name in TOP_LEVEL_MEASURES}
    record = replace(
        record,
        **top_level,
        measures={k: v for k, v in measures.items() if k not in TOP_LEVEL_MEASURES},
        n=len(test.items),
        test=context.store.write_test(test),
        support=trained.support,
        curve=trained.solution.curve,
        warnings=tuple(dict.fromkeys((*trained.warnings, *warnings, *of_precision, *leaked))),
        diagnostics={
            "classes": len(test.class_names),
            "support_size": len(support.items) if support else 0,
            "steps": trained.solution.steps,
            "twins": context.leakage.counts.get(resolved.key, 0),
            **({"micro_batch": trained.micro_batch} if trained.micro_batch else {}),
            **trained.solution.diagnostics,
            **(trained.method.facts if trained.method else {}),
            **_search(trained, resolved.cell.selection),
        },
    )
    return record, arrays, measures


def _predicted(
    resolved: ResolvedCell, trained: Trained, context: RunContext
) -> tuple[dict[str, Any], Any, tuple[str, ...]]:
    """Arrays of the Record, with W before and after training where there is one, the predictions,
    and warnings on the texts of the tested classes.
    """
    resources = context.resources
    if trained.method is not None:
        method = method_of(trained.method, resolved, resources)
        predictions = method_test(method, resolved, resources)
        w_CD = method.weight()
        w_CD = None if w_CD is None else _tested(resolved, w_CD)
        arrays = predictions.arrays() | ({} if w_CD is None else _weights(w_CD, w_CD))
        return arrays, predictions, ()
    with interpolated(resolved, trained, resources):
        return _of_model(resolved, trained, resources)


def _of_model(
    resolved: ResolvedCell, trained: Trained, resources: Resources
) -> tuple[dict[str, Any], Any, tuple[str, ...]]:
    """What `_predicted` gives, of a cell that is no method."""
    head = evaluation_head(resolved, trained, resources, resolved.setup.row_names)
    warnings = evaluation_warnings(resolved, trained, head, resources)
    predictions = on_test(resolved, trained, resources, head)
    w_final_CD = _tested(resolved, head.weight().cpu())
    # Rows of other classes do not exist before training.
    known = resolved.setup.row_names == resolved.setup.trained.names
    w_init_CD = _tested(resolved, trained.w_init_CD) if known else None
    weights = _weights(w_final_CD if w_init_CD is None else w_init_CD, w_final_CD)
    return predictions.arrays() | weights, predictions, warnings


def _tested(resolved: ResolvedCell, w_CD: Any) -> Any:
    """The rows of the tested classes, where W has more; None for None."""
    rows = resolved.setup.rows
    return w_CD if rows is None or w_CD is None else w_CD[list(rows)]


def _weights(w_init_CD: Any, w_final_CD: Any) -> dict[str, Any]:
    """W in half precision, which is enough for maps of correlations."""
    return {
        "w_init": w_init_CD.cpu().numpy().astype("float16"),
        "w_final": w_final_CD.cpu().numpy().astype("float16"),
    }


def _search(trained: Trained, selection: str) -> dict[str, Any]:
    """The trials of a search in order, and the chosen configuration: the best on validation (or on
    the test set, if that is the selection), the first of equals.
    """
    if not trained.trials:
        return {}
    trials = [
        {"config": t.config, f"{selection}_top1": t.top1, f"{selection}_nll": t.nll}
        | ({"error": t.error} if t.error else {})
        for t in trained.trials
    ]
    return {"search": trials, "chosen": trained.chosen}


def _reason(problem: Exception) -> dict[str, str]:
    return {
        "type": type(problem).__name__,
        "message": str(problem),
        "traceback": "".join(traceback.format_exception(problem)),
    }
