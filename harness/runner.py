"""A pack of cells -> Records. A cell that fails becomes a failed Record; the others go on."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from harness.environment import environment, peak_bytes
from harness.errors import CellError, HarnessError
from harness.plan import Planned
from harness.sampling import views
from harness.store import Arrays, Store
from harness.trainer import (
    Trained,
    evaluation_head,
    forget_checkpoint,
    keep_weights,
    logits,
    train_cell,
)
from harness.training.device import device, device_name, forget_peak, peak_memory, synchronise
from harness.training.distributed import process_group, world
from harness.training.evaluation import metrics, predict
from harness.training.loop import Watch
from harness.training.threads import one_core_pool
from harness.types import Cell, Record, TestSet
from harness.workshop import Workshop

if TYPE_CHECKING:
    import torch


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
) -> None:
    """Run cells in `jobs` threads, each on one core, and keep their Records.

    One core a cell, whatever runs beside it, so that the last bits of a result do not depend on
    how many jobs there are. With `save` the trained weights are kept beside the Records. Processes
    that torchrun or srun started together share each training, one cell after the other; the first
    of them writes.

    Raises BadInput for what the cells share and cannot read, DiskFull, OutputError, and
    KeyboardInterrupt; finished cells are kept.
    """
    with process_group() as group:
        workshop = Workshop(store.root, (events or Events()).features)
        with group.first():
            workshop.prepare([p.cell for p in cells])
        _run_all(cells, store, workshop, jobs if group.size == 1 else 1, events or Events(), save)


def _run_all(
    cells: Sequence[Planned],
    store: Store,
    workshop: Workshop,
    jobs: int,
    events: Events,
    save: bool,
) -> None:
    events.ready()
    stop = threading.Event()
    families = _by_training(cells)
    pool = one_core_pool(jobs)
    try:
        pending = [
            pool.submit(_run_family, family, workshop, store, events, stop.is_set, save)
            for family in families
        ]
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


def _run_family(
    family: list[Planned],
    workshop: Workshop,
    store: Store,
    events: Events,
    interrupted: Callable[[], bool],
    save: bool,
) -> None:
    """Train once, evaluate every cell; what goes wrong is each cell's reason."""
    if interrupted():
        return
    began, place = time.perf_counter(), device()
    forget_peak(place)
    trained: Trained | None = None
    problem: Exception | None = None
    watch = Watch(interrupted, lambda point: events.epoch(family[0], point))
    try:
        trained = train_cell(family[0], workshop, store, watch)
    except KeyboardInterrupt:
        return
    except HarnessError as error:
        if not isinstance(error, CellError):
            raise
        problem = error
    except Exception as error:
        if world().size > 1:
            raise  # the other processes would wait for this one
        problem = error
    synchronise(place)
    spent = time.perf_counter() - began
    first = world().rank == 0
    if trained is not None and save and first:
        keep_weights(family[0], trained, store)
    for planned in family:
        record, arrays = _finish(planned, trained, problem, workshop, store, spent)
        if first:
            store.write(record, arrays)
            events.cell(planned, record.status)
        spent = 0.0  # training is paid for once
    if first:
        forget_checkpoint(family[0], store)


def _finish(
    planned: Planned,
    trained: Trained | None,
    problem: Exception | None,
    workshop: Workshop,
    store: Store,
    spent: float,
) -> tuple[Record, Arrays | None]:
    """The Record of one cell, done or failed."""
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
            blank, arrays = _evaluate(planned.cell, trained, blank, workshop, store)
        except Exception as error:
            if isinstance(error, HarnessError) and not isinstance(error, CellError):
                raise
            problem = error
    cost = _cost(planned.cell, trained, workshop, spent + time.perf_counter() - began)
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
        "flops_per_view": workshop.macs_per_view(cell),
        "params": trained.params if trained else None,
    }


def _evaluate(
    cell: Cell, trained: Trained, blank: Record, workshop: Workshop, store: Store
) -> tuple[Record, Arrays]:
    test = workshop.test(cell)
    head = evaluation_head(cell, trained, workshop, test.class_names)
    several = views(cell.views) != (1, 1)
    h_NF = _test_features(cell, trained, workshop, test)
    found = predict(logits(trained.embedding, head, h_NF, views=several), test.labels)
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
            **_search(trained),
        },
    )
    return record, arrays


def _search(trained: Trained) -> dict[str, Any]:
    """What a search tried, in order, and what it chose: the best on validation, the first of
    equals.
    """
    if not trained.tried:
        return {}
    best = max(trained.tried, key=lambda t: t.rank())
    tried = [
        {"config": t.config, "val_top1": t.top1, "val_nll": t.nll}
        | ({"error": t.error} if t.error else {})
        for t in trained.tried
    ]
    return {"search": tried, "chosen": best.config}


def _test_features(cell: Cell, trained: Trained, workshop: Workshop, test: TestSet) -> torch.Tensor:
    """h_NF: cached where the backbone is frozen."""
    if trained.backbone is None:
        return workshop.test_features(cell).of(test.items)
    pictures = workshop.pictures(cell, cell.test_dataset or cell.dataset)
    return trained.backbone.embed(test.items, pictures, views(cell.views))


def _reason(problem: Exception) -> dict[str, str]:
    return {
        "type": type(problem).__name__,
        "message": str(problem),
        "traceback": "".join(traceback.format_exception(problem)),
    }
