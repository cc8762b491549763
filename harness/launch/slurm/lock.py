"""One submission at a time into a runs folder, so that no cell is submitted twice.

The file RUNS/jobs/submitting is the lock and names its owner. It is created by a hard link and
removed by a rename, which are atomic on network file systems too.
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
def submission_lock(store: Store) -> Iterator[None]:
    """Hold the lock of a runs folder; wait for another process to release it first.

    Raises BadInput if it does not in time, DiskFull or OutputError.
    """
    path = store.root / "jobs" / "submitting"
    # The lock is written under a temporary name first, so that a reader never sees half of it.
    draft = path.with_name(f".submitting.{os.getpid()}.{os.urandom(4).hex()}")
    owner = json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.ctime()})
    write_atomically(draft, lambda f: f.write(owner.encode()))
    try:
        _acquire(draft, path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
    finally:
        draft.unlink(missing_ok=True)


def _acquire(draft: Path, path: Path) -> None:
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            os.link(draft, path)
            return
        except FileExistsError:
            owner = _text(path)
        except OSError as error:
            raise explain_oserror(path, error) from error
        if _is_stale(owner):
            _remove_stale(path, owner, draft.with_name(f"{draft.name}.old"))
        elif time.monotonic() > deadline:
            raise BadInput(
                f"another process submits to this runs folder: {owner}; if it no longer runs, "
                f"remove {path}"
            )
        else:
            time.sleep(POLL_SECONDS)


def _is_stale(text: str) -> bool:
    """Whether the owner was a process of this host that has ended. Processes of other hosts cannot
    be checked: their locks are kept.
    """
    try:
        owner = json.loads(text)
        if owner["host"] == socket.gethostname():
            os.kill(owner["pid"], 0)
    except ProcessLookupError:
        return True
    except (ValueError, KeyError, TypeError, OSError):
        return False
    return False


def _remove_stale(path: Path, stale: str, aside: Path) -> None:
    """Remove the lock of an ended process. Another process may have removed it and taken the lock
    meanwhile: what was moved aside is then put back.
    """
    with suppress(FileNotFoundError):
        path.replace(aside)
    if _text(aside) not in ("", stale):
        with suppress(FileExistsError):
            os.link(aside, path)
    aside.unlink(missing_ok=True)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""
