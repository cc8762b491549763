"""Who may import whom, what may not load torch, and how long files and functions may be."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "harness"

PLUGINS = (
    "data", "encoders", "alignments", "classifiers", "paradigms", "prompts", "temporal", "logs",
    "measures", "screens",
)  # fmt: skip

#: From the ground up; a room may import what is in a lower row, and its own folder.
ROWS: tuple[tuple[str, ...], ...] = (
    ("core",),
    ("task",),
    ("sampling",),
    PLUGINS,
    ("training",),
    ("solvers",),
    ("plan",),
    ("run",),
    ("launch",),
    ("study",),
    ("__init__",),  # the Python API
    ("commands",),
    ("cli",),
    ("__main__",),
)
ROW = {room: row for row, rooms in enumerate(ROWS) for room in rooms}
#: Pure rooms beside the rows: these and nothing else of the house.
SIDE = {
    "stats": {"core", "stats"},
    "report": {"core", "task", "stats", "report"},
}
#: Rows from which the pure rooms may be used.
MAY_USE_SIDE = {"study", "commands", "report", "stats"}
#: Inside a room: a folder may import what is before it.
INSIDE = {"report": ("model", "text", "render")}
#: Modules of harness/ that are in no room.
OUTSIDE = {"harness", "harness.study", "harness.cli", "harness.__main__"}
MOST_LINES, MOST_LINES_OF_A_FUNCTION, MOST_PARAMETERS = 350, 60, 8
HEAVY = ("torch", "timm", "transformers", "open_clip")


def modules(package: Path = PACKAGE) -> dict[str, Path]:
    """Dotted name -> file, of every module of the package."""
    found = {}
    for path in sorted(package.rglob("*.py")):
        parts = [package.name, *path.relative_to(package).with_suffix("").parts]
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


MODULES = modules()


def imports(path: Path, *, only_at_import: bool = False) -> Iterator[str]:
    """Every module or object that a file imports, late imports included; without those under
    `if TYPE_CHECKING` and inside functions if `only_at_import`.
    """

    def walk(node: ast.AST) -> Iterator[ast.AST]:
        for child in ast.iter_child_nodes(node):
            if only_at_import and (
                isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
                or (isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test))
            ):
                continue
            yield child
            yield from walk(child)

    for node in walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where a module stands"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def target(name: str) -> str | None:
    """The module of the package that an imported name means."""
    while name.startswith("harness") and name not in MODULES:
        name = name.rpartition(".")[0]
    return name if name in MODULES else None


def room(module: str) -> str:
    """`harness.data.emoji` is in the room `data`; `harness` itself in `__init__`."""
    return [*module.split("."), "__init__"][1]


def edges(*, only_at_import: bool = False) -> dict[str, set[str]]:
    return {
        module: {
            found
            for name in imports(path, only_at_import=only_at_import)
            if (found := target(name)) is not None and found != module
        }
        for module, path in MODULES.items()
    }


def test_every_room_has_its_place() -> None:
    rooms = {room(module) for module in MODULES}
    assert rooms - {*ROW, *SIDE} == set()
    assert len(MODULES) > 50


def test_no_module_is_outside_a_room() -> None:
    assert {m for m, path in MODULES.items() if path.parent == PACKAGE} == OUTSIDE


def test_rooms_inside_a_room() -> None:
    """report: model < text < render."""
    wrong = [
        f"{module} imports {goal}"
        for module, goals in edges().items()
        for goal in sorted(goals)
        for order in [INSIDE.get(room(module), ())]
        if room(goal) == room(module)
        and {part(module), part(goal)} <= set(order)
        and order.index(part(goal)) > order.index(part(module))
    ]
    assert wrong == []


def part(module: str) -> str:
    """`harness.report.model.table` is in the part `model` of its room."""
    return [*module.split("."), "", ""][2]


def test_plugins_of_one_kind_do_not_import_other_kinds() -> None:
    """What kinds share is below them, in core, task or sampling; solvers and launchers, which are
    plugins too, are rows of their own.
    """
    wrong = [
        f"{module} imports {goal}"
        for module, goals in edges().items()
        for goal in sorted(goals)
        if room(module) in PLUGINS and room(goal) in PLUGINS and room(goal) != room(module)
    ]
    assert wrong == []


def test_sizes() -> None:
    """A file is read in one sitting, a function on one screen."""
    wrong = []
    for module, path in MODULES.items():
        source = path.read_text(encoding="utf-8")
        if (lines := len(source.splitlines())) > MOST_LINES:
            wrong.append(f"{module}: {lines} lines")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                length = (node.end_lineno or 0) - node.lineno + 1
                parameters = len(node.args.args) + len(node.args.kwonlyargs)
                if length > MOST_LINES_OF_A_FUNCTION:
                    wrong.append(f"{module}.{node.name}: {length} lines")
                if parameters > MOST_PARAMETERS:
                    wrong.append(f"{module}.{node.name}: {parameters} parameters")
    assert wrong == []


#: Modules in which looking a member up by its name is the work itself.
LOOK_UPS = {"harness.core.conform"}
#: Foreign objects whose members differ by library or version: (room, what is asked).
FOREIGN = {"encoders", "temporal", "training"}


def test_no_member_of_a_plugin_is_looked_up() -> None:
    """Below the registry a plugin is seen through its Protocol. `hasattr` remains where objects of
    other libraries (torch modules, tokenizers, os, mmap) differ, and nowhere else.
    """
    wrong = [
        f"{module}:{node.lineno}"
        for module, path in MODULES.items()
        if module not in LOOK_UPS and room(module) not in FOREIGN
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) == "hasattr"
        and ast.unparse(node.args[0]) not in ("args", "os", "mmap")
    ]
    assert wrong == []


def test_nothing_is_tuple_of_any() -> None:
    """A plugin with its options is a Chosen, not three values that only a reader can tell apart."""
    wrong = [
        module
        for module, path in MODULES.items()
        if "tuple[Any, str, Any]" in path.read_text(encoding="utf-8")
    ]
    assert wrong == []


def test_nobody_below_planning_opens_a_plugin_by_name() -> None:
    """training, solvers and run get what planning resolved; run/plugins opens logs and measures,
    run/request the launcher.
    """
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        if room(module) in ("training", "solvers", "run")
        and module not in ("harness.run.plugins", "harness.run.request")
        for name in imports(path)
        if name.startswith("harness.core.registry") or name == "harness.core.registry"
    ]
    assert wrong == []


def may_import(source: str, goal: str) -> bool:
    """Whether the direction holds between two rooms."""
    if goal == source:
        return True
    if source in SIDE:
        return goal in SIDE[source]
    if goal in SIDE:
        return source in MAY_USE_SIDE
    return ROW[goal] < ROW[source]


def test_direction() -> None:
    wrong = [
        f"{module} imports {goal}"
        for module, goals in edges().items()
        for goal in sorted(goals)
        if not may_import(room(module), room(goal))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    ("source", "goal", "allowed"),
    [
        ("data", "encoders", False), ("training", "data", True), ("data", "training", False),
        ("plan", "run", False), ("core", "task", False), ("stats", "report", False),
        ("report", "run", False), ("run", "report", False), ("cli", "commands", True),
        ("commands", "cli", False), ("study", "report", True), ("task", "data", False),
        ("classifiers", "core", True), ("launch", "study", False), ("solvers", "training", True),
        ("training", "solvers", False), ("plan", "solvers", True),
    ],
)  # fmt: skip
def test_the_rules_themselves(source: str, goal: str, allowed: bool) -> None:
    assert may_import(source, goal) is allowed


def test_no_cycles() -> None:
    """Late imports count as well: a cycle that is hidden in a function is one."""
    graph = edges()
    done: set[str] = set()

    def visit(module: str, trail: tuple[str, ...]) -> None:
        assert module not in trail, " -> ".join((*trail, module))
        if module in done:
            return
        for goal in sorted(graph[module]):
            visit(goal, (*trail, module))
        done.add(module)

    for module in graph:
        visit(module, ())


def test_only_launch_knows_submitit() -> None:
    users = {
        room(module)
        for module, path in MODULES.items()
        if any(name.split(".")[0] == "submitit" for name in imports(path))
    }
    assert users == {"launch"}


def test_nothing_outside_the_package_is_imported_from_tests() -> None:
    for path in MODULES.values():
        assert not any(name.split(".")[0] in ("tests", "pytest") for name in imports(path))


LIGHT_ROOMS = (
    "core", "task", "sampling", "solvers", "plan", "stats", "report", "study", "commands", "cli",
    *PLUGINS,
)  # fmt: skip
LIGHT = [
    module
    for module in MODULES
    if room(module)
    in (
        "core",
        "task",
        "sampling",
        "solvers",
        "plan",
        "stats",
        "report",
        "study",
        "commands",
        "cli",
        *PLUGINS,
    )
]


def test_what_loads_without_torch() -> None:
    """In a fresh process: reports, plans and --help must not wait for torch."""
    program = (
        "import importlib, json, sys\n"
        "heavy = {}\n"
        f"for name in {LIGHT!r}:\n"
        "    importlib.import_module(name)\n"
        f"    heavy |= {{h: name for h in {HEAVY!r} if h in sys.modules and h not in heavy}}\n"
        "print(json.dumps(heavy))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=PACKAGE.parent, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    assert json.loads(done.stdout) == {}
    assert {room(m) for m in LIGHT} >= {"task", "plan", "stats", "report", *PLUGINS}


def test_no_module_imports_heavy_packages_at_import() -> None:
    wrong = [
        f"{module} imports {name}"
        for module, path in MODULES.items()
        for name in imports(path, only_at_import=True)
        if name.split(".")[0] in HEAVY and room(module) != "training"
    ]
    assert wrong == []


def test_no_path_of_a_machine() -> None:
    """A file that names a folder of its writer's machine works nowhere else."""
    here = [str(Path.home()), str(PACKAGE.parent.parent)]
    for path in MODULES.values():
        text = path.read_text(encoding="utf-8")
        assert not any(len(place) > 3 and f"{place}/" in text for place in here), path
