"""What the tests themselves rely on."""

from __future__ import annotations

import signal
import subprocess
import sys

from conftest import interruptible

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
