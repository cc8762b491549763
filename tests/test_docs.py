"""What the pages say is true: examples run, links lead somewhere, every key is explained."""

from __future__ import annotations

import csv
import importlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, Call, WriteTask, records

from harness.cli import command_names, parser
from harness.core import registry
from harness.task import library, yaml_reader
from harness.task.grid import expand
from harness.task.read import read_task
from harness.task.schema import RecipeModel, ReportModel, Task

PAGES = [
    page for page in (*sorted((ROOT / "docs").glob("*.md")), ROOT / "README.md") if page.is_file()
]
TASKS_PAGE = ROOT / "docs" / "tasks.md"
EXTENDING = ROOT / "docs" / "extending.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.DOTALL | re.MULTILINE)
FILE = re.compile(
    r"^File `((?:harness/)?\w+)/(\w+)\.py`:\n\n```python\n(.*?)^```", re.DOTALL | re.MULTILINE
)
#: Folder of a plugin -> its kind.
KIND = {kind.package.replace(".", "/"): name for name, kind in registry.KINDS.items()}
KIND["harness/commands"] = "command"
#: Small enough for a test, whatever the example asks for.
SMALL = {
    "dataset": "emoji",
    "classes": {"pick": 5, "seed": 0, "from": "development"},
    "shots": 1,
    "seeds": 1,
    "resolution": 64,
    "recipe": {"preset": "lit_emoji", "epochs": 2},
}

pytestmark = pytest.mark.skipif(not TASKS_PAGE.is_file(), reason="an installed package has no docs")


def text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def blocks(language: str) -> Iterator[tuple[str, str]]:
    """(page and number, content) of every fenced block in a language."""
    for page in PAGES:
        found = [body for name, body in BLOCK.findall(text(page)) if name == language]
        yield from ((f"{page.name}-{i}", body) for i, body in enumerate(found))


def ids(cases: list[tuple[str, str]]) -> list[str]:
    return [name for name, _ in cases]


YAML = list(blocks("yaml"))
COMMANDS = [
    (f"{name}: {line}", line)
    for language in ("bash", "console", "sh")
    for name, body in blocks(language)
    for line in body.replace("\\\n", " ").splitlines()
    if line.lstrip("$ ").startswith("python -m harness")
]
PLUGINS: list[tuple[str, str, str]] = FILE.findall(text(EXTENDING)) if EXTENDING.is_file() else []


#: Plugins that a task names, and those that the command line names.
IN_TASKS = [
    name
    for folder, name, _ in PLUGINS
    if KIND[folder] not in ("launcher", "log", "command", "screen")
]


# --- tasks ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "body"), YAML, ids=ids(YAML))
def test_every_example_is_a_task(name: str, body: str, tmp_path: Path) -> None:
    data = yaml_reader.parse(body, name)
    if not isinstance(data, dict) or "name" not in data:
        return  # a piece of a task
    if any(f"method.{option}" in body for option in ("strength",)):
        assert "ridge_probe" in IN_TASKS  # whose options are known where the plugin is
        return
    path = tmp_path / "example.yaml"
    path.write_text(body, encoding="utf-8")
    assert expand(read_task(path))


def test_there_are_examples() -> None:
    assert len(YAML) > 12
    assert len(COMMANDS) > 10
    kinds = [KIND[folder] for folder, _, _ in PLUGINS]
    assert sorted(kinds) == [
        "classifier", "command", "dataset", "encoder", "launcher", "log", "measure", "method",
        "paradigm", "prompt", "screen", "solver", "temporal",
    ]  # fmt: skip


def test_the_first_example_says_what_plan_says(cli: Call, tmp_path: Path) -> None:
    first = next(body for name, body in YAML if name == "tasks.md-0")
    (tmp_path / "first.yaml").write_text(first, encoding="utf-8")
    ended = cli("plan", "first.yaml")
    assert ended.code == 0
    seconds = re.compile(r"about \d+ s")  # they follow what was measured on this machine
    page = seconds.sub("", text(TASKS_PAGE))
    lines = [line.strip() for line in ended.out.splitlines()]
    assert len(lines) > 1
    for line in lines:
        assert line.startswith("estimated: ") or seconds.sub("", line) in page


@pytest.mark.parametrize("model", [Task, RecipeModel, ReportModel])
def test_every_key_is_explained(model: type[Any]) -> None:
    rows = set(re.findall(r"^\| `(\w+)` \|", text(TASKS_PAGE), re.MULTILINE))
    known = {field.alias or name for name, field in model.model_fields.items()}
    assert known - rows == set(), "has no row in a table of docs/tasks.md"


