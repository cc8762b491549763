"""What the benchmarks measured -> reports/performance.md: times, ratios to baselines, targets.

    python benchmarks/performance.py benchmark.json reports/performance.md

`make bench` runs it. Baseline and harness are measured in the same run on the same machine, so a
ratio says more than a time. Nothing here decides whether a change passes.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from harness.report.render.page_summary import MEASUREMENTS
from harness.report.render.write import write_index

PACKAGES = ("torch", "numpy", "scikit-learn")
#: First-order solvers are compared with a loop of their kind, the others with what has an optimum.
FIRST_ORDER = "first_order"
#: It minimises what scikit-learn's LogisticRegression does.
LOGISTIC = "lbfgs"


@dataclass(frozen=True)
class Line:
    """One measurement: what, how long, compared with what, and whether that meets its target."""

    what: str
    took: str
    compared: str = ""
    target: str = ""
    is_met: bool | None = None

    def row(self) -> str:
        met = {True: "met", False: "not met", None: ""}[self.is_met]
        return f"| {self.what} | {self.took} | {self.compared} | {self.target} | {met} |"


class Measured:
    """The benchmarks of one run by name, as pytest-benchmark saved them."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._by_name = {b["name"]: b for b in document["benchmarks"]}

    def names(self, begin: str) -> list[str]:
        return [name for name in self._by_name if name.startswith(begin)]

    def seconds(self, name: str) -> float:
        """The median round."""
        return float(self._by_name[name]["stats"]["median"])

    def info(self, name: str) -> Mapping[str, Any]:
        info: Mapping[str, Any] = self._by_name[name]["extra_info"]
        return info

    def per(self, name: str, unit: str) -> float | None:
        """Seconds for each of its cells, rows or files; None where it was not measured."""
        if name not in self._by_name:
            return None
        return self.seconds(name) / float(self.info(name)[unit])


def page(document: Mapping[str, Any]) -> str:
    """The report as Markdown."""
    measured = Measured(document)
    suites = {
        "Planning": plans(measured),
        "Hashes of content": contents(measured),
        "Cached features": features(measured),
        "Heads on frozen features": heads(measured),
        "Tuning a backbone": backbones(measured),
        "Several processes": exchanges(measured),
    }
    parts = [
        MEASUREMENTS,
        "# Performance",
        f"{machine(document)} `make bench` measured it and wrote this page.",
    ]
    for title, lines in suites.items():
        found = list(lines)
        if found:
            parts += [f"## {title}", table(found)]
    return "\n\n".join(parts) + "\n"


def machine(document: Mapping[str, Any]) -> str:
    info = document["machine_info"]
    cpu = info["cpu"]
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cpu.get('brand_raw', info['machine'])}, {cpu.get('count', '?')} cores; Python "
        f"{info['python_version']}, {packages}; {document['datetime'][:10]}."
    )


def table(lines: Sequence[Line]) -> str:
    head = "| What | Time | Compared | Target | |\n| :-- | --: | :-- | :-- | :-- |"
    return "\n".join([head, *(line.row() for line in lines)])


def plans(measured: Measured) -> Iterator[Line]:
    for name in measured.names("bench_plan["):
        cells, seconds = measured.info(name)["cells"], measured.seconds(name)
        of_all = seconds / cells * 100_000
        yield Line(
            f"plan {cells:,} cells: {name.removeprefix('bench_plan[').removesuffix(']')}",
            shown(seconds), f"100,000 cells: {shown(of_all)}", "10 s", of_all <= 10,
        )  # fmt: skip


def contents(measured: Measured) -> Iterator[Line]:
    for name, what in (("bench_first_plan", "first plan"), ("bench_later_plan", "later plans")):
        for found in measured.names(name):
            info = measured.info(found)
            yield Line(
                f"{what} of {info['files']:,} files", shown(measured.seconds(found)),
                f"ImageNet: {shown(info['of_1_28M'])} of a core",
            )  # fmt: skip


