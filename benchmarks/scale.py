"""What planning costs on large data: seconds of CPU and memory of whole commands, and targets.

    python -m benchmarks.scale                       240,000 videos, 1.28M pictures and features
    python -m benchmarks.scale --videos 20000 --pictures 20000 --rows 20000
    python -m benchmarks.scale --only videos

The files are made for it, distinct and of few bytes, in a temporary folder (--folder). So what is
measured is the cost of a file, and not of its bytes. Every command is a process of its own; the
kernel says what it took. Exit code 1: a target was not met.
"""

from __future__ import annotations

import argparse
import io
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

#: As many as Kinetics-400 and ImageNet have.
VIDEOS, PICTURES, ROWS = 240_000, 1_281_167, 1_281_167
VIDEO_CLASSES, CLASSES, WIDTH, TESTED = 400, 1000, 512, 50
SHARD = 10_000
#: Targets: of the first plan its memory, of every later command its seconds of CPU as well.
MOST_MB, MOST_SECONDS = 300, 10
CELL_MB = 3000


@dataclass(frozen=True)
class Cost:
    """What a process took."""

    cpu_s: float
    wall_s: float
    peak_mb: float
    code: int
    told: str  # on standard error


@dataclass(frozen=True)
class Line:
    """A measured command beside its targets; None: there is no target."""

    what: str
    cost: Cost
    most_s: float | None = None
    most_mb: float | None = MOST_MB
    codes: Sequence[int] = (0,)  # that the command may end with

    @property
    def is_met(self) -> bool:
        """A command that failed has met nothing."""
        if self.cost.code not in self.codes:
            return False
        return (self.most_s is None or self.cost.cpu_s <= self.most_s) and (
            self.most_mb is None or self.cost.peak_mb <= self.most_mb
        )

    def row(self) -> str:
        seconds = f"{self.most_s:g} s" if self.most_s is not None else ""
        memory = f"{self.most_mb:g} MB" if self.most_mb is not None else ""
        targets = ", ".join(text for text in (seconds, memory) if text)
        met = ("met" if self.is_met else "not met") if targets else ""
        return (
            f"| {self.what} | {self.cost.cpu_s:.1f} s | {self.cost.wall_s:.1f} s | "
            f"{self.cost.peak_mb:.0f} MB | {targets} | {met} |"
        )


def table(lines: Sequence[Line]) -> str:
    head = "| What | CPU | Wall | Peak memory | Target | |\n| :-- | --: | --: | --: | :-- | :-- |"
    return "\n".join([head, *(line.row() for line in lines)])


def measured(
    arguments: Sequence[str],
    folder: Path,
    *,
    interrupted: bool = False,
    program: Sequence[str] = ("-m", "harness"),
) -> Cost:
    """A command of the harness in a process of its own; interrupted as soon as it shows progress,
    if that is asked for. `program` is what Python runs.
    """
    env = os.environ | {"HARNESS_CACHE": str(folder / "cache"), "OMP_NUM_THREADS": "1"}
    env["PYTHONPATH"] = str(Path(__file__).parents[1])
    command = [sys.executable, *program, *arguments]
    began = time.monotonic()
    with (folder / "stderr").open("w+b") as told:
        process = subprocess.Popen(
            command, cwd=folder, env=env, stdout=subprocess.DEVNULL, stderr=told
        )
        if interrupted:
            _interrupt(process.pid, folder / "stderr")
        _, status, used = os.wait4(process.pid, 0)
        told.seek(0)
        text = told.read().decode(errors="replace")
    process.returncode = os.waitstatus_to_exitcode(status)
    wall = time.monotonic() - began
    cpu, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 1024
    return Cost(cpu, wall, peak, process.returncode, text)


def _interrupt(pid: int, told: Path) -> None:
    """As Ctrl-C does, once something is told; nothing of a process that ends before."""
    ended = os.WEXITED | os.WNOHANG | os.WNOWAIT  # the kernel keeps what it took
    while os.waitid(os.P_PID, pid, ended) is None:
        if told.stat().st_size:
            os.kill(pid, signal.SIGINT)
            return
        time.sleep(0.05)


