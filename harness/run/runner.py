"""Cells -> Records. A cell that fails becomes a failed Record; the others continue.

Cells of one train_key train once. Trainings that a solver accepts together are solved together; the
numbers of a cell never depend on which others are solved with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

from harness.core.cells import Choice
from harness.core.protocols.launcher import Events
from harness.core.protocols.log import Log
from harness.core.protocols.solver import Watch
from harness.core.store import Store
from harness.plan.resolve import ResolvedCell
from harness.run.alike import Alike
from harness.run.attempts import Training
from harness.run.checkpoints import forget_checkpoint
from harness.run.context import RunContext
from harness.run.duplicates import find_duplicates
from harness.run.duplicates_read import warnings_of_read
from harness.run.evaluate import Trained
from harness.run.interruption import Interruption
from harness.run.leakage import Leakage, find_leakage
from harness.run.plugins import RunPlugins, run_plugins
from harness.run.recording import Outcome, make_record
from harness.run.release import release
from harness.run.resources import Resources
from harness.run.saving import keep_weights
from harness.run.train import train_cells
from harness.training.agreement import agree, agreement
from harness.training.determinism import order_of, ordered
from harness.training.device import device, forget_peak, synchronise
from harness.training.distributed import World, process_group, world
from harness.training.loader import shared_workers
from harness.training.numerics import FLOAT32, float32_as
from harness.training.threads import one_core_pool

#: The cells of one training.
Family = list[ResolvedCell]


def run_cells(
    cells: Sequence[ResolvedCell],
    store: Store,
    *,
    jobs: int = 1,
    events: Events | None = None,
    save: bool = False,
    plugins: RunPlugins | None = None,
    interruption: Interruption | None = None,
    workers: int | None = None,
) -> None:
    """Run cells in `jobs` threads, each on one core, or one after the other on a GPU, and write
    their Records.

    A cell always uses one core, so that the last bits of a result do not depend on the number of
    jobs. With `save` the trained weights are saved too. `workers` processes read data ahead of each
    training (None: the cores, shared out among the threads). Processes that torchrun or srun
    started together share each training, one cell after the other; the first process writes.

    Raises BadInput if data or encoders of all cells cannot be read, DiskFull, OutputError, and
    KeyboardInterrupt; finished cells are kept.
    """
    events = events or Events()
    with process_group() as group:
        at_once = jobs if group.size == 1 and device().type == "cpu" else 1
        progress = events.features if group.rank == 0 else None
        resources = Resources(progress, shared_workers(workers, at_once))
        _prepare(cells, resources, group)
        leakage = _leakage(cells, resources)
        group.wait()  # for as long as it takes; an exchange waits less
        chosen = plugins or run_plugins()
        context = RunContext(store, resources, leakage, chosen, events, save)
        _run_all(cells, context, at_once, interruption or Interruption())
        group.wait()  # until the first process has written


def _prepare(cells: Sequence[ResolvedCell], resources: Resources, group: World) -> None:
    """Compute what the cells share, with the processes of this training sharing the work. However
    long one of them takes, the others wait for it.
    """
    if group.size > 1:
        with group.first():
            resources.prepare_texts(cells)
        resources.share(cells, group)
    with group.first():
        resources.load(cells)
    group.wait()
    resources.settle(cells, group)


def _leakage(cells: Sequence[ResolvedCell], resources: Resources) -> Leakage:
    """Leakage of the cells whose data can be read; notes go to standard error."""
    readable = [c for c in cells if resources.broken(c) is None]
    datasets = {c.cell.dataset: c.setup.dataset for c in readable}
    datasets |= {c.cell.test_dataset: c.setup.test_dataset for c in readable if c.cell.test_dataset}
    known: dict[tuple[Choice, str], str] = {}

    def fingerprint(choice: Choice, item: str) -> str:
        if (choice, item) not in known:
            known[choice, item] = datasets[choice].fingerprint(item)
        return known[choice, item]

    hashes: dict[tuple[Choice, int | None], dict[str, str]] = {}

    def pixels(choice: Choice, frames: int | None, item: str) -> str | None:
        if (choice, frames) not in hashes:
            hashes[choice, frames] = resources.pixels(choice, frames)
        return hashes[choice, frames].get(item)

    def tested(resolved: ResolvedCell) -> tuple[str, ...]:
        return warnings_of_read(resolved, fingerprint, resources)

    alike = Alike()
    leakage = find_leakage(readable, fingerprint, alike)
    duplicates = find_duplicates(readable, fingerprint, pixels, alike)
    resources.tell((*leakage.notes, *duplicates.notes))
    return replace(leakage, warnings=duplicates.warnings, tested=tested)


def _run_all(
    cells: Sequence[ResolvedCell], context: RunContext, jobs: int, stop: Interruption
) -> None:
    """Cells that declare the same order of sums run together: it is set for the whole process."""
    context.events.ready()
    torch_device = device()
    by_order: dict[bool | None, list[list[Family]]] = {}
    for group in solver_groups(cells):
        by_order.setdefault(order_of(_declared(group[0]), torch_device), []).append(group)
    for order, groups in by_order.items():
        with ordered(order, torch_device), float32_as(FLOAT32, torch_device):
            _run_groups(groups, context, jobs, stop)


def _run_groups(
    groups: Sequence[Sequence[Family]], context: RunContext, jobs: int, stop: Interruption
) -> None:
    pool = one_core_pool(jobs)
    try:
        pending = [pool.submit(_run_group, group, context, stop) for group in groups]
        for future in pending:
            future.result()
    except BaseException:
        stop.ask()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    if stop.is_asked():  # by a signal, or in another process of this training
        raise KeyboardInterrupt


def _declared(family: Family) -> bool | None:
    recipe = family[0].cell.recipe
    return None if recipe is None else recipe.deterministic


def solver_groups(cells: Sequence[ResolvedCell]) -> list[list[Family]]:
    """Groups of trainings that are solved together, in the order of the cells.

    A training joins a group if the solver accepts it together with the cells of the group. A group
    has at most as many trainings as the solver solves at once.
    """
    families: dict[str, Family] = {}
    for resolved in cells:
        families.setdefault(resolved.train_key, []).append(resolved)
    groups: list[list[Family]] = []
    growing: dict[Any, list[Family]] = {}  # by solver and order of sums: the group that may grow
    for family in families.values():
        solver = family[0].setup.solver
        alike = solver.choice, _declared(family)
        group = growing.get(alike)
        if group is not None and len(group) < solver.plugin.TOGETHER:
            grown = [*(other[0].cell for other in group), family[0].cell]
            if family[0].cell.recipe is not None and solver.plugin.accepts(grown):
                group.append(family)
                continue
        groups.append([family])
        if family[0].cell.recipe is not None:
            growing[alike] = groups[-1]
    return groups


def _run_group(group: Sequence[Family], context: RunContext, stop: Interruption) -> None:
    """Train once and evaluate every cell; errors go into the Records of their cells."""
    try:
        if agree(world(), interrupted=stop.is_asked()).interrupted:
            stop.ask()  # if it was another process that was asked
            return
        failed = _run_busy(group, context, stop)
        release((family[0].cell for family in group), device(), failed=failed)
    except BaseException:
        stop.ask()  # before this thread takes the next group, which the others will not run
        raise


def _run_busy(group: Sequence[Family], context: RunContext, stop: Interruption) -> bool:
    """Whether any cell failed."""
    with ExitStack() as stack:
        stack.enter_context(stop.busy())
        with agreement(world()):
            logs = [stack.enter_context(_open_logs(family[0], context)) for family in group]
        trainings = [
            Training(family[0], Watch(stop.is_asked, _follower(family[0], logs_of_family, context)))
            for family, logs_of_family in zip(group, logs, strict=True)
        ]
        outcomes = _train(trainings, context)
        if outcomes is None:
            stop.ask()  # if it was another process that was asked
            return False
        failed = [
            _write(family, outcome, logs_of_family, context)
            for family, outcome, logs_of_family in zip(group, outcomes, logs, strict=True)
        ]
        return any(failed)


def _follower(
    resolved: ResolvedCell, logs: Sequence[Log], context: RunContext
) -> Callable[[Mapping[str, Any]], None]:
    def epoch(point: Mapping[str, Any]) -> None:
        context.events.epoch(resolved, point)
        for log in logs:
            log.epoch(point)

    return epoch


def _write(family: Family, outcome: Outcome, logs: Sequence[Log], context: RunContext) -> bool:
    """Write the Records of one training's cells, in the first of several processes. What fails
    there ends all of them. Whether any cell failed.
    """
    group, failed = world(), False
    first = group.rank == 0
    with agreement(group):
        if outcome.trained is not None and context.save and first:
            keep_weights(family[0], outcome.trained, context)
    for resolved in family:
        record, arrays, measures = make_record(resolved, outcome, context)
        failed = failed or record.status == "failed"
        with agreement(group):
            if first:
                context.store.write(record, arrays)
                context.events.cell(resolved, record.status)
            for log in logs:
                log.done(record, measures)
        outcome = outcome.paid()
    with agreement(group):
        if first:
            forget_checkpoint(family[0], context.store)
    return failed


@contextmanager
def _open_logs(resolved: ResolvedCell, context: RunContext) -> Iterator[list[Log]]:
    with ExitStack() as stack:
        opened = []
        for plugin in context.plugins.logs if world().rank == 0 else ():
            log = plugin.open_log(context.store.root / "logs", resolved.key, resolved.cell.plain())
            stack.callback(log.close)
            opened.append(log)
        yield opened


def _train(trainings: Sequence[Training], context: RunContext) -> list[Outcome] | None:
    """None after an interruption. Raises errors that are not of one cell alone."""
    outcomes: dict[str, Outcome] = {}
    readable = []
    for training in trainings:
        broken = context.resources.broken(training.resolved)
        if broken is None:
            readable.append(training)
        else:
            outcomes[training.resolved.key] = Outcome(None, broken, 0.0, 0)
    began, torch_device = time.perf_counter(), device()
    forget_peak(torch_device)
    try:
        results = train_cells(readable, context) if readable else []
    except KeyboardInterrupt:
        return None
    synchronise(torch_device)
    seconds = (time.perf_counter() - began) / max(1, len(readable))  # an equal share for each
    for training, outcome in zip(readable, results, strict=True):
        outcomes[training.resolved.key] = _outcome(outcome, seconds)
    return [outcomes[t.resolved.key] for t in trainings]


def _outcome(result: Trained | Exception, seconds: float) -> Outcome:
    if isinstance(result, Exception):
        return Outcome(None, result, seconds, 0)
    was_trained = result.solution.steps > 0 or result.method is not None
    return Outcome(result, None, seconds, int(was_trained))
