"""The command line: commands by their files, checked arguments, and errors of one line."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest
from conftest import Call, WriteTask, records

from harness import __version__
from harness.cli import command_names
from harness.core import errors

COMMANDS = {
    "cache", "cancel", "compare", "data", "describe", "doctor", "fetch", "grid", "list", "plan",
    "power", "rebuild", "report", "reproduce", "run", "schema", "screen", "status",
}  # fmt: skip

# --- --help and --version ------------------------------------------------------------------------


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


def test_help_names_every_command(cli: Call) -> None:
    ended = cli("--help")
    assert (ended.code, ended.err) == (0, "")
    assert set(command_names()) == COMMANDS
    assert all(name in ended.out for name in command_names())
    for code in ("0 done", "1 some cells failed", "2 bad input", "3 incomplete", "130 interrupted"):
        assert code in " ".join(ended.out.split())


@pytest.mark.parametrize("name", command_names())
def test_every_command_has_help(name: str, cli: Call) -> None:
    ended = cli(name, "--help")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"usage: python -m harness {name} ")


def test_version(cli: Call) -> None:
    ended = cli("--version")
    assert (ended.code, ended.out) == (0, f"{__version__}\n")


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "right"),
    [("gird", "grid"), ("stats", "status"), ("lst", "list"), ("reprot", "report")],
)
def test_an_unknown_command_has_a_nearest(wrong: str, right: str, cli: Call) -> None:
    ended = cli(wrong, "few_shot")
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == 1
    assert f"Did you mean '{right}'" in ended.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "COMMAND"), (["grid"], "task"),
        (["grid", "few_shot", "--rnus", "r"], "argument: --rnus. Did you mean '--runs'"),
        (["cancel", "few_shot", "--embedded"], "argument: --embedded\n"),
        (["grid", "few_shot", "shots"], "'shots' is not of the form key=value"),
        (["grid", "few_shot", "--runs", "r", "shots"], "unrecognised argument: shots"),
        (["list", "classifier", "shots=1"], "unrecognised argument: shots=1"),
        (["grid", "few_shot", "--jobs", "0"], "'0' is not a whole number above 0"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, list) else "",
)  # fmt: skip
def test_arguments_that_are_refused(arguments: list[str], words: str, cli: Call) -> None:
    ended = cli(*arguments)
    assert (ended.code, ended.out) == (2, "")
    assert len(ended.err.splitlines()) == len(ended.errors()) == 1
    assert words in ended.err


def test_overrides_may_follow_options(tiny: WriteTask, cli: Call, tmp_path: Path) -> None:
    ended = cli(
        "grid", tiny(), "seeds=1", "--runs", "elsewhere", "classifier=text", "--jobs", "1",
        "recipe.epochs=1",
    )  # fmt: skip
    assert ended.code == 0, ended.err
    (record,) = records(tmp_path / "elsewhere").values()
    assert len(record["curve"]) == 1
    assert record["cell"]["seed"] == 0


# --- how a command ends --------------------------------------------------------------------------


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[Namespace], int]], None]:
    """Let `schema` do something else."""

    def set_run(run: Callable[[Namespace], int]) -> None:
        monkeypatch.setattr("harness.commands.schema.run", run)

    return set_run


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_exit_code_is_that_of_the_command(
    code: int, cli: Call, command: Callable[..., None]
) -> None:
    command(lambda args: code)
    ended = cli("schema")
    assert (ended.code, ended.out, ended.err) == (code, "", "")


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.HarnessError("x"), 1), (errors.BadInput("x"), 2), (errors.DataError("x"), 2),
        (errors.EncoderError("x"), 2), (errors.OutputError("x"), 2), (errors.DiskFull("x"), 1),
        (errors.CellError("x"), 1),
    ],
    ids=lambda value: type(value).__name__,
)  # fmt: skip
def test_an_error_is_one_line(
    error: Exception, code: int, cli: Call, command: Callable[..., None]
) -> None:
    command(raising(error))
    ended = cli("schema")
    assert (ended.code, ended.out, ended.err) == (code, "", "error: x\n")


def test_an_interrupt_is_one_line(cli: Call, command: Callable[..., None]) -> None:
    command(raising(KeyboardInterrupt()))
    ended = cli("schema")
    assert (ended.code, ended.out) == (130, "")
    assert ended.err.splitlines() == [
        "interrupted; finished cells are kept: run the same command again"
    ]


def test_a_mistake_of_ours_keeps_its_traceback(cli: Call, command: Callable[..., None]) -> None:
    command(raising(ZeroDivisionError("a bug")))
    with pytest.raises(ZeroDivisionError, match="a bug"):
        cli("schema")


def raising(error: BaseException) -> Callable[[Namespace], int]:
    def run(args: Namespace) -> NoReturn:
        raise error

    return run


# --- a pipe --------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", ["plan", "status", "list"])
def test_json_is_one_document(command: str, tiny: WriteTask, run_cli: Call) -> None:
    arguments = [] if command == "list" else [tiny()]
    ended = run_cli(command, *arguments, "--json")
    assert isinstance(json.loads(ended.out), dict)
    assert ended.err == ""


def test_a_closed_pipe(tiny: WriteTask, environment: dict[str, str], tmp_path: Path) -> None:
    """`plan | head` ends without a word."""
    done = subprocess.run(
        f"set -o pipefail; {sys.executable} -m harness plan {tiny(seeds=2000)} --json | head -1",
        shell=True, executable="/bin/bash", cwd=tmp_path, env=environment,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stderr == ""
    assert done.stdout == "{\n"
