"""The training loop, the same for cached features and for a tuned backbone.

Every draw comes from a stream named by seed and epoch, so a cell's numbers do not depend on other
cells, on interruptions, on the number of processes, or on that of the workers that read ahead.
"""

from __future__ import annotations

import math
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from harness.core.errors import CellError
from harness.core.protocols.solver import Problem, Solution
from harness.core.seeding import torch_stream
from harness.training.agreement import agree, agreement
from harness.training.distributed import world
from harness.training.optimisers import make_optimiser
from harness.training.precision import Precision
from harness.training.proximal import proximal_terms
from harness.training.schedule import Place, Schedule
from harness.training.step import Stepper

if TYPE_CHECKING:
    import torch


def train(problem: Problem) -> Solution:
    """Minimise the head's loss on the support set (Eq. 1 to 3); the model is trained in place.

    With a checkpoint it continues at the step where that was written, with the same result.

    Raises CellError if the loss is not finite; KeyboardInterrupt after an interruption, between
    batches, when the checkpoint is written; and in all processes what is raised in one of them.
    """
    # An epoch may read every sample several times (recipe.epoch_length).
    labels_N = problem.labels_N.repeat(problem.repeats)
    return _Training(replace(problem, labels_N=labels_N)).run()


@dataclass
class _Epoch:
    """An epoch that is going on."""

    number: int
    sums_2: torch.Tensor  # of the loss over samples, and correct predictions
    drop: torch.Generator
    texts: torch.Generator
    read: int = 0  # samples
    seconds: float = 0.0  # before this process went on with it
    began: float = field(default_factory=time.perf_counter)

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps of it."""
        return {
            "sums_2": self.sums_2.cpu(),
            "drop": self.drop.get_state(),
            "texts": self.texts.get_state(),
            "read": self.read,
            "seconds": self.spent(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on where `state` was taken."""
        self.sums_2.copy_(state["sums_2"])
        self.drop.set_state(state["drop"])
        self.texts.set_state(state["texts"])
        self.read, self.seconds = state["read"], state["seconds"]

    def spent(self) -> float:
        """Seconds."""
        return self.seconds + time.perf_counter() - self.began


class _Training:
    """One training from its start, or from its checkpoint, to its end."""

    def __init__(self, problem: Problem) -> None:
        self.problem, self.model = problem, problem.model
        self.group = world()
        self.schedule = Schedule(problem, self.group)
        head = problem.cell.tuning == "head"
        self.optimiser = make_optimiser(self.model, problem.recipe, head=head)
        self.rates = [group["lr"] for group in self.optimiser.param_groups]
        self.precision = Precision(problem.recipe.precision, self.model.device.type)
        # Before a checkpoint is read: what holds a tensor to its start knows that start.
        self.anchors = proximal_terms(self.model, problem)
        self.solution, self.place = Solution(), Place()
        self._of_epoch: dict[str, Any] = {}  # what a checkpoint kept of an unfinished epoch

    def run(self) -> Solution:
        self._resume()
        ahead = self.schedule.ahead(self.place)
        with ExitStack() as stack:
            inputs = stack.enter_context(closing(self.model.source.ahead(ahead)))
            stepper = Stepper(
                self.model, self.optimiser, self.problem.recipe, self.problem.labels_N, self.group,
                self.precision, self.anchors, inputs,
            )  # fmt: skip
            stack.enter_context(closing(stepper))
            for epoch in range(self.schedule.budget.epochs):
                # Of finished epochs too: the head may change at one of them (schedule: released).
                self.model.head.begin_epoch(epoch)
                if epoch >= self.place.epoch:
                    self._epoch(epoch, stepper)
            if self.problem.keep_end:
                self._save(self._begin(self.schedule.budget.epochs))
        return self.solution

    def _epoch(self, number: int, stepper: Stepper) -> None:
        """One pass over the support set: a point of the curve."""
        epoch = self._begin(number)
        batches = self.schedule.batches(number)
        for i in range(self.place.step, len(batches)):
            self._stop_or_save(epoch)
            factor = self.schedule.rate(number, i)
            for group, rate in zip(self.optimiser.param_groups, self.rates, strict=True):
                group["lr"] = rate * factor
            loss, right = stepper.step(self.schedule.parts(batches[i]), epoch.drop)
            # Summed where they are computed and read once: to read a number at every step would
            # wait for the device.
            epoch.sums_2 += _pair(loss * len(batches[i]), right)
            epoch.read += len(batches[i])
            self.place = Place(number, i + 1)
        self._end(epoch, len(batches))

    def _begin(self, number: int) -> _Epoch:
        import torch

        seed, model = self.problem.seed, self.model
        sums_2 = torch.zeros(2, dtype=torch.float64, device=model.device)
        drop, texts = (torch_stream(seed, name, number) for name in ("dropout", "texts"))
        epoch = _Epoch(number, sums_2, drop, texts)
        model.source.begin_epoch(number)
        if model.texts is not None:
            model.texts.begin_epoch(texts)
        if self._of_epoch:
            epoch.restore(self._of_epoch)
            self._of_epoch = {}
        return epoch

    def _end(self, epoch: _Epoch, steps: int) -> None:
        loss_sum, correct = epoch.sums_2.tolist()
        if not math.isfinite(loss_sum):
            raise CellError(f"the loss is not a finite number after epoch {epoch.number + 1}")
        point = {
            "epoch": epoch.number + 1,
            "loss": loss_sum / epoch.read,
            "train_top1": correct / epoch.read,
            "seconds": epoch.spent(),
        }
        self.solution.steps += steps
        self.solution.curve.append(point)
        self.place = Place(epoch.number + 1)
        self.problem.watch.epoch(point | {"lr": self.optimiser.param_groups[0]["lr"]})

    def _stop_or_save(self, epoch: _Epoch) -> None:
        """Between two steps: end after an interruption, and write a checkpoint if it is time."""
        checkpoint = self.problem.checkpoint
        turn = agree(
            self.group,
            interrupted=self.problem.watch.interrupted(),
            save=checkpoint is not None and checkpoint.due(),
        )
        if turn.interrupted or turn.save:
            self._save(epoch)
        if turn.interrupted:
            raise KeyboardInterrupt

    def _save(self, epoch: _Epoch) -> None:
        checkpoint = self.problem.checkpoint
        if checkpoint is None:
            return
        progress = {
            "curve": self.solution.curve,
            "steps": self.solution.steps,
            "epoch": epoch.number,
            "step": self.place.step,
            "of_epoch": epoch.state(),
            "precision": self.precision.state(),
        }
        with agreement(self.group):  # the first one saves, and the others wait for it
            checkpoint.save(self.model, self.optimiser, progress)

    def _resume(self) -> None:
        checkpoint = self.problem.checkpoint
        saved = checkpoint.load(self.model, self.optimiser) if checkpoint is not None else None
        if saved is None:
            return
        self.solution = Solution(saved["curve"], saved["steps"])
        # A checkpoint of an earlier version was written at the end of an epoch.
        self.place = Place(saved.get("epoch", len(saved["curve"])), saved.get("step", 0))
        self._of_epoch = saved.get("of_epoch", {})
        self.precision.restore(saved.get("precision", {}))


def _pair(loss: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
    import torch

    return torch.stack([loss, right])
