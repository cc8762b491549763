"""A pack of cells -> Records. A cell that fails becomes a failed Record; the others go on."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.core import registry
from harness.core.cells import Cell
from harness.core.environment import environment, peak_bytes
from harness.core.errors import CellError, HarnessError
from harness.core.records import Record
from harness.core.store import Arrays, Store
from harness.plan.plan import Planned
from harness.run.evaluate import Trained, evaluation_head, on_test
from harness.run.resources import Workshop
from harness.run.train import Bench, forget_checkpoint, keep_weights, train_cell
from harness.training.cost import estimated_days, training_operations
from harness.training.device import device, device_name, forget_peak, peak_memory, synchronise
from harness.training.distributed import process_group, world
from harness.training.loop import Watch
from harness.training.predictions import metrics
from harness.training.threads import one_core_pool

if TYPE_CHECKING:
    pass


def _nothing(*_: Any) -> None: ...


@dataclass(frozen=True)
class Events:
    """What a runner tells while it works."""

    features: Callable[[int, int], object] = _nothing  # pictures done, of how many
    ready: Callable[[], object] = _nothing  # what the cells share is there; training begins
    epoch: Callable[[Planned, Mapping[str, Any]], object] = _nothing  # a point of a cell's curve
    cell: Callable[[Planned, str], object] = _nothing  # a cell ended as done or failed


def run_cells(
    cells: Sequence[Planned],
    store: Store,
    *,
    jobs: int = 1,
    events: Events | None = None,
    save: bool = False,
    logs: Sequence[str] = (),
) -> None:
    """Run cells in `jobs` threads, each on one core, and keep their Records.

    One core a cell, whatever runs beside it, so that the last bits of a result do not depend on
    how many jobs there are. With `save` the trained weights are kept beside the Records; `logs`
    are names of harness/logs/, told of every epoch. Processes
    that torchrun or srun started together share each training, one cell after the other; the first
    of them writes.

    Raises BadInput for what the cells share and cannot read, DiskFull, OutputError, and
    KeyboardInterrupt; finished cells are kept.
    """
    with process_group() as group:
        workshop = Workshop(store.root, (events or Events()).features)
        with group.first():
            workshop.prepare([p.cell for p in cells])
        desk = _Desk(store, workshop, events or Events(), save, logs)
        _run_all(cells, desk, jobs if group.size == 1 else 1)
        group.wait()  # until the first has written


@dataclass(frozen=True)
class _Desk:
    """What every cell of a run works with."""

    store: Store
    workshop: Workshop
    events: Events
    save: bool
    logs: Sequence[str]


def _run_all(cells: Sequence[Planned], desk: _Desk, jobs: int) -> None:
    desk.events.ready()
    stop = threading.Event()
    families = _by_training(cells)
    pool = one_core_pool(jobs)
    try:
        pending = [pool.submit(_run_family, family, desk, stop.is_set) for family in families]
        for future in pending:
            future.result()
    except BaseException:
        stop.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _by_training(cells: Sequence[Planned]) -> list[list[Planned]]:
    """Cells of one train_key train once."""
    families: dict[str, list[Planned]] = {}
    for planned in cells:
        families.setdefault(planned.train_key, []).append(planned)
    return list(families.values())


def _run_family(family: list[Planned], desk: _Desk, interrupted: Callable[[], bool]) -> None:
    """Train once, evaluate every cell; what goes wrong is each cell's reason."""
    if interrupted():
        return
    first = world().rank == 0
    with _open_logs(family[0], desk, wanted=first) as logs:

        def epoch(point: Mapping[str, Any]) -> None:
            desk.events.epoch(family[0], point)
            for log in logs:
                log.epoch(point)

        outcome = _train(family[0], desk, Watch(interrupted, epoch))
        if outcome is None:
            return
        if outcome.trained is not None and desk.save and first:
            keep_weights(family[0], outcome.trained, desk.store)
        for planned in family:
            record, arrays = _finish(planned, outcome, desk)
            if first:
                desk.store.write(record, arrays)
                desk.events.cell(planned, record.status)
            for log in logs:
                log.done(record)
            outcome = replace(outcome, seconds=0.0, trainings=0)  # it is paid for once
    if first:
        forget_checkpoint(family[0], desk.store)


@contextmanager
def _open_logs(planned: Planned, desk: _Desk, *, wanted: bool) -> Iterator[list[Any]]:
    with ExitStack() as stack:
        opened = []
        for name in desk.logs if wanted else ():
            plugin = registry.plugin("log", name)
            log = plugin.open_log(desk.store.root / "logs", planned.key, planned.cell.plain())
            stack.callback(log.close)
            opened.append(log)
        yield opened


@dataclass(frozen=True)
class _Outcome:
    trained: Trained | None
    problem: Exception | None
    seconds: float
    trainings: int  # that the next Record pays for