def videos(root: Path, count: int) -> Path:
    """Videos of some bytes in the layout of Kinetics, one in 12 of a class tested. No plan decodes
    them, and so finds that they are none. Returns one of them.
    """
    lines: dict[str, list[str]] = {"train": [], "val": []}
    for n in range(count):
        c, split = n % VIDEO_CLASSES, "train" if n // VIDEO_CLASSES % 12 else "val"
        _write(root, f"{split}/class {c}/id_{n:08}_000000_000010.mp4", n)
        lines[split].append(f"class {c},id_{n:08},0,10,{split}")
    for split, listed in lines.items():
        head = "label,youtube_id,time_start,time_end,split"
        (root / f"{split}.csv").write_text("\n".join([head, *listed]) + "\n")
    return root / "val" / "class 0" / "id_00000000_000000_000010.mp4"


def pictures(root: Path, count: int) -> Path:
    """Class folders of train, and 50 files a class of test, as ImageNet has. Returns one file."""
    for n in range(count + CLASSES * TESTED):
        split = "train" if n < count else "test"
        _write(root, f"{split}/n{n % CLASSES:08}/{n:07}.jpg", n)
    return root / "train" / "n00000000" / "0000000.jpg"


def _write(root: Path, name: str, n: int) -> None:
    path = f"{root}/{name}"
    try:
        file = open(path, "wb")  # noqa: PTH123, SIM115 - fast, for a million of them
    except FileNotFoundError:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        file = open(path, "wb")  # noqa: PTH123, SIM115
    with file:
        file.write(b"%010d" % n)


def shards(root: Path, count: int) -> Path:
    """Tar shards of 10,000 samples of some bytes. Returns one of them."""
    (root / "train").mkdir(parents=True)
    (root / "test").mkdir()
    (root / "classnames.txt").write_text("\n".join(f"class {c}" for c in range(CLASSES)) + "\n")
    total = count + CLASSES * TESTED
    for first in range(0, total, SHARD):
        split = "test" if first + SHARD > count else "train"
        with tarfile.open(root / split / f"{first // SHARD:05}.tar", "w") as tar:
            for n in range(first, min(first + SHARD, total)):
                for end, content in (("jpg", b"%010d" % n), ("cls", b"%d" % (n % CLASSES))):
                    info = tarfile.TarInfo(f"{n:08}.{end}")
                    info.size = len(content)
                    tar.addfile(info, io.BytesIO(content))
    return root / "train" / "00000.tar"


