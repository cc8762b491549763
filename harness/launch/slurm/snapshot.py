"""The code as it was when a job was submitted: jobs run a copy, so later edits do not reach them.

RUNS/jobs/code-<hash>/ holds the packages of the harness, and what the plan imported from the
working directory (a user's own plugins). Equal code is copied once. Installed packages are not
copied: an upgrade while jobs wait changes what they run, and Records hold the versions.
"""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

from harness.core.environment import environment
from harness.core.files import explain_oserror, write_atomically
from harness.core.store import Store

PACKAGE = Path(__file__).parent.parent.parent
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")


def snapshot(store: Store) -> Path:
    """The folder of the copy. It is written only if there is none of equal content.

    Raises DiskFull or OutputError.
    """
    sources = dict(_sources())
    commit = _commit()
    folder = store.root / "jobs" / f"code-{_content_hash(sources, commit)}"
    if folder.is_dir():
        return folder
    temporary = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        for name, source in sources.items():
            if source.is_dir():
                shutil.copytree(source, temporary / name, ignore=_IGNORED)
            else:
                temporary.mkdir(parents=True, exist_ok=True)
                shutil.copy2(source, temporary / name)
        write_atomically(temporary / "commit.json", lambda f: f.write(commit))
        temporary.rename(folder)
    except OSError as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if folder.is_dir():  # another process was first
            return folder
        raise explain_oserror(folder, error) from error
    return folder


def setup_lines(code: Path) -> list[str]:
    """Shell lines after which Python imports the copy first, and then, where this process does too,
    the working directory.
    """
    here = os.getcwd()  # noqa: PTH109 - as sys.path spells it
    folders = [str(code.resolve())]
    if any(entry in ("", here) for entry in sys.path):
        folders.append(here)
    path = shlex.quote(os.pathsep.join(folders))
    # PYTHONSAFEPATH: Python would put the working directory before PYTHONPATH.
    return ["export PYTHONSAFEPATH=1", f'export PYTHONPATH={path}"${{PYTHONPATH:+:$PYTHONPATH}}"']


def _sources() -> Iterator[tuple[str, Path]]:
    """Name in the copy -> package, folder of data, or module."""
    root = PACKAGE.parent
    yield PACKAGE.name, PACKAGE
    for name in ("baselines", "tasks"):
        if (root / name).is_dir():
            yield name, root / name
    for name in sorted({name.partition(".")[0] for name in sys.modules}):
        source = _source(sys.modules.get(name))
        if source is None or source.parent != Path.cwd() or name == "__main__":
            continue
        if name not in (PACKAGE.name, "baselines"):
            yield source.name, source


def _source(module: ModuleType | None) -> Path | None:
    """The folder of a package, or the file of a module; None for built-in modules."""
    folders = list(getattr(module, "__path__", ()))
    source = folders[0] if folders else getattr(module, "__file__", None)
    return Path(source) if source else None


def _content_hash(sources: dict[str, Path], commit: bytes) -> str:
    value = hashlib.sha256(commit)
    for name, source in sources.items():
        files = sorted(source.rglob("*")) if source.is_dir() else [source]
        for file in files:
            parts = file.relative_to(source).parts
            if "__pycache__" in parts or any(p[:1] == "." for p in parts) or not file.is_file():
                continue
            value.update(f"{name}/{'/'.join(parts)}\0".encode())
            with file.open("rb") as handle:
                value.update(hashlib.file_digest(handle, "sha256").digest())
    return value.hexdigest()[:12]


def _commit() -> bytes:
    """The commit as JSON. A copy is in no repository: jobs take the commit for their Records from
    this file.
    """
    here = environment()
    return json.dumps({key: here[key] for key in ("commit", "dirty")}).encode()