def test_every_classifier_has_a_line_in_its_table() -> None:
    """What its USES name is what the table says that it is made of."""
    of_page = TASKS_PAGE.read_text(encoding="utf-8")
    section = of_page.partition("\n## Classifiers\n")[2].partition("\n## ")[0]
    made_of = dict(re.findall(r"^\| `(\w+)` \| ([^|]*) \|", section, re.MULTILINE))
    assert set(made_of) == set(registry.names("classifier"))
    words = {"text": "texts", "support": "support", "seed": "seed", "saved": "`init`"}
    for name, told in made_of.items():
        parts = [words[use] for use in registry.load_kind("classifier", name).USES]
        assert told.removesuffix(" of a file") == (", ".join(parts) or "nothing"), name


def test_keys_in_the_table_exist() -> None:
    table = text(TASKS_PAGE).split("## Every key")[1].split("###")[0]
    rows = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))
    assert rows == set(Task.model_fields)


def test_axes_bear_a_star() -> None:
    from harness.task.grid import AXES

    starred = set(re.findall(r"^\| `(\w+)` \| \* \|", text(TASKS_PAGE), re.MULTILINE))
    assert starred == set(AXES)


def test_defaults_in_the_table() -> None:
    """Of the recipe, whose numbers are the paper's."""
    page = text(TASKS_PAGE).split("### recipe")[1].split("###")[0]
    rows = re.findall(r"^\| `(\w+)` \|.*\| `?([^|`]+?)`? \|$", page, re.MULTILINE)
    told = {name: yaml_reader.parse(value, name) for name, value in rows}
    for name, field in RecipeModel.model_fields.items():
        default = field.get_default()
        if isinstance(default, list) and default != [None]:
            assert told[name] == default[0], name


def refused() -> list[str]:
    section = text(TASKS_PAGE).split("## Not built yet")[1].split("\n## ")[0]
    return re.findall(r"^\| `(.+?)` \|", section, re.MULTILINE)


@pytest.mark.parametrize("overrides", refused() if TASKS_PAGE.is_file() else [])
def test_what_is_called_not_built_is_refused(overrides: str, cli: Call, tiny: WriteTask) -> None:
    """If this fails because it is built now: take the line out of docs/tasks.md."""
    parts = re.split(r" (?=\w+=)", overrides)
    ended = cli("plan", tiny(), *parts)
    assert ended.code == 2, f"{overrides} is accepted: take it out of 'Not built yet'"
    assert len(ended.errors()) == 1
    assert "built" in ended.err, ended.err


# --- plugins -------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A package outside the harness that holds every plugin of extending.md; its name."""
    root = tmp_path_factory.mktemp("plugins")
    package = root / "docs_plugins"
    package.mkdir()
    for _, name, code in PLUGINS:
        (package / f"{name}.py").write_text(code, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(root))
        yield package.name
    for module in [m for m in sys.modules if m.split(".")[0] == package.name]:
        del sys.modules[module]


def example_of(plugin: str) -> dict[str, Any]:
    """The task that follows a plugin's file in the page."""
    after = text(EXTENDING).split(f"/{plugin}.py`:")[1]
    data = next(body for language, body in BLOCK.findall(after) if language == "yaml")
    found: dict[str, Any] = yaml_reader.parse(data, plugin)
    return found


def small(task: dict[str, Any], plugin: str) -> dict[str, Any]:
    own = {"dataset", "classes"} if plugin in ("shapes", "last_frame") else set()
    if task["regime"] == "zero_shot":
        own |= {"shots", "recipe"}
    recipe = {"recipe": task.get("recipe", {}) | SMALL["recipe"]} if "recipe" not in own else {}
    return task | {k: v for k, v in SMALL.items() if k not in own} | recipe


@pytest.mark.parametrize("plugin", IN_TASKS)
def test_plugin_runs_from_outside(plugin: str, plugins: str, cli: Call, tmp_path: Path) -> None:
    """Its own example, with the plugin named as package.module: one file, nothing else touched."""
    importlib.invalidate_caches()
    task = json.dumps(small(example_of(plugin), plugin))
    task = re.sub(rf'"{plugin}"', f'"{plugins}.{plugin}"', task)
    assert f"{plugins}.{plugin}" in task
    (tmp_path / "example.yaml").write_text(task, encoding="utf-8")
    ended = cli("grid", "example.yaml")
    assert ended.code == 0, ended.err
    found = list(records(tmp_path / "runs").values())
    assert found
    assert all(record["status"] == "done" for record in found)
    assert any(f"{plugins}.{plugin}" in json.dumps(record) for record in found)