def features(root: Path, count: int) -> Path:
    """A folder of arrays: float16, and texts of every class. Returns the file of features."""
    rng = np.random.default_rng(0)
    root.mkdir(parents=True)
    classes = min(CLASSES, max(2, count // 100))
    table_NF = np.lib.format.open_memmap(
        root / "features.npy", "w+", dtype=np.float16, shape=(count, WIDTH)
    )
    for start in range(0, count, 65536):
        block = table_NF[start : start + 65536]
        block[:] = rng.standard_normal(block.shape, dtype=np.float32)
    table_NF.flush()
    np.save(root / "labels.npy", np.arange(count) % classes)
    np.save(root / "split.npy", np.where(np.arange(count) // classes % 25 == 0, "test", "train"))
    (root / "class_names.txt").write_text("\n".join(f"class {c}" for c in range(classes)) + "\n")
    np.save(root / "text_features.npy", rng.standard_normal((classes, WIDTH), dtype=np.float32))
    return root / "features.npy"


def of_files(folder: Path, what: str, task: Path, changed: Path, dataset: str) -> Iterator[Line]:
    """The first plan, interrupted and continued; every later command; one changed file."""
    plan = ["plan", str(task)]
    stopped = measured(plan, folder, interrupted=True)
    yield Line(f"{what}: first plan, until it is interrupted", stopped, codes=(130,))
    rest = measured(plan, folder)
    yield Line(f"{what}: first plan, continued ({_told(rest)})", rest)
    yield Line(f"{what}: later plan", measured(plan, folder), MOST_SECONDS)
    yield Line(f"{what}: status", measured(["status", str(task)], folder), MOST_SECONDS, codes=(3,))
    changed.write_bytes(changed.read_bytes()[::-1] if changed.suffix != ".tar" else _other(changed))
    again = measured(plan, folder)
    yield Line(f"{what}: plan after one file changed ({_told(again)})", again, MOST_SECONDS)
    check = ["data", "check", dataset, "--sample", "8"]
    yield Line(f"{what}: data check --sample 8", measured(check, folder), MOST_SECONDS, codes=(1,))


def _other(shard: Path) -> bytes:
    """The shard with another first sample."""
    content = shard.read_bytes()
    return content[:512] + b"x" * 10 + content[522:]  # behind its header


def _told(cost: Cost) -> str:
    """The last line of progress."""
    lines = [line for line in cost.told.splitlines() if line.startswith("files: ")]
    return lines[-1] if lines else "no progress"


def of_features(folder: Path, task: Path, few: Path) -> Iterator[Line]:
    plan = ["plan", str(task)]
    yield Line("features: first plan", measured(plan, folder))
    yield Line("features: later plan", measured(plan, folder), MOST_SECONDS)
    yield Line(
        "features: status", measured(["status", str(task)], folder), MOST_SECONDS, codes=(3,)
    )
    cell = measured(["grid", str(few)], folder)
    yield Line("features: one cell", cell, most_mb=CELL_MB)


def measure(folder: Path, counts: Mapping[str, int], only: str | None) -> Iterator[Line]:
    lit = {"encoder": "embedded/lit-emoji", "tuning": "all"}
    kinds = (("videos", videos, "video"), ("pictures", pictures, "folder"),
             ("shards", shards, "webdataset"))  # fmt: skip
    for what, make, family in kinds:
        if only in (None, what):
            dataset = f"{family}:{folder / what}"
            changed = _made(make, folder / what, counts[what])
            task = _task(folder, what, dataset=dataset, **lit)
            named = f"{counts[what]:,} {'pictures in shards' if what == 'shards' else what}"
            yield from of_files(folder, named, task, changed, dataset)
    if only in (None, "features"):
        _made(features, folder / "features", counts["features"])
        given = {"dataset": f"features:{folder / 'features'}",
                 "encoder": f"given:{folder / 'features'}", "tuning": "head"}  # fmt: skip
        task = _task(folder, "features", **given)
        few = _task(folder, "few", **given | {"tuning": "none", "classifier": "text"})
        yield from of_features(folder, task, few)


def _made(make: Callable[[Path, int], Path], root: Path, count: int) -> Path:
    """In a process of its own: the kernel counts the memory of this one to every command that it
    starts.
    """
    print(f"writing {count:,} {root.name} ...", file=sys.stderr, flush=True)
    with ProcessPoolExecutor(1) as pool:
        return pool.submit(make, root, count).result()


def _task(folder: Path, name: str, **keys: str) -> Path:
    path = folder / f"{name}.yaml"
    lines = {"name": name, "regime": "full", "classifier": "text", "seeds": "1"} | keys
    path.write_text("".join(f"{key}: {value}\n" for key, value in lines.items()))
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--videos", type=int, default=VIDEOS)
    parser.add_argument("--pictures", type=int, default=PICTURES)
    parser.add_argument("--rows", type=int, default=ROWS)
    parser.add_argument("--only", choices=("videos", "pictures", "shards", "features"))
    parser.add_argument("--folder", help="for temporary files; by default the system's")
    args = parser.parse_args(arguments)
    counts = {
        "shards": args.pictures,
        "videos": args.videos,
        "pictures": args.pictures,
        "features": args.rows,
    }
    lines = []
    with tempfile.TemporaryDirectory(dir=args.folder) as folder:
        for line in measure(Path(folder), counts, args.only):
            print(line.row(), file=sys.stderr, flush=True)
            if line.cost.code not in line.codes:
                print(line.cost.told[-500:], file=sys.stderr)
            lines.append(line)
    print(table(lines))
    return 0 if all(line.is_met for line in lines) else 1


if __name__ == "__main__":
    sys.exit(main())
