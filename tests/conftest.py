"""What tests of every room share: one cache of features, a tiny task, and ways to plan and run it.

`plan_of` and `run_study` plan and run a task in this process. `cli` calls main() in this process,
`run_cli` starts `python -m harness`; both work in tmp_path.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import yaml
from PIL import Image

import harness

if TYPE_CHECKING:
    from harness.core.records import Record
    from harness.core.store import Store
    from harness.plan.plan import Plan
    from harness.task.schema import Task

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch: the tests share a small machine

ROOT = Path(harness.__file__).parent.parent
#: Folders with tests of whole studies, of several processes and of what a GPU would refuse.
SLOW = frozenset({"end_to_end", "pretended_gpu", "training"})
END_OF_BODY = "<!-- end of body -->"

#: Two classifiers, two seeds, five of the development classes: four cells, seconds.
TINY: dict[str, Any] = {
    "name": "tiny",
    "dataset": "emoji",
    "regime": "few_shot",
    "shots": 1,
    "classes": {"pick": 5, "seed": 0, "from": "development"},
    "encoder": "embedded/lit-emoji",
    "classifier": ["text", "random"],
    "recipe": {"preset": "lit_emoji", "epochs": 2},
    "seeds": 2,
}

Call = Callable[..., "Ended"]
WriteTask = Callable[..., str]


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    def errors(self) -> list[str]:
        return [line for line in self.err.splitlines() if line.startswith("error: ")]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """`-n auto`: one more than cores, as tests wait for processes and signals."""
    return (os.cpu_count() or 1) + 1


def pytest_collection() -> None:
    """Nothing that is collected is garbage, and there is much of it."""
    gc.disable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders of slow tests first: where processes share the tests, none begins a long one when
    the others have nothing left.
    """
    items.sort(key=lambda item: item.path.parent.name not in SLOW)


def pytest_collection_finish() -> None:
    """Garbage is collected from here on."""
    gc.enable()
    _keep()


def _keep() -> None:
    """What is there now stays until the end. Libraries and the harness run the garbage collector,
    which would look at all that was imported and collected, for half a second each time.
    """
    gc.collect()
    gc.freeze()


def pytest_sessionfinish() -> None:
    """What pytest and its plugins still import looks at references, as it would without tests."""
    gc.unfreeze()


@pytest.fixture(scope="module", autouse=True)
def _imported() -> Iterator[None]:
    """What the tests of a file have imported stays too."""
    yield
    _keep()


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Features of a handful of pictures are computed once for all tests."""
    folder = tmp_path_factory.mktemp("cache")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE", str(folder))
        yield folder


@pytest.fixture
def environment(tmp_path: Path, cache: Path) -> dict[str, str]:
    """A clean environment in which this copy of the package is the one that runs."""
    return {
        "PATH": os.environ.get("PATH", os.defpath),
        "HOME": str(tmp_path),
        "HARNESS_CACHE": str(cache),
        "PYTHONPATH": str(ROOT),
        "OMP_NUM_THREADS": "1",
    }


@pytest.fixture
def run_cli(tmp_path: Path, environment: dict[str, str]) -> Call:
    """`python -m harness` as a user starts it; keyword arguments add to the environment."""

    def run(*args: object, timeout: float = 120, **more: str) -> Ended:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *map(str, args)],
            cwd=tmp_path, env=environment | more, capture_output=True, text=True,
            timeout=timeout, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Call:
    """main() in this process. What main does not turn into a message fails the test by itself."""
    from harness.cli import main

    monkeypatch.chdir(tmp_path)

    def call(*args: object) -> Ended:
        capsys.readouterr()
        try:
            code = main([str(a) for a in args])
        except SystemExit as stop:  # argparse
            code = int(stop.code or 0)
        return Ended(code, *capsys.readouterr())

    return call


@pytest.fixture
def tiny(tmp_path: Path) -> WriteTask:
    """Write TINY with some keys replaced; a key that is None is left out. Returns the path."""

    def write(file: str = "tiny.yaml", /, **changes: Any) -> str:
        data = {k: v for k, v in (TINY | changes).items() if v is not None}
        path = tmp_path / file
        path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
        return str(path)

    return write


#: The keys of a task, the name of one in tasks/, or its file.
TaskLike = Mapping[str, Any] | str | Path
#: What errors call a task that is given as a mapping.
TASK_FILE = "task.yaml"


def read_like(task: TaskLike, /, **changes: Any) -> tuple[Task, str]:
    """A task with some keys replaced, and what errors call its file."""
    from harness.task import library
    from harness.task.read import read_task, validate

    if isinstance(task, Mapping):
        return validate({**task, **changes}, TASK_FILE), TASK_FILE
    path = library.task_file(str(task))
    return read_task(path, changes=changes), str(path)


def plan_of(task: TaskLike, runs: Path, /, **changes: Any) -> Plan:
    """The plan of a task with some keys replaced, in a runs folder."""
    from harness.core.store import Store
    from harness.plan.plan import plan_rows
    from harness.task.grid import expand_rows

    checked, file = read_like(task, **changes)
    return plan_rows(expand_rows(checked, file), Store(runs), file)


@dataclass(frozen=True)
class Ran:
    """A study that ran: its plan from before, its store, and the Records in the plan's order."""

    plan: Plan
    store: Store
    records: list[Record]


