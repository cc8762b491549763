"""What the tests themselves rely on."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from conftest import TASK_FILE, TINY, interruptible, plan_of, run_study

from harness.core import registry
from harness.core.errors import TaskError
from harness.core.protocols.classifier import Classifier

PROGRAM = "import signal; print(signal.getsignal(signal.SIGINT) is signal.default_int_handler)"


def test_programs_can_be_interrupted_where_the_tests_ignore_it() -> None:
    """As under nohup, where SIGINT is ignored and inherited."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        plain = subprocess.check_output([sys.executable, "-c", PROGRAM], text=True)
        with interruptible():
            program = subprocess.check_output([sys.executable, "-c", PROGRAM], text=True)
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)
    assert (plain, program) == ("False\n", "True\n")


def test_a_plan_of_keys_of_a_name_and_of_a_file(tmp_path: Path) -> None:
    assert len(plan_of(TINY, tmp_path, shots=[1, 2]).cells) == 8
    assert len(plan_of("few_shot", tmp_path, seeds=1, shots=2).cells) == 16
    file = tmp_path / "mine.yaml"
    file.write_text("name: mine\ndataset: emojy\nregime: full\nencoder: embedded/lit-emoji\n")
    with pytest.raises(TaskError) as caught:
        plan_of(file, tmp_path)
    assert caught.value.file == str(file)
    with pytest.raises(TaskError) as caught:
        plan_of(TINY, tmp_path, shot=1)
    assert caught.value.file == TASK_FILE


def test_a_study_that_ran(tmp_path: Path, elsewhere: Callable[..., str]) -> None:
    ran = run_study(TINY, tmp_path, classifier="text", seeds=1, save="last")
    assert [r.key for r in ran.records] == [c.key for c in ran.plan.cells]
    assert [r.status for r in ran.records] == ["done"]
    assert list(tmp_path.glob("checkpoints/*/*")) != []

    def build(inputs: object, options: object) -> None:
        raise RuntimeError("it broke")

    broken = elsewhere("broken", USES=(), build=build)
    with pytest.raises(AssertionError, match="it broke"):
        run_study(TINY, tmp_path, classifier=broken, seeds=1)
    (record,) = run_study(TINY, tmp_path, classifier=broken, seeds=1, failing=True).records
    assert record.status == "failed"


def test_a_plugin_elsewhere_is_opened_by_its_name(elsewhere: Callable[..., str]) -> None:
    name = elsewhere("once", USES=("text",), build=lambda inputs, options: None)
    assert name == "elsewhere.once"
    assert registry.load(Classifier, name).USES == ("text",)
