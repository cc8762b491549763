"""What running a thousand small cells in jobs costs in addition to the cells themselves.

    eval "$(slurm/test_cluster.sh env)"
    python slurm/measure_overhead.py FOLDER [--cells 1000] [--pack 2m] [--parallel 3]

Runs a task of CELLS cells in FOLDER, which must be new, and prints one JSON document: seconds per
cell, and of the jobs' time the shares of their start (Python, torch, the encoder, the features) and
of all else that is not a cell (reading and writing Records, SLURM, submitit). Times are wall-clock
times, from the jobs' logs and the Records.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

TASK: dict[str, Any] = {
    "name": "overhead",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "classes": {"pick": 20, "seed": 0, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "classifier": ["text", "random"],
    "recipe": {"preset": "lit_emoji", "epochs": 120},
}
#: Cells that run first in this process, so that batches are made with measured times.
CALIBRATION = 10
POLL_SECONDS = 1.0
STAMP = re.compile(r"^submitit \w+ \((\d+-\d+-\d+ \d+:\d+:\d+),(\d+)\) - (.*)$", re.MULTILINE)


def harness(folder: Path, *arguments: object) -> str:
    """What `python -m harness` prints; the script ends if it fails."""
    ended = subprocess.run(
        [sys.executable, "-m", "harness", *map(str, arguments)],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=False,
    )  # fmt: skip
    if ended.returncode:
        sys.exit(f"harness {arguments[0]} ended with {ended.returncode}")
    return ended.stdout


def job_times(log: Path) -> tuple[float, float]:
    """Seconds since 1970 at which a job began and ended."""
    text = log.read_text(encoding="utf-8", errors="replace")
    stamps = [
        (datetime.fromisoformat(moment).timestamp() + int(milli) / 1000, message)
        for moment, milli, message in STAMP.findall(text)
    ]
    began = next(t for t, message in stamps if message.startswith("Starting"))
    ended = next(t for t, message in stamps if message.startswith("Job completed"))
    return began, ended


def batch_times(folder: Path, batch: dict[str, Any]) -> dict[str, float]:
    """Of one batch: seconds of its job, of its start, and of its cells."""
    logs = list((folder / "runs" / "logs" / batch["submission"]).glob("*_0_log.out"))
    if len(logs) > 1:  # of an array
        logs = [log for log in logs if log.name.endswith(f"_{batch['index']}_0_log.out")]
    began, ended = job_times(*logs)
    paths = [folder / "runs" / "cells" / key[:2] / f"{key}.json" for key in batch["keys"]]
    records = {path: json.loads(path.read_bytes()) for path in paths}
    first = min(paths, key=lambda path: path.stat().st_mtime)
    cells_began = first.stat().st_mtime - records[first]["cost"]["wall_s"]
    return {
        "job": ended - began,
        "start": cells_began - began,
        "cells": sum(record["cost"]["wall_s"] for record in records.values()),
        "number": len(paths),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--cells", type=int, default=1000)
    parser.add_argument("--pack", default="2m", metavar="TIME")
    parser.add_argument("--parallel", type=int, default=3)
    parser.add_argument("--profile", default="test")
    args = parser.parse_args()
    folder: Path = args.folder
    folder.mkdir(parents=True)
    seeds = args.cells // len(TASK["classifier"])
    (folder / "overhead.yaml").write_text(yaml.safe_dump(TASK | {"seeds": seeds}))
    first = CALIBRATION // len(TASK["classifier"])
    harness(folder, "grid", "overhead.yaml", f"seeds={first}", "--jobs", "1")

    begun = time.time()
    harness(
        folder, "grid", "overhead.yaml", "--launch", "slurm", "--profile", args.profile,
        "--set", f"pack={args.pack}", "--set", f"parallel={args.parallel}",
    )  # fmt: skip
    submitted = time.time()
    batches = [json.loads(p.read_bytes()) for p in (folder / "runs" / "jobs").glob("*-*-*.json")]
    names = ",".join({batch["submission"] for batch in batches})
    while subprocess.check_output(["squeue", "-h", f"--name={names}"]):
        time.sleep(POLL_SECONDS)
    ended = time.time()
    harness(folder, "grid", "overhead.yaml", "--launch", "slurm", "--profile", args.profile)

    times = [batch_times(folder, batch) for batch in batches]
    total = {key: sum(t[key] for t in times) for key in times[0]}
    other = total["job"] - total["start"] - total["cells"]
    print(json.dumps({
        "cells": int(total["number"]),
        "batches": len(batches),
        "seconds_of_a_batch": total["job"] / len(batches),
        "seconds_of_a_cell": total["cells"] / total["number"],
        "submit_seconds": submitted - begun,
        "wall_seconds": ended - begun,
        "cells_a_minute": 60 * total["number"] / (ended - begun),
        "start_seconds_of_a_batch": total["start"] / len(batches),
        "start_share": total["start"] / total["cells"],
        "other_share": other / total["cells"],
        "overhead": (total["job"] - total["cells"]) / total["cells"],
    }, indent=1))  # fmt: skip


if __name__ == "__main__":
    main()
