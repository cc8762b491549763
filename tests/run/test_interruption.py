"""A run that is asked to stop says when nothing is left to be saved."""

from __future__ import annotations

import threading

from harness.run.interruption import Interruption


def test_it_waits_for_what_is_busy() -> None:
    interruption, seen = Interruption(), []

    def work() -> None:
        with interruption.busy():
            started.set()
            while not interruption.is_asked():
                pass
            seen.append("saved")

    started = threading.Event()
    worker = threading.Thread(target=work)
    worker.start()
    started.wait()
    assert interruption.stop(60)
    assert seen == ["saved"]
    worker.join()


def test_it_waits_for_a_time_only() -> None:
    interruption = Interruption()
    with interruption.busy():
        assert not interruption.stop(0.01)
    assert interruption.stop(0)
