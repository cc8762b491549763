"""The commands as a user and a script meet them."""

from __future__ import annotations

import json
import resource
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from conftest import ROOT, Call, WriteTask, hashes, records

from harness.cli import command_names
from harness.core import registry
from harness.task import library

COMMANDS = {"grid", "plan", "run", "status", "report", "list", "describe", "doctor", "schema"}

# --- speed -------------------------------------------------------------------------------------


def test_help_is_fast(environment: dict[str, str], tmp_path: Path) -> None:
    """Under 0.25 s of CPU, the interpreter included: median of 10."""

    def spent() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    seconds = []
    for _ in range(10):
        before = spent()
        subprocess.run(
            [sys.executable, "-m", "harness", "--help"],
            cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        seconds.append(spent() - before)
    assert statistics.median(seconds) < 0.25, seconds


@pytest.mark.parametrize("arguments", [["--help"], ["grid", "--help"], ["--version"]])
def test_help_loads_nothing_heavy(
    arguments: list[str], environment: dict[str, str], tmp_path: Path
) -> None:
    program = (
        "import sys\nfrom harness.cli import main\n"
        f"try:\n    main({arguments!r})\nexcept SystemExit as stop:\n    assert not stop.code\n"
        "heavy = ('torch', 'pydantic', 'numpy', 'yaml', 'PIL', 'pandas', 'matplotlib', 'rich')\n"
        "print('LOADED', [m for m in heavy if m in sys.modules])\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout.splitlines()[-1] == "LOADED []"


# --- what every command says -------------------------------------------------------------------


def test_help_names_every_command(cli: Call) -> None:
    ended = cli("--help")
    assert ended.code == 0
    assert set(command_names()) >= COMMANDS
    assert all(name in ended.out for name in command_names())
    for name in command_names():
        own = cli(name, "--help")
        assert own.code == 0
        assert name in own.out


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("gird", "grid"), ("stats", "status"), ("lst", "list"), ("reprot", "report")],
)
def test_unknown_command(wrong: str, right: str, run_cli: Call) -> None:
    ended = run_cli(wrong, "few_shot")
    assert ended.code == 2
    assert ended.out == ""
    assert len(ended.err.splitlines()) == 1
    assert f"Did you mean '{right}'" in ended.err


def test_list(cli: Call) -> None:
    ended = cli("list")
    assert ended.code == 0
    for kind in registry.KINDS:
        for name in registry.names(kind):
            assert name in ended.out
    assert "few_shot" in ended.out
    only = cli("list", "classifiers")
    assert "orthogonal" in only.out
    assert "emoji_people" not in only.out


def test_list_json(cli: Call) -> None:
    found = json.loads(cli("list", "--json").out)
    assert set(found) == {*registry.KINDS, "task"}
    assert found["classifier"]["text"].startswith("Embeddings of the class texts")
    assert all(about for kind in found.values() for about in kind.values())
    assert set(json.loads(cli("list", "prompt", "--json").out)) == {"prompt"}


def test_describe(cli: Call) -> None:
    for kind in registry.KINDS:
        for name in registry.names(kind):
            ended = cli("describe", kind, name)
            assert ended.code == 0
            assert ended.out.strip()
    assert "shrinkage = None" in cli("describe", "classifier", "lda").out
    assert "lit-emoji" in cli("describe", "encoder", "embedded/lit-emoji").out
    assert yaml.safe_load(cli("describe", "task", "few_shot").out)["name"] == "few_shot"


def test_doctor(cli: Call) -> None:
    ended = cli("doctor")
    assert ended.code == 0, ended.out
    assert "WRONG" not in ended.out
    assert "1268 classes" in ended.out
    broken = cli("doctor", "--runs", "/dev/null/runs")
    assert broken.code == 2
    assert "WRONG runs" in broken.out


# --- schema ------------------------------------------------------------------------------------


