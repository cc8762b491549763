"""Results made in memory: Records and arrays with accuracies that the test chooses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from harness.core.cells import Cell
from harness.core.hashing import digest
from harness.core.records import Record
from harness.core.samples import TestSet
from harness.report.model.results import Result, Results
from harness.task.grid import expand
from harness.task.read import validate
from harness.task.schema import Task

NAMES = (
    "slice of pizza", "grinning cat face with smiling eyes", "volcano", "bicycle", "hot beverage",
    "umbrella with rain drops", "snowman", "rocket", "four leaf clover", "violin", "red apple",
    "crescent moon", "sailboat", "telescope", "cactus", "wedding", "fire engine", "light bulb",
    "honeybee", "mountain railway", "key", "lion face", "soccer ball", "tulip",
)  # fmt: skip

FEW_SHOT: dict[str, Any] = {
    "name": "few_shot",
    "question": "Does a text-initialised classifier beat a random one when labels are few?",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": [1, 2, 4],
    "classes": {"pick": 100, "from": "unseen"},
    "encoder": "embedded/lit-emoji",
    "classifier": [
        "text", "random", "orthogonal", "text_rotated", "text_shuffled", "prototype", "lda",
    ],
    "recipe": {"lr": 3e-4, "epochs": 60},
    "seeds": 5,
    "include": [{"paradigm": "vision_only"}],
    "report": {"rows": "classifier", "columns": "shots", "reference": "random",
               "published": ["few_shot"]},
}  # fmt: skip

#: Two rows whose configurations are chosen on the test set.
ON_TEST: dict[str, Any] = {
    "classifier": ["text", "random"],
    "shots": [1, 2],
    "include": [],
    "search": {"recipe.lr": [1e-3, 1e-4]},
    "selection": "test",
    "allow_test_selection": True,
    "report": {"rows": "classifier", "columns": "shots", "reference": "random"},
}
#: The same, and a row with a fixed recipe.
MIXED: dict[str, Any] = {**ON_TEST, "include": [
    {"classifier": "text", "selection": "last", "allow_test_selection": False, "search": None},
]}  # fmt: skip


def name_of(cell: Cell) -> str:
    """What names a cell of FEW_SHOT."""
    return cell.classifier.name if cell.classifier else "vision_only"


def few_shot(**options: Any) -> Results:
    """FEW_SHOT with changes of `task` and options of `make_results`; no lda at 1 shot."""
    task = task_of(**options.pop("task", {}))
    return make_results(task, few_shot_accuracy, **{"infeasible": no_lda_at_one} | options)


def task_of(**changes: Any) -> Task:
    return validate({**FEW_SHOT, **changes}, "test")


def make_results(
    task: Task,
    accuracy: Callable[[Cell], float],
    *,
    infeasible: Callable[[Cell], str | None] = lambda _: None,
    status: Callable[[Cell], str] = lambda _: "done",
    n: int = 200,
    n_classes: int = 100,
    host: str = "a",
    wall: float = 1.0,
    weights: bool = False,
    curve: Callable[[Cell], list[float]] = lambda _: [],
    measures: Callable[[Cell], Mapping[str, float]] = lambda _: {},
    test_name: Callable[[Cell], str] = lambda c: f"{c.dataset}{c.class_seed}",
    cells: list[Cell] | None = None,
) -> Results:
    """Results in which a cell is right on a share of items near `accuracy(cell)`."""
    results, refused = [], []
    arrays: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    tests: dict[str, TestSet] = {}
    for cell in expand(task) if cells is None else cells:
        if why := infeasible(cell):
            refused.append((cell, why))
            continue
        key = digest(cell.plain())
        if status(cell) == "missing":
            results.append(Result(cell, key, None))
            continue
        if status(cell) == "failed":
            error = {"type": "CellError", "message": "the loss is not | finite", "traceback": "x"}
            results.append(Result(cell, key, Record(key, cell.plain(), "failed", error=error)))
            continue
        test = _test(test_name(cell), n, n_classes)
        tests[test.sha256] = test
        rank_N = _ranks(cell, accuracy(cell), n)
        found: dict[str, np.ndarray[Any, Any]] = {"rank": rank_N, "prediction": rank_N}
        if weights:
            found |= _weights(cell, n_classes)
        arrays[key] = found
        record = Record(
            key=key,
            cell=cell.plain(),
            status="done",
            top1=float((rank_N == 0).mean()),
            top5=float((rank_N < 5).mean()),
            mean_class=float((rank_N == 0).mean()),
            nll=1.25,
            ece=0.05,
            n=n,
            measures=measures(cell),
            test=test.sha256,
            curve=[
                {"epoch": e, "loss": loss, "seconds": wall} for e, loss in enumerate(curve(cell))
            ],
            cost={"wall_s": wall, "gpu_s": wall / 2, "peak_bytes": wall * 2**20, "params": 491904,
                  "flops_per_view": 390_000_000, "flops_per_view_paper": 380_000_000,
                  "params_encoder": 86_000_000, "params_encoder_paper": 57_300_000,
                  "v100_days": 3.3, "a100_days": 0.5, "trainings": 1, "views": 1},
            environment={"host": host, "device": "cpu", "commit": host * 7, "dirty": False,
                         "versions": {"torch": host}, "started": f"2026-01-01T{host}"},
            science_hash=digest([key, rank_N.tolist()]),
        )  # fmt: skip
        results.append(Result(cell, key, record))

    def read(record: Record) -> Mapping[str, np.ndarray[Any, Any]]:
        return arrays[record.key]

    return Results(
        task, tuple(results), tuple(refused), tests, read, ("Support sets do not vary.",)
    )


def _test(name: str, n: int, n_classes: int) -> TestSet:
    labels_N = np.arange(n) % n_classes
    # Draws of classes share most of their names, as draws from one pool do.
    shift = 10 * int(name[-1]) if name[-1:].isdigit() else 0
    names = tuple(f"{NAMES[i % 24]} {i + shift}" if i > 23 else NAMES[i] for i in range(n_classes))
    return TestSet(tuple(f"{name}/{i}" for i in range(n)), labels_N, labels_N.copy(), names)


def _rng(*parts: Any) -> np.random.Generator:
    return np.random.default_rng(int(digest([str(p) for p in parts], 8), 16))


def _ranks(cell: Cell, accuracy: float, n: int) -> np.ndarray[Any, Any]:
    """Items differ in difficulty and share it between rows, as real ones do."""
    difficulty_N = _rng("items", cell.class_seed).normal(0, 0.25, n)
    noise_N = _rng("cell", cell.plain()).normal(0, 0.12, n) + _rng(cell.seed).normal(0, 0.02)
    score_N = difficulty_N + noise_N
    order_N = score_N.argsort().argsort()
    wrong_N = order_N >= accuracy * n
    return np.where(wrong_N, 1 + order_N % 9, 0).astype(np.uint32)


def _weights(cell: Cell, n_classes: int) -> dict[str, np.ndarray[Any, Any]]:
    text_CD = _rng("text").normal(size=(n_classes, 64))
    text_CD[1::4] += text_CD[0::4][: len(text_CD[1::4])]
    name = cell.classifier.name if cell.classifier else "vision_only"
    init = text_CD if name == "text" else _rng(name, cell.seed).normal(size=(n_classes, 64))
    if name == "orthogonal":
        init = np.linalg.qr(_rng(name).normal(size=(n_classes, n_classes)))[0]
    if name == "prototype":
        init = text_CD + 1.5 * _rng("p").normal(size=text_CD.shape)
    final = init + 0.8 * text_CD if init.shape == text_CD.shape and name == "vision_only" else init
    return {"w_init": init.astype(np.float16), "w_final": final.astype(np.float16)}


def few_shot_accuracy(cell: Cell) -> float:
    """Near what the embedded study measured at 1, 2 and 4 shots."""
    name = name_of(cell)
    base = {
        "text": 0.52,
        "random": 0.42,
        "orthogonal": 0.425,
        "text_rotated": 0.41,
        "text_shuffled": 0.33,
        "prototype": 0.58,
        "lda": 0.5,
        "vision_only": 0.44,
    }[name]
    assert cell.shots is not None
    wiggle = float(_rng(name, cell.seed, cell.shots, cell.class_seed).normal(0, 0.015))
    return min(0.95, base + {1: 0.0, 2: 0.1, 4: 0.2}.get(cell.shots, 0.25) * (1.5 - base) + wiggle)


def no_lda_at_one(cell: Cell) -> str | None:
    if cell.classifier is not None and cell.classifier.name == "lda" and cell.shots == 1:
        return "lda needs 2 samples a class, shots is 1"
    return None
