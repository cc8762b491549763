"""One submission at a time into a runs folder, so that no cell is submitted twice.

RUNS/jobs/submitting names the process that submits. It is made by a hard link and taken away by a
rename, which hold on network file systems too.
"""

from __future__ import annotations

import json
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from harness.core.errors import BadInput
from harness.core.files import explain_oserror, write_atomically
from harness.core.store import Store

WAIT_SECONDS = 60.0
POLL_SECONDS = 0.2


@contextmanager
def alone(store: Store) -> Iterator[None]:
    """Wait for another submission to end, then hold the place.

    Raises BadInput if it does not end in time, DiskFull or OutputError.
    """
    path = store.root / "jobs" / "submitting"
    own = path.with_name(f".submitting.{os.getpid()}.{os.urandom(4).hex()}")
    me = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.ctime()})
    write_atomically(own, lambda f: f.write(me.encode()))
    try:
        _take(own, path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        own.unlink(missing_ok=True)


def _take(own: Path, path: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            os.link(own, path)
            return
        except FileExistsError:
            held = _text(path)
        except OSError as error:
            raise explain_oserror(path, error) from error
        if _left_behind(held):
            _clear(path, held, own.with_name(f"{own.name}.old"))
        elif time.monotonic() > deadline:
            raise BadInput(
                f"another process submits to this runs folder: {held}; if it is no more, "
                f"remove {path}"
            )
        else:
            time.sleep(POLL_SECONDS)


def _left_behind(held: str) -> bool:
    """Whether the process that holds the place was of this host and is no more."""
    try:
        owner = json.loads(held)
        if owner["host"] == socket.gethostname():
            os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):
        return False
    return False


def _clear(path: Path, held: str, aside: Path) -> None:
    """Take away what a dead process left, and nothing that was put there meanwhile."""
    with suppress(FileNotFoundError):
        path.replace(aside)
    if _text(aside) not in ("", held):
        with suppress(FileExistsError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