def accepts(schema: dict[str, Any], value: Any, root: dict[str, Any]) -> bool:
    """The part of JSON schema that pydantic writes; an unknown keyword fails the test."""
    if "$ref" in schema:
        return accepts(root["$defs"][schema["$ref"].rpartition("/")[2]], value, root)
    types = {
        "object": dict, "array": list, "string": str, "integer": int, "number": (int, float),
        "boolean": bool, "null": type(None),
    }  # fmt: skip
    rules = {
        "title": lambda _: True, "default": lambda _: True, "description": lambda _: True,
        "$schema": lambda _: True, "$defs": lambda _: True, "format": lambda _: True,
        "required": lambda names: all(n in value for n in names),
        "properties": lambda keys: all(
            accepts(keys[k], v, root) for k, v in value.items() if k in keys
        ),
        "additionalProperties": lambda rest: rest is True or all(
            rest is not False and accepts(rest, v, root)
            for k, v in value.items() if k not in schema.get("properties", {})
        ),
        "items": lambda each: all(accepts(each, v, root) for v in value),
        "minItems": lambda n: len(value) >= n, "maxItems": lambda n: len(value) <= n,
        "minLength": lambda n: len(value) >= n, "prefixItems": lambda each: all(
            accepts(s, v, root) for s, v in zip(each, value, strict=False)
        ),
        "enum": lambda allowed: value in allowed,
        "const": lambda one: value == one,
        "anyOf": lambda options: any(accepts(o, value, root) for o in options),
        "minimum": lambda n: value >= n, "maximum": lambda n: value <= n,
        "exclusiveMinimum": lambda n: value > n, "exclusiveMaximum": lambda n: value < n,
        "pattern": lambda text: __import__("re").search(text, value) is not None,
        "type": lambda _: True,
    }  # fmt: skip
    assert set(schema) <= set(rules), set(schema) - set(rules)
    if "type" in schema:
        wanted = types[schema["type"]]
        if not isinstance(value, wanted) or (isinstance(value, bool) and wanted is not bool):
            return False
    return all(rules[word](argument) for word, argument in schema.items())


def test_schema_accepts_every_task_and_refuses_slips(cli: Call) -> None:
    schema = json.loads(cli("schema").out)
    assert schema["$schema"].startswith("https://json-schema.org/")
    files = list(library.tasks().values())
    assert len(files) >= 5
    try:
        import jsonschema
    except ImportError:
        check = lambda task: accepts(schema, task, schema)  # noqa: E731
    else:
        jsonschema.Draft202012Validator.check_schema(schema)
        check = jsonschema.Draft202012Validator(schema).is_valid
    for path in files:
        from harness.task.yaml_reader import read

        assert check(read(path)), path
    good = read(library.tasks()["few_shot"])
    slips: list[dict[str, Any]] = [
        {"clasifier": "text"}, {"shots": "many"}, {"shots": 0}, {"regime": "few_shots"},
        {"name": None}, {"recipe": {"epoch": 1}}, {"classes": {"pick": "ten"}},
        {"schedule": "released:soon"}, {"report": {"family": "rows"}}, {"recipe": {"lr": -1}},
        {"recipe": {"dropout": [0.1, 1.0]}},
    ]  # fmt: skip
    for slip in slips:
        assert not check(good | slip), slip
    assert check(good | {"shots": 1})
    for right in (
        {"classifier": {"name": "lda", "shrinkage": 0.1}}, {"recipe": {"lr": [1, 1e-3]}},
        {"classes": "names.txt"}, {"train_classes": "half:0"}, {"seeds": [3, 4]},
        {"report": {"rows": ["classifier", "shots"], "published": "few_shot"}},
    ):  # fmt: skip
        assert check(good | right), right


# --- grid, plan, status, run, report -----------------------------------------------------------