def _train(planned: Planned, desk: _Desk, watch: Watch) -> _Outcome | None:
    """None if asked to stop. Raises what is no cell's own fault."""
    broken = desk.workshop.broken(planned.cell)
    if broken is not None:
        return _Outcome(None, broken, 0.0, 0)
    began, place = time.perf_counter(), device()
    forget_peak(place)
    trained: Trained | None = None
    problem: Exception | None = None
    try:
        trained = train_cell(planned, Bench(desk.workshop, desk.store, watch))
    except KeyboardInterrupt:
        return None
    except HarnessError as error:
        if not isinstance(error, CellError):
            raise
        problem = error
    except Exception as error:
        if world().size > 1:
            raise  # the other processes would wait for this one
        problem = error
    synchronise(place)
    trainings = 1 if trained is not None and trained.history.steps else 0
    return _Outcome(trained, problem, time.perf_counter() - began, trainings)


def _finish(planned: Planned, outcome: _Outcome, desk: _Desk) -> tuple[Record, Arrays | None]:
    """The Record of one cell, done or failed."""
    trained, problem, workshop = outcome.trained, outcome.problem, desk.workshop
    began = time.perf_counter()
    blank = Record(
        key=planned.key,
        cell=planned.cell.plain(),
        status="failed",
        train_key=planned.train_key,
        environment=environment(device_name(device())),
    )
    arrays: Arrays | None = None
    if trained is not None:
        try:
            blank, arrays = _evaluate(planned.cell, trained, blank, workshop, desk.store)
        except Exception as error:
            if isinstance(error, HarnessError) and not isinstance(error, CellError):
                raise
            problem = error
    seconds = outcome.seconds + time.perf_counter() - began
    cost = _cost(planned.cell, trained, workshop, seconds) | {"trainings": outcome.trainings}
    if problem is not None:
        return replace(blank, error=_reason(problem), cost=cost), None
    return replace(blank, status="done", cost=cost), arrays


def _cost(
    cell: Cell, trained: Trained | None, workshop: Workshop, seconds: float
) -> dict[str, Any]:
    place = device()
    on_gpu = place.type == "cuda"
    return {
        "wall_s": seconds,
        "gpu_s": seconds * world().size if on_gpu else 0.0,
        "peak_bytes": peak_memory(place) if on_gpu else peak_bytes(),
        "processes": world().size,
        "views": cell.views,
        **(workshop.encoder_cost(cell) if trained else {}),
        "params": trained.params if trained else None,
        **(_estimated(cell, workshop) if trained and trained.history.steps else {}),
    }


def _estimated(cell: Cell, workshop: Workshop) -> dict[str, float]:
    """Days of the training on the paper's GPUs, from its operations."""
    support, recipe = workshop.support(cell), cell.recipe
    macs = workshop.encoder_cost(cell).get("flops_per_view")
    if support is None or recipe is None or macs is None:
        return {}
    tuned = cell.tuning == "all"
    epochs = recipe.epochs if tuned else 1  # features that are kept are read once
    total = training_operations(macs, len(support.items), epochs, trained=tuned)
    return {
        "operations": total,
        "v100_days": estimated_days(total, "V100"),
        "a100_days": estimated_days(total, "A100"),
    }


def _evaluate(
    cell: Cell, trained: Trained, blank: Record, workshop: Workshop, store: Store
) -> tuple[Record, Arrays]:
    test = workshop.test(cell)
    head = evaluation_head(cell, trained, workshop, test.class_names)
    found = on_test(cell, trained, workshop, head)
    same_classes = workshop.train_names(cell) == test.class_names
    w_init_CD = trained.w_init_CD if same_classes else None
    w_final_CD = head.weight().cpu()
    arrays = found.arrays() | {
        "w_init": (w_final_CD if w_init_CD is None else w_init_CD).numpy().astype("float16"),
        "w_final": w_final_CD.numpy().astype("float16"),
    }
    support = workshop.support(cell)
    measured: dict[str, Any] = metrics(found, test.labels)
    record = replace(
        blank,
        **measured,
        n=len(test.items),
        test=store.write_test(test),
        support=trained.support,
        curve=trained.history.curve,
        diagnostics={
            "classes": len(test.class_names),
            "support_size": len(support.items) if support else 0,
            "steps": trained.history.steps,
            "twins": workshop.twins(cell),
            **({"micro_batch": trained.micro_batch} if trained.micro_batch else {}),
            **_search(trained, cell.selection),
        },
    )
    return record, arrays


def _search(trained: Trained, selection: str) -> dict[str, Any]:
    """What a search tried, in order, and what it chose: the best on validation (or on the test
    set, where that is the selection), the first of equals.
    """
    if not trained.tried:
        return {}
    best = max(trained.tried, key=lambda t: t.rank())
    tried = [
        {"config": t.config, f"{selection}_top1": t.top1, f"{selection}_nll": t.nll}
        | ({"error": t.error} if t.error else {})
        for t in trained.tried
    ]
    return {"search": tried, "chosen": best.config}


def _reason(problem: Exception) -> dict[str, str]:
    return {
        "type": type(problem).__name__,
        "message": str(problem),
        "traceback": "".join(traceback.format_exception(problem)),
    }
