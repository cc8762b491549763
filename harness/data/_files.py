"""Files and folders of data sets: found and hashed."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from harness.core.errors import DataError
from harness.core.hashes import file_hash_in_process
from harness.core.identity import Identity, identity
from harness.core.text_files import special
from harness.data._listing import has_text_name, printable


def folder_at(argument: str, family: str, example: str) -> Path:
    """The folder that the data set `family:argument` names.

    Raises DataError if there is none.
    """
    if not argument:
        raise DataError(f"dataset '{family}' needs a path, as in {family}:{example}")
    try:
        root = Path(argument).expanduser()
        is_folder = root.is_dir()
    except (OSError, RuntimeError) as error:  # a name too long, a user that does not exist
        short = argument if len(argument) < 200 else f"{argument[:200]}..."
        raise DataError(f"dataset {family}:{short} cannot be read: {_reason(error)}") from error
    if not has_text_name(root):
        raise DataError(f"the name of the folder {printable(root)} is not UTF-8; rename it")
    if not is_folder:
        raise DataError(f"dataset {family}:{argument}: there is no folder {root}")
    return root


def refuse_argument(argument: str, family: str) -> None:
    """Raises DataError for an argument behind the name of a data set that takes none."""
    if argument:
        raise DataError(f"dataset '{family}' takes no argument, not '{argument}'")


def refuse_special(path: Path, noun: str) -> None:
    """Raises DataError if a path is not that of a regular file; `noun` says what it should hold."""
    kind = special(path)
    if kind:
        raise DataError(f"{noun} {path} cannot be read: it is {kind}")


def bytes_hash(path: Path) -> str:
    """sha256 of a picture's file, kept in memory while the file is the same.

    Raises DataError if it cannot be read.
    """
    refuse_special(path, "picture")
    try:
        return file_hash_in_process(path)
    except OSError as error:
        raise DataError(f"picture {path} cannot be read: {error.strerror}") from error


def file_identities(root: Path, paths: Iterable[str]) -> list[tuple[str, Identity]]:
    """Files below `root` by path, with what says that they are still the same: what was found out
    about them holds while these do not change. Raises OSError for a file that is not there.
    """
    return [(str(root.resolve() / path), identity(root / path)) for path in sorted(paths)]


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