def test_the_life_of_a_task(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    task, runs = tiny(), tmp_path / "runs"
    plan = json.loads(cli("plan", task, "--json").out)
    assert plan["counts"] == {"done": 0, "failed": 0, "waiting": 4, "infeasible": 0}
    assert not runs.exists()
    assert cli("status", task).code == 3

    key = plan["cells"][0]["key"]
    one = cli("run", task, "--cell", key)
    assert one.code == 0
    assert json.loads(one.out)["key"] == key
    assert set(records(runs)) == {key}
    partly = cli("status", task, "--json")
    assert partly.code == 3
    assert json.loads(partly.out)["counts"]["done"] == 1
    unfinished = cli("report", task)
    assert unfinished.code == 1
    assert "3 cells are missing" in unfinished.err

    ended = cli("grid", task)
    assert ended.code == 0
    assert ended.out.strip() == "reports/tiny.md"
    assert set(records(runs)) == {cell["key"] for cell in plan["cells"]}
    status = cli("status", task, "--json")
    assert status.code == 0
    assert {c["status"] for c in json.loads(status.out)["cells"]} == {"done"}
    assert cli("status", task).code == 0
    assert cli("report", task).code == 0
    assert json.loads((runs / "tiny" / "keys.json").read_text()) == [
        cell["key"] for cell in plan["cells"]
    ]
    resolved = (runs / "tiny" / "task.yaml").read_text()
    again = tmp_path / "resolved.yaml"
    again.write_text(resolved)
    assert json.loads(cli("plan", again, "--json").out)["cells"] == [
        cell | {"status": "done"} for cell in plan["cells"]
    ], "the task as resolved is the same task"
    for name in ("tiny.md", "tiny.html", "tiny.tex", "tiny.csv", "tiny_contrasts.csv"):
        assert (tmp_path / "reports" / name).stat().st_size > 0


@pytest.mark.parametrize("command", ["plan", "status", "list"])
def test_json_is_one_document(command: str, tiny: WriteTask, run_cli: Call) -> None:
    given = [] if command == "list" else [tiny()]
    ended = run_cli(command, *given, "--json")
    assert isinstance(json.loads(ended.out), dict)
    assert ended.err == ""


def test_overrides_may_follow_options(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    ended = cli(
        "grid", tiny(), "seeds=1", "--runs", "elsewhere", "classifier=text", "--jobs", "1",
        "recipe.epochs=1",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (record,) = records(tmp_path / "elsewhere").values()
    assert len(record["curve"]) == 1
    assert record["cell"]["seed"] == 0


def test_override_means_what_yaml_means(tiny: WriteTask, cli: Call) -> None:
    plan = cli("plan", tiny(), "shots=[1,2]", "recipe.lr=5e-6", "classes.pick=3", "--json")
    cells = json.loads(plan.out)["cells"]
    assert {c["cell"]["shots"] for c in cells} == {1, 2}
    assert all(c["cell"]["classes"]["pick"] == 3 for c in cells)
    assert all(c["cell"]["recipe"].get("lr", 5e-6) == 5e-6 for c in cells)


def test_infeasible_cells_are_no_failure(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    task = tiny(classifier=["text", "lda"], seeds=1)
    ended = cli("grid", task)
    assert ended.code == 0
    assert "1 cells are infeasible: lda" in ended.err
    assert len(records(tmp_path / "runs")) == 1
    plan = json.loads(cli("plan", task, "--json").out)
    assert plan["counts"]["infeasible"] == 1
    assert "2 samples" in plan["infeasible"][0]["reason"]


def test_rerun(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    task, runs = tiny(), tmp_path / "runs"
    assert cli("grid", task).code == 0
    before = {p.stem: p.stat().st_ino for p in runs.glob("cells/*/*.json")}
    wanted = hashes(runs)
    ended = cli("grid", task, "--rerun", "classifier=text,seed=1")
    assert ended.code == 0
    assert "1 cells will run again" in ended.err
    after = {p.stem: p.stat().st_ino for p in runs.glob("cells/*/*.json")}
    assert sum(before[key] != after[key] for key in before) <= 1
    assert hashes(runs) == wanted


def test_equal_cells_of_two_tasks_run_once(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    assert cli("grid", tiny()).code == 0
    ended = cli("grid", tiny("other.yaml", name="other", shots=[1, 2]))
    assert ended.code == 0
    assert "8 cells, 4 done" in ended.err
    assert len(records(tmp_path / "runs")) == 8


def test_a_folder_of_pictures_runs(
    tiny: WriteTask, cli: Call, tmp_path: Path, pictures: Path
) -> None:
    ended = cli("grid", tiny(dataset=f"folder:{pictures}", classes={}, seeds=1))
    assert ended.code == 0, ended.err
    found = records(tmp_path / "runs").values()
    assert {r["n"] for r in found} == {2}
    (test,) = (tmp_path / "runs" / "tests").glob("*.npz")
    import numpy as np

    assert np.load(test)["class_names"].tolist() == ["blue boat", "red car"]


def test_closed_pipe(tiny: WriteTask, environment: dict[str, str], tmp_path: Path) -> None:
    """`plan | head` ends without a word."""
    done = subprocess.run(
        f"set -o pipefail; {sys.executable} -m harness plan {tiny(seeds=2000)} --json | head -1",
        shell=True, executable="/bin/bash", cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "{\n"


# --- one new file ------------------------------------------------------------------------------

MEAN = '''
"""The mean of all texts for every class: a classifier that cannot tell anything."""

from __future__ import annotations

from harness.core.protocols.classifier import ClassifierOptions as Options

USES = ("text",)


def check(cell, facts):
    return None


def build(inputs, options):
    return inputs.text().mean(dim=0, keepdim=True).expand(inputs.n_classes, -1).clone()
'''


def test_one_new_file_is_a_new_classifier(tiny: WriteTask, run_cli: Call, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    for folder in ("harness", "tasks", "baselines"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    (copy / "harness" / "classifiers" / "text_mean.py").write_text(MEAN)
    own = {"PYTHONPATH": str(copy)}
    listed = run_cli("list", "classifier", **own)
    assert "text_mean" in listed.out
    assert "cannot tell anything" in listed.out
    assert "text_mean" not in run_cli("list", "classifier").out
    assert "scale" in run_cli("describe", "classifier", "text_mean", **own).out
    task = tiny(classifier=["text", "text_mean"], seeds=1)
    ended = run_cli("grid", task, "--jobs", "1", **own)
    assert ended.code == 0, ended.err
    found = {r["cell"]["classifier"]: r for r in records(tmp_path / "runs").values()}
    assert found["text_mean"]["top1"] < 0.5 < found["text"]["top1"], "one is near chance"
    assert "text_mean" in (tmp_path / "reports" / "tiny.md").read_text()
    assert "Did you mean 'text_mean'" in run_cli("plan", task, "classifier=txt_mean", **own).err