def run_study(
    task: TaskLike, runs: Path, /, *, jobs: int = 1, failing: bool = False, **changes: Any
) -> Ran:
    """Plan a task with some keys replaced, and run its missing cells in this process.

    Every cell must end as done, unless some are `failing`.
    """
    from harness.core.store import Store
    from harness.run.runner import run_cells

    plan, store = plan_of(task, runs, **changes), Store(runs)
    run_cells(plan.missing(), store, jobs=jobs, save=read_like(task, **changes)[0].save == "last")
    records = [record for c in plan.cells if (record := store.read(c.key)) is not None]
    assert len(records) == len(plan.cells), "every cell has a Record"
    assert failing or all(r.status == "done" for r in records), [r.error for r in records]
    return Ran(plan, store, records)


@pytest.fixture
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., str]]:
    """Make a plugin outside the package, of the members given: `elsewhere("ridge", USES=())`
    returns the name by which a task opens it.
    """
    from harness.core import registry

    def add(name: str, **members: Any) -> str:
        module = ModuleType(f"elsewhere.{name}", doc=f"The plugin {name} of a test.")
        vars(module).update(members)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return module.__name__

    yield add
    registry.load_kind.cache_clear()  # the next test may make another one of this name


def paint(root: Path, files: Mapping[str, tuple[int, int, int]]) -> None:
    """Small pictures, each of one colour."""
    for name, colour in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (24, 24), colour).save(path)


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Two classes, two pictures each for training and one to test."""
    root = tmp_path / "pictures"
    for n, name in enumerate(("red_car", "blue_boat")):
        for split, count in (("train", 2), ("test", 1)):
            paint(
                root,
                {f"{split}/{name}/{i}.png": (200 - 150 * n, 20 * i, 50 + 150 * n)
                 for i in range(count)},
            )  # fmt: skip
    return root


def records(runs: Path) -> dict[str, dict[str, Any]]:
    """Every Record below a runs folder, by key."""
    found = {p.stem: json.loads(p.read_bytes()) for p in runs.glob("cells/*/*.json")}
    assert all(key == record["key"] for key, record in found.items())
    return found


def hashes(runs: Path) -> dict[str, str]:
    """Science hash of every Record, by key."""
    return {key: record["science_hash"] for key, record in records(runs).items()}


def body(report: Path) -> str:
    """What a report says of the results: the text before the end of its body."""
    text = report.read_text(encoding="utf-8")
    assert END_OF_BODY in text
    return text.split(END_OF_BODY)[0]


def leftovers(root: Path) -> list[Path]:
    """Files that a writer left half-written."""
    return [p for pattern in ("*.tmp", "*.new", ".writable") for p in root.rglob(pattern)]


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGINT interrupts, here and in programs that start meanwhile, even where the tests were
    started with it ignored: under nohup, or by a script in the background.

    A program inherits an ignored signal, and Python then installs no handler for it. A signal that
    its parent handles is reset to the default instead.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.fixture
def unordered(monkeypatch: pytest.MonkeyPatch) -> list[tuple[bool, ...]]:
    """A training that needs a kernel without a fixed order; what is set while it is called."""
    import torch

    from harness.training.step import Stepper

    real, seen = Stepper.step, []

    def step(*args: Any, **kwargs: Any) -> Any:
        seen.append((torch.are_deterministic_algorithms_enabled(), torch.backends.cudnn.benchmark))
        torch.zeros(3).put_(torch.tensor([0]), torch.ones(1))
        return real(*args, **kwargs)

    monkeypatch.setattr(Stepper, "step", step)
    return seen