def test_measure_from_outside_is_everywhere(
    plugins: str, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    """In the Record, the csv, the log of a cell and the report."""
    name = f"{plugins}.worst_class"
    ended = cli("grid", tiny(measures=[name]), "--log", f"{plugins}.lines")
    assert ended.code == 0, ended.err
    found = list(records(tmp_path / "runs").values())
    assert all(0 <= record["measures"][name] <= record["top1"] for record in found)
    header = (tmp_path / "reports" / "tiny.csv").read_text("utf-8").splitlines()[0].split(",")
    assert name in header
    assert "Worst class accuracy" in (tmp_path / "reports" / "tiny.md").read_text("utf-8")
    assert ended.err.count(f"{name} 0.") + ended.err.count(f"{name} 1.") == len(found)


def test_screen_from_outside_is_computed_of_every_cell(
    plugins: str, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    ended = cli("screen", tiny(), "--measure", f"{plugins}.spread", "--by", f"{plugins}.spread")
    assert ended.code == 0, ended.err
    with (tmp_path / "reports" / "tiny_screen.csv").open(encoding="utf-8") as handle:
        values = [float(row[f"{plugins}.spread"]) for row in csv.DictReader(handle)]
    assert len(values) == 4
    assert all(0 < value < 2 for value in values)
    assert "Spread of the rows" in (tmp_path / "reports" / "tiny_screen.md").read_text("utf-8")


def test_measure_of_records_that_were_there_before(
    plugins: str, cli: Call, tiny: WriteTask, tmp_path: Path
) -> None:
    """It is computed from their arrays: nothing is trained again, and no Record is written."""
    assert cli("grid", tiny()).code == 0
    before = records(tmp_path / "runs")
    name = f"{plugins}.worst_class"
    assert cli("grid", tiny(measures=[name])).code == 0
    assert records(tmp_path / "runs") == before
    with (tmp_path / "reports" / "tiny.csv").open(encoding="utf-8") as handle:
        values = [float(row[name]) for row in csv.DictReader(handle)]
    assert len(values) == 4
    assert all(
        0 <= v <= r["top1"]
        for v, r in zip(
            sorted(values), sorted(before.values(), key=lambda r: r["top1"]), strict=True
        )
    )


def test_launcher_from_outside(plugins: str, cli: Call, tiny: WriteTask) -> None:
    ended = cli("grid", tiny(), "--launch", f"{plugins}.one_by_one")
    assert ended.code == 0, ended.err
    assert "4 trainings" in ended.out
    assert ended.err.count("training ") == 4


def test_object_of_a_module(plugins: str, cli: Call, tiny: WriteTask, tmp_path: Path) -> None:
    """`package.module:object`: the object needs what a file would have."""
    place = Path(importlib.import_module(f"{plugins}.text_mix").__file__ or "").parent
    code = "from types import SimpleNamespace\nfrom . import text_mix as t\n"
    code += "mix = SimpleNamespace(USES=t.USES, Options=t.Options, build=t.build)\n"
    (place / "objects.py").write_text(code, encoding="utf-8")
    importlib.invalidate_caches()
    ended = cli("plan", tiny(classifier=[f"{plugins}.objects:mix"]), "--json")
    assert ended.code == 0, ended.err
    assert json.loads(ended.out)["counts"]["waiting"] == 2


@pytest.fixture
def copied(tmp_path: Path, environment: dict[str, str]) -> tuple[Path, Callable[..., str]]:
    """A copy of the package, and `python -m harness` in it."""
    copy = tmp_path / "copy"
    for folder in ("harness", "baselines", "tasks"):
        # What is compiled already is used; a file that is being compiled may vanish.
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("*.pyc.*"))

    def call(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "harness", *arguments],
            cwd=copy, env=environment | {"PYTHONPATH": str(copy)},
            capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    return copy, call


def test_plugins_dropped_in(copied: tuple[Path, Callable[..., str]]) -> None:
    """In a copy of the package: each appears in `list`, and a grid of them can run."""
    copy, call = copied
    task = {**SMALL, "name": "all", "regime": "few_shot"}
    for folder, name, code in PLUGINS:
        (copy / folder / f"{name}.py").write_text(code, encoding="utf-8")
        if KIND[folder] in ("classifier", "dataset", "encoder", "prompt"):
            task[KIND[folder]] = name
    del task["classes"]
    task |= {"paradigm": ["vision_text", "cosine_head"], "method": [None, "ridge_probe"]}
    (copy / "all.yaml").write_text(json.dumps(task), encoding="utf-8")
    listed = json.loads(call("list", "--json"))
    for folder, name, code in PLUGINS:
        first_line = code.strip('"').split("\n")[0].strip('"')
        if KIND[folder] != "command":
            assert listed[KIND[folder]][name] == first_line
    call("grid", "all.yaml", "--launch", "one_by_one", "--log", "lines")
    found = list(records(copy / "runs").values())
    assert len(found) == 3  # a method has no paradigm
    assert all("worst_class" in record["measures"] for record in found)
    assert len(call("slowest", "all.yaml", "--most", "2").splitlines()) == 2


def test_axis_added(copied: tuple[Path, Callable[..., str]], tiny: WriteTask) -> None:
    """The change of the page fits the code, changes no key of an older cell, and adds an axis."""
    copy, call = copied
    change = next(body for language, body in BLOCK.findall(text(EXTENDING)) if language == "diff")
    before = json.loads(call("plan", tiny(), "--json"))["cells"]
    subprocess.run(["git", "apply", "-"], input=change, cwd=copy, text=True, check=True, timeout=60)
    call("grid", tiny(feature_noise=[0, 0.5], seeds=1))
    noisy = {
        c["key"]: c["cell"]
        for c in json.loads(call("plan", tiny(feature_noise=[0, 0.5]), "--json"))["cells"]
    }
    assert {c["key"] for c in before} < set(noisy)
    assert sorted(cell.get("feature_noise", 0) for cell in noisy.values()) == [0] * 4 + [0.5] * 4
    results = {
        r["cell"].get("feature_noise", 0): r["curve"] for r in records(copy / "runs").values()
    }
    assert results[0][0]["loss"] != results[0.5][0]["loss"]


def test_plugins_are_short_and_clean(plugins: str) -> None:
    place = Path(importlib.import_module(f"{plugins}.text_mix").__file__ or "").parent
    for _, name, code in PLUGINS:
        assert len([line for line in code.splitlines() if line.strip()]) <= 55, name
    if shutil.which("ruff", path=str(Path(sys.executable).parent)) is None:
        pytest.skip("ruff is not installed")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--no-cache", "--ignore", "I001",
         "--config", str(ROOT / "pyproject.toml"), str(place)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


# --- the Python API ------------------------------------------------------------------------------


def test_the_python_page_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """All blocks of docs/python.md, one after the other in one namespace, as in a notebook."""
    monkeypatch.chdir(tmp_path)
    page = ROOT / "docs" / "python.md"
    namespace: dict[str, Any] = {}
    code = [body for language, body in BLOCK.findall(text(page)) if language == "python"]
    assert len(code) > 6
    for number, body in enumerate(code):
        exec(compile(body, f"{page.name}-{number}", "exec"), namespace)
    printed = capsys.readouterr().out
    assert "there is no such key" in printed
    assert "'classifier'" in printed
    assert namespace["best"] in {"text", "random", "prototype"}


def test_the_table_of_the_python_page_is_the_api() -> None:
    """Every call that the page lists exists, with the arguments that it names."""
    import inspect

    import harness

    page = text(ROOT / "docs" / "python.md")
    calls = re.findall(r"`(\.?)(\w+)\((.*?)\)`", page.split("| call |")[1].split("\n\n")[0])
    assert len(calls) > 8
    for dot, name, arguments in calls:
        call = getattr(harness.Study if dot else harness, name)
        named = [a.strip().rstrip("=") for a in arguments.split(",") if a.strip().endswith("=")]
        assert set(named) <= set(inspect.signature(call).parameters), name


# --- commands and links --------------------------------------------------------------------------


def test_every_command_exists() -> None:
    named = {
        (page.name, found)
        for page in PAGES
        for found in re.findall(r"python -m harness ([a-z]\w*)", text(page))
    }
    assert {(page, name) for page, name in named if name not in command_names()} == set()
    assert {name for _, name in named} >= {"grid", "plan", "list", "describe", "rebuild"}


@pytest.mark.parametrize(("name", "line"), COMMANDS, ids=ids(COMMANDS))
def test_every_command_line_is_accepted(name: str, line: str) -> None:
    """Its arguments and flags are known; a task that it names in tasks/ is there."""
    words = shlex.split(line.lstrip("$ "), comments=True)[3:]
    if words[:1] in (["--help"], ["--version"]):
        return
    args, rest = parser().parse_known_args(words)
    assert [word for word in rest if word.startswith("-") or "=" not in word] == []
    task = getattr(args, "task", None)
    if task is not None and not task.endswith(".yaml"):
        assert task in library.tasks()
    elif task is not None and "/" in task:
        assert (ROOT / task).is_file()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    prose = BLOCK.sub("", text(page))
    for target in re.findall(r"(?<!\\)\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        goal = (page.parent / file).resolve() if file else page
        assert goal.exists(), f"{page.name}: {target}"
        if anchor and goal.suffix == ".md":
            titles = re.findall(r"^#+ (.+)$", text(goal), re.MULTILINE)
            slugs = {re.sub(r"[^\w\- ]", "", t.lower()).replace(" ", "-") for t in titles}
            assert anchor in slugs, f"{page.name}: {target}"


def test_named_tasks_and_tests_exist() -> None:
    """`tasks/x.yaml` and `tests/test_x.py` in running text."""
    for page in PAGES:
        for found in re.findall(r"`((?:tasks|tests)/[\w/]+\.(?:yaml|py))`", text(page)):
            assert (ROOT / found).is_file(), f"{page.name}: {found}"


@pytest.mark.parametrize("task", sorted(library.tasks()))
def test_tasks_can_be_planned(task: str, cli: Call) -> None:
    """The pages send their reader to these; in their embedded variant if they have one, as their
    data are not here. A task that needs what is not here, or cannot be tested, says so.
    """
    embedded = read_task(library.task_file(task)).embedded is not None
    ended = cli("plan", task, *(["--embedded"] if embedded else []))
    said = "fetch" in ended.err or "cannot be run on embedded data" in ended.err
    assert ended.code == 0 or said, ended.err


# --- places of one machine -----------------------------------------------------------------------

#: A folder of somebody's machine; `RUNS/jobs` and `a/tmp/b` are none.
PLACE = re.compile(r"(?<![\w./<}])/(?:work|root|home|tmp|Users|mnt|scratch)/")
SUFFIXES = {".md", ".py", ".yaml", ".yml", ".json", ".toml", ".txt", ".cfg", ".sh"}
#: (file, line that may stand there): what names a place that every machine has.
ALLOWED: set[tuple[str, str]] = set()


def test_no_place_of_one_machine() -> None:
    """A path of its writer's machine works nowhere else."""
    roots = [ROOT / "docs", ROOT / "tasks", ROOT / "harness", ROOT / "baselines"]
    files = [path for root in roots for path in sorted(root.rglob("*"))]
    files += [ROOT / "README.md", ROOT / "pyproject.toml"]
    wrong = []
    for path in files:
        if path.suffix not in SUFFIXES or not path.is_file() or "__pycache__" in path.parts:
            continue
        for number, line in enumerate(text(path).splitlines(), start=1):
            name = path.relative_to(ROOT).as_posix()
            if PLACE.search(line) and (name, line.strip()) not in ALLOWED:
                wrong.append(f"{name}:{number}: {line.strip()}")
    assert wrong == []


@pytest.mark.parametrize(
    ("line", "bad"),
    [
        ("see /home/ann/data", True), ("root = '/tmp/x'", True), ("`/work/main`", True),
        ("RUNS/tmp/x", False), ("https://example.org/home/page", False), ("a/work/b", False),
        ("/proc/cpuinfo", False), (f"{os.sep}root{os.sep}x", True),
    ],
)  # fmt: skip
def test_what_counts_as_a_place(line: str, bad: bool) -> None:
    assert bool(PLACE.search(line)) is bad


def test_named_weights_of_open_clip_can_be_asked_for() -> None:
    """Every open_clip:ARCH/TAG of the pages and of tasks/ exists, with the activation of its name:
    only the weights themselves may be missing.
    """
    from harness.encoders._open_clip_library import config_of, tag_of
    from harness.encoders._open_clip_source import parts

    pages = [*PAGES, *(ROOT / "tasks").rglob("*.yaml")]
    named = {
        name
        for page in pages
        for name in re.findall(r"open_clip:([\w.-]+/[\w.-]+)", text(page))
        if name != "ARCH/PRETRAINED"
    }
    assert len(named) > 5
    for name in sorted(named):
        arch, tag, _ = parts(name)
        trained_with = bool(tag_of(arch, tag).get("quick_gelu"))
        assert trained_with == bool(config_of(arch).get("quick_gelu")), name
