"""What the report of a large study costs: seconds of CPU and memory of the command, and targets.

    python -m benchmarks.report_scale                 20 rows x 50 columns x 100 seeds
    python -m benchmarks.report_scale --rows 100 --columns 100 --seeds 10
    python -m benchmarks.report_scale --folder DIR    keep the Records there for the next time

One cell is run, and 100,000 Records are written from it by the store, with the keys of the plan and
outcomes that are drawn: rows, seeds and items differ. Exit code 1: a target was not met.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

from benchmarks.scale import Cost, Line, measured, table

CLASSES, TESTED, WIDTH, EPOCHS = 20, 10, 32, 8
MOST_SECONDS, MOST_MB = 60, 1024
#: `python -m harness`, which says at its end whether torch was loaded.
PROGRAM = """
import atexit, runpy, sys
atexit.register(lambda: print("torch" if "torch" in sys.modules else "no torch", file=sys.stderr))
runpy.run_module("harness", run_name="__main__", alter_sys=True)
"""
WITHOUT_TORCH = "no torch"


def features(root: Path, shots: int) -> None:
    """Features with 10 test items of each of 20 classes, and texts of the classes."""
    rng = np.random.default_rng(0)
    root.mkdir(parents=True)
    train, test = np.arange(CLASSES * shots), np.arange(CLASSES * TESTED)
    labels_N = np.concatenate([train, test]) % CLASSES
    text_CF = rng.standard_normal((CLASSES, WIDTH))
    table_NF = text_CF[labels_N] + rng.normal(0, 2, (len(labels_N), WIDTH))
    np.save(root / "features.npy", table_NF.astype(np.float32))
    np.save(root / "labels.npy", labels_N)
    np.save(root / "split.npy", np.array(["train"] * len(train) + ["test"] * len(test)))
    np.save(root / "text_features.npy", text_CF.astype(np.float32))
    (root / "class_names.txt").write_text("".join(f"class {c}\n" for c in range(CLASSES)))


def task_of(folder: Path, rows: int, columns: int, seeds: int) -> dict[str, Any]:
    """A row for each learning rate, a column for each number of shots."""
    return {
        "name": "scale",
        "dataset": f"features:{folder / 'features'}",
        "encoder": f"given:{folder / 'features'}",
        "regime": "few_shot",
        "shots": list(range(1, columns + 1)),
        "classifier": "random",
        "tuning": "head",
        "recipe": {"lr": [round(1e-4 * (r + 1), 6) for r in range(rows)], "epochs": EPOCHS},
        "seeds": seeds,
        "report": {"rows": "recipe.lr", "columns": "shots"},
    }


def write_records(folder: Path, rows: int, columns: int, seeds: int) -> None:
    """The features, the task and a done Record of each of its cells."""
    import yaml

    import harness

    os.environ["HARNESS_CACHE"] = str(folder / "cache")
    features(folder / "features", columns)
    task = task_of(folder, rows, columns, seeds)
    study = harness.open_study(task, runs=folder / "runs", reports=folder / "reports")
    first = harness.open_study(task, runs=folder / "first", shots=[1], seeds=1).run()
    cell = first.plan().cells[0]
    like = first.record(cell)
    assert like is not None
    arrays = first.store.arrays(like)
    study.store.write_test(cell.test)
    with mock.patch("os.fsync"):  # which takes minutes, and changes no file
        for resolved in study.plan().cells:
            study.store.write(*_record(resolved, like, arrays))
    study.write_task()
    # Last: a folder without it was not finished.
    (folder / "scale.yaml").write_text(yaml.safe_dump(task))


def _record(resolved: Any, like: Any, arrays: Any) -> tuple[Any, dict[str, Any]]:
    """The Record `like` and its arrays as those of another cell, with outcomes of its own."""
    cell = resolved.cell
    rng = np.random.default_rng(int(resolved.key, 16))
    rank_N = _ranks(cell, rng)
    curve = [{**p, "loss": p["loss"] * rng.uniform(0.9, 1), "seconds": rng.uniform(0.1, 0.2)}
             for p in like.curve]  # fmt: skip
    labels_N = np.arange(len(rank_N)) % CLASSES
    top1 = float((rank_N == 0).mean())
    record = replace(
        like, key=resolved.key, train_key=resolved.train_key, cell=cell.plain(), curve=curve,
        top1=top1, mean_class=top1, top5=float((rank_N < 5).mean()), nll=float(rng.uniform(1, 3)),
        ece=float(rng.uniform(0, 0.2)), support=resolved.key,
    )  # fmt: skip
    changed = {"rank": rank_N, "prediction": ((labels_N + rank_N) % CLASSES)}
    return record, {**arrays, **{k: v.astype(arrays[k].dtype) for k, v in changed.items()}}


def _ranks(cell: Any, rng: np.random.Generator) -> np.ndarray[Any, Any]:
    """Items differ in difficulty, rows, columns and seeds in accuracy."""
    n = CLASSES * TESTED
    difficulty_N = np.random.default_rng(0).normal(0, 1, n)
    of_seed = np.random.default_rng([1, cell.seed, cell.shots]).normal(0, 0.2)
    score_N = difficulty_N + of_seed + 150 * cell.recipe.lr + 0.02 * cell.shots
    wrong_N = score_N + rng.normal(0, 0.7, n) < 0
    return np.where(wrong_N, rng.integers(1, CLASSES, n), 0)


def measure(folder: Path, counts: tuple[int, int, int]) -> list[Line]:
    """The report, and the plan alone."""
    if not (folder / "scale.yaml").is_file():
        total = counts[0] * counts[1] * counts[2]
        print(f"writing {total:,} Records ...", file=sys.stderr, flush=True)
        _in_a_process(write_records, folder, *counts)
    what = "{} rows x {} columns x {} seeds".format(*counts)
    lines = []
    for command, words in (("plan", []), ("report", ["--reports", "reports"])):
        arguments = [command, "scale.yaml", "--runs", "runs", *words]
        cost = measured(arguments, folder, program=("-c", PROGRAM))
        lines.append(Line(f"{what}: {command} ({_loaded(cost)})", cost, MOST_SECONDS, MOST_MB))
        print(lines[-1].row(), file=sys.stderr, flush=True)
        if cost.code:
            print(cost.told[-2000:], file=sys.stderr)
    return lines


def _loaded(cost: Cost) -> str:
    return cost.told.strip().rpartition("\n")[2]


def _in_a_process(make: Callable[..., None], *arguments: Any) -> None:
    """The kernel counts the memory of this process to every command that it starts."""
    with ProcessPoolExecutor(1) as pool:
        pool.submit(make, *arguments).result()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=20)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--folder", help="keep the Records here; by default they are temporary")
    args = parser.parse_args(arguments)
    counts = (args.rows, args.columns, args.seeds)
    with tempfile.TemporaryDirectory() as temporary:
        lines = measure(Path(args.folder or temporary).resolve(), counts)
    print(table(lines))
    loaded = [WITHOUT_TORCH in line.what for line in lines]
    return 0 if all(line.is_met for line in lines) and all(loaded) else 1


if __name__ == "__main__":
    sys.exit(main())
