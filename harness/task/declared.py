"""Which version of the paper's tasks a page was made from: claims, margins, seeds and classes are
declared in them before a run, and a reader wants to see which declaration it was.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from harness.core.git import git
from harness.task.library import PRESETS, tasks_folder

#: Folders of tasks/ that say what is run for the paper's tables: the tasks, and presets they use.
FOLDERS = ("paper", *PRESETS)


@dataclass(frozen=True)
class Declaration:
    """The files of FOLDERS as they are, and as git knows them.

    `content` is a hash over their names and bytes, the same in a checkout and in an installed
    package. `commit` is the last commit that changed them and `committed` its date (ISO 8601); None
    outside a git repository. `changed`: some file differs from that commit.
    """

    content: str
    commit: str | None = None
    committed: str | None = None
    changed: bool = False

    @property
    def short_commit(self) -> str | None:
        """The first ten digits of `commit`."""
        return self.commit[:10] if self.commit else None


def declaration(folder: Path | None = None) -> Declaration:
    """That of the tasks that come with the harness, or of another folder with FOLDERS in it."""
    folder = folder or tasks_folder()
    content = _content(folder)
    last = git(folder, "log", "-1", "--format=%H %cI", "--", *FOLDERS)
    if not last:  # no git, no repository, or files that it does not know
        return Declaration(content)
    commit, _, committed = last.partition(" ")
    changed = git(folder, "status", "--porcelain", "--", *FOLDERS)
    return Declaration(content, commit, committed, changed=bool(changed))


def _content(folder: Path) -> str:
    """16 hex digits of sha256 over names and bytes; line ends as a checkout may change them."""
    hashed = hashlib.sha256()
    for path in sorted(p for name in FOLDERS for p in (folder / name).glob("*.yaml")):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        name = path.relative_to(folder).as_posix().encode()
        hashed.update(b"%d %b %d " % (len(name), name, len(text)) + text)
    return hashed.hexdigest()[:16]
