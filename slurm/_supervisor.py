"""Runs the daemons of the test cluster and ends whatever they leave behind.

    python3 _supervisor.py BASE

A daemon runs for as long as the file BASE/run/wanted/NAME exists, which holds its command, one
argument a line. One that dies is started again after a second, as systemd would do. Processes that
lose their parent come to this one, so no job outlives the cluster, whatever happened to slurmd.
SIGTERM to it kills everything. Only the standard library: this runs with the system's Python.
"""

import ctypes
import os
import signal
import sys
import time
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
POLL_SECONDS = 0.05
RESTART_SECONDS = 1.0
TERMINATE_SECONDS = 10.0


class Daemons:
    """The daemons that should run, and those that do."""

    def __init__(self, base: Path) -> None:
        self.wanted = base / "run" / "wanted"
        self.pids = base / "run" / "pids"
        self.log = base / "log"
        self.running: dict[str, int] = {}
        self.not_before: dict[str, float] = {}

    def reap(self) -> None:
        """Collect every child that ended, daemons and orphans alike."""
        while True:
            try:
                pid, _ = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            for name in [n for n, p in self.running.items() if p == pid]:
                del self.running[name]
                (self.pids / name).unlink(missing_ok=True)
                self.not_before[name] = time.monotonic() + RESTART_SECONDS

    def start(self) -> None:
        """Start what is wanted and does not run."""
        for file in sorted(self.wanted.iterdir()):
            name = file.name
            if name in self.running or time.monotonic() < self.not_before.get(name, 0.0):
                continue
            command = file.read_text(encoding="utf-8").splitlines()
            out = str(self.log / f"{name}.out")
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            actions = [
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_OPEN, 1, out, flags, 0o644),
                (os.POSIX_SPAWN_DUP2, 1, 2),
            ]
            pid = os.posix_spawnp(
                command[0], command, os.environ, file_actions=actions, setsid=True
            )
            self.running[name] = pid
            (self.pids / name).write_text(f"{pid}\n", encoding="utf-8")

    def stop_unwanted(self) -> None:
        names = [name for name in self.running if not (self.wanted / name).exists()]
        self.stop(names)
        for name in names:
            del self.not_before[name]

    def stop(self, names: list[str]) -> None:
        """Send SIGTERM, and SIGKILL to those that have not ended in time."""
        deadline = time.monotonic() + TERMINATE_SECONDS
        number: int = signal.SIGTERM
        while left := [self.running[name] for name in names if name in self.running]:
            for pid in left:
                os.kill(pid, number)
            number = signal.SIGKILL if time.monotonic() > deadline else 0  # 0 sends nothing
            time.sleep(POLL_SECONDS)
            self.reap()


def children() -> list[int]:
    """Processes whose parent is this one."""
    pids = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text(encoding="utf-8").rpartition(")")[2]
        except OSError:
            continue  # it ended meanwhile
        if int(after_name.split()[1]) == os.getpid():
            pids.append(int(folder.name))
    return pids


def main() -> None:
    base = Path(sys.argv[1])
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    ending: list[int] = []
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda received, _frame: ending.append(received))
    daemons = Daemons(base)
    while not ending:
        daemons.reap()
        daemons.stop_unwanted()
        daemons.start()
        time.sleep(POLL_SECONDS)
    # Nothing of the cluster is used again, so the daemons need not put anything in order.
    while left := children():  # orphans of orphans come here in the next round
        for pid in left:
            os.kill(pid, signal.SIGKILL)  # ours until it is reaped, so the number is not reused
        time.sleep(POLL_SECONDS)
        daemons.reap()


if __name__ == "__main__":
    main()