def features(measured: Measured) -> Iterator[Line]:
    baseline = measured.per("bench_shards", "rows")
    for name in ("bench_open", "bench_gather", "bench_find_all"):
        if name in measured.names(name):
            info, seconds = measured.info(name), measured.seconds(name)
            target = info["target_ms"] / 1000
            ratio = ""
            if baseline is not None and name == "bench_open":
                times = baseline * info["rows"] / seconds
                ratio = f"{times:,.0f} times as fast as a dict of rows from shards"
            yield Line(info["what"], shown(seconds), ratio, shown(target), seconds <= target)


def heads(measured: Measured) -> Iterator[Line]:
    loader, memory, sklearn = (
        measured.per(f"bench_{name}", "cells") for name in ("dataloader", "in_memory", "sklearn")
    )
    for name in ("bench_dataloader", "bench_in_memory", "bench_sklearn", "bench_sklearn_to_1e_6"):
        if (each := measured.per(name, "cells")) is not None:
            yield Line(
                f"a cell, {name.removeprefix('bench_')}{accuracy(measured, name)}", shown(each)
            )
    for name in measured.names("bench_solver["):
        solver = name.removeprefix("bench_solver[").removesuffix("]")
        each = measured.per(name, "cells")
        if each is None or loader is None or memory is None or sklearn is None:
            continue
        what = f"a cell, solver {solver}{accuracy(measured, name)}"
        if solver.startswith(FIRST_ORDER):
            share = each / memory
            yield Line(
                what, shown(each), f"{share:.2f} times the loop in memory", "at most 1.2 times",
                share <= 1.2,
            )  # fmt: skip
            continue
        faster, than_sklearn = loader / each, sklearn / each
        yield Line(
            what, shown(each),
            f"{faster:.1f} times as fast as the DataLoader loop, {than_sklearn:.1f} times as "
            "scikit-learn",
            "16 and 5 times (goal: 25 and 8)", faster >= 16 and than_sklearn >= 5,
        )  # fmt: skip
        if solver != LOGISTIC:
            continue  # another loss
        off = measured.info(name)["top1"] - measured.info("bench_sklearn")["top1"]
        yield Line(
            f"accuracy, solver {solver}", "", f"{off:+.2f} points from scikit-learn", "0.2 points",
            abs(off) <= 0.2,
        )  # fmt: skip


def backbones(measured: Measured) -> Iterator[Line]:
    for name in measured.names("bench_waiting"):
        info = measured.info(name)
        yield Line(
            f"waiting for clips, {info['workers']} workers, steps of {info['step']} s",
            f"{info['waiting']:.1%}", "of the time", f"at most {info['target']:.0%}",
            info["waiting"] <= info["target"],
        )  # fmt: skip
    for name, what, ours, baseline in (
        ("bench_cpu_of_a_clip", "8 frames of a clip of 300, CPU", "harness", "plain"),
        ("bench_step", "a step of a tiny ViT on pictures, CPU", "harness", "bare"),
    ):
        for found in measured.names(name):
            info = measured.info(found)
            times = info[ours] / info[baseline]
            yield Line(
                what, shown(info[ours]), f"{times:.2f} times a plain loop",
                f"at most {info['target']} times", times <= info["target"],
            )  # fmt: skip


def exchanges(measured: Measured) -> Iterator[Line]:
    for name in measured.names("bench_exchange"):
        info = measured.info(name)
        times = info["buckets"] / info["ddp"]
        yield Line(
            f"a step of 2 processes over gloo, {info['parameters'] / 1e6:.0f}M parameters",
            shown(info["buckets"]), f"{times:.2f} times DistributedDataParallel",
            f"at most {info['target']} times", times <= info["target"],
        )  # fmt: skip


def accuracy(measured: Measured, name: str) -> str:
    return f" ({measured.info(name)['top1']:.1f}% right)"


def shown(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{1000 * seconds:.1f} ms"


def main(arguments: Sequence[str]) -> None:
    source, goal = map(Path, arguments)
    text = page(json.loads(source.read_text(encoding="utf-8")))
    goal.write_text(text, encoding="utf-8")
    write_index(goal.parent)
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:])
