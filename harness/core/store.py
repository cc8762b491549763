"""Records on disk: written atomically, first done one wins, shared by all tasks of a runs folder.

RUNS/cells/<2 hex>/<key>.json           the Record
RUNS/cells/<2 hex>/<key>.<sha8>.npz     its arrays, written before the json that names them
RUNS/tests/<hash>.npz, support/<hash>.json   test sets and support sets
RUNS/<task>/task.yaml, keys.json        the task as resolved, and the keys of its grid;
                                        tests/ and support/ are links to those of its cells
RUNS/quarantine/                        files that cannot be read, with the reason
RUNS/logs/                              output of jobs and of `grid`
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from harness.core.errors import OutputError
from harness.core.files import explain_oserror, write_atomically
from harness.core.hashing import canonical
from harness.core.npz import NpzArrays
from harness.core.records import RECORD_VERSION, Record, as_json, record_from, science_hash
from harness.core.samples import SupportSet, TestSet
from harness.core.shared_texts import sharing_texts

Arrays = Mapping[str, np.ndarray[Any, Any]]


class Store:
    """One runs folder. Done Records of keys in `replacing` stay until new ones replace them."""

    def __init__(self, root: Path, replacing: Iterable[str] = ()) -> None:
        self.root = root
        self.replacing = set(replacing)

    # --- records ---------------------------------------------------------------------------

    def path(self, key: str) -> Path:
        return self.root / f"cells/{key[:2]}/{key}.json"

    def write(self, record: Record, arrays: Arrays | None = None) -> bool:
        """Store a Record and its arrays; False if there is a done one already.

        Raises DiskFull or OutputError.
        """
        path = self.path(record.key)
        replaced = record.key in self.replacing
        if not replaced and self._is_done(path):
            return False
        if replaced and (earlier := self.read(record.key)) is not None and not record.settle:
            record = replace(record, settle=earlier.settle)
        if arrays is not None:
            record = self._write_arrays(record, arrays)
        record = replace(record, science_hash=science_hash(record, arrays_hash(arrays or {})))
        data = json.dumps(as_json(record), indent=1, allow_nan=False).encode()
        if not replaced:
            return self._publish(path, data)
        write_atomically(path, lambda f: f.write(data))
        self.replacing.discard(record.key)
        return True

    def read(self, key: str) -> Record | None:
        """The Record, or None; a file that cannot be read goes to quarantine.

        Raises NewerRecord for one that a newer version wrote; it stays where it is. Raises
        OutputError if the path to it leads through a file.
        """
        path = self.path(key)
        try:
            data = json.loads(path.read_bytes(), object_pairs_hook=sharing_texts)
            if data["key"] != key:
                raise ValueError(f"holds the key {data['key']}")
            record = record_from(data)
        except FileNotFoundError:
            return None
        except NotADirectoryError as error:
            raise _file_above(path) from error
        except (ValueError, TypeError, KeyError) as error:
            self.quarantine(path, f"not a Record: {error}")
            return None
        if record.arrays and not zipfile.is_zipfile(path.parent / record.arrays):
            self.quarantine(path, f"its arrays {record.arrays} are missing or cut short")
            return None
        return record

    def mark(self, record: Record) -> None:
        """Replace a Record by itself with another `settle`; everything else of the file stays.

        Raises DiskFull or OutputError.
        """
        path = self.path(record.key)
        data = json.loads(path.read_bytes()) | {"settle": list(record.settle)}
        text = json.dumps(data, indent=1, allow_nan=False).encode()
        write_atomically(path, lambda f: f.write(text))

    def arrays(self, record: Record) -> dict[str, np.ndarray[Any, Any]]:
        """Arrays of a Record; {} if it has none.

        Raises OutputError if they are damaged; the Record goes to quarantine.
        """
        if record.arrays is None:
            return {}
        return dict(self.lazy_arrays(record))

    def lazy_arrays(self, record: Record) -> Arrays:
        """The same, each read when it is asked for. OutputError is then raised by the access."""
        return _SavedArrays(self, record) if record.arrays is not None else {}

    def statuses(self, keys: Iterable[str]) -> dict[str, str]:
        """Key -> done | failed, for the keys that have a Record.

        Raises OutputError if there is a file where a folder of Records should be.
        """
        wanted: dict[str, list[str]] = {}
        for key in keys:
            wanted.setdefault(key[:2], []).append(key)
        statuses: dict[str, str] = {}
        for prefix, group in wanted.items():
            folder = self.root / "cells" / prefix
            try:
                present = {entry.name for entry in os.scandir(folder)}
            except FileNotFoundError:
                continue
            except NotADirectoryError as error:
                raise _file_above(folder / key) from error
            for key in group:
                if f"{key}.json" not in present:
                    continue
                status = _glance(folder, key)
                if status is None and (record := self.read(key)):
                    status = record.status
                if status is not None:
                    statuses[key] = status
        return statuses

    # --- what records refer to --------------------------------------------------------------

    def write_test(self, test: TestSet) -> str:
        name = test.sha256[:16]
        path = self.root / "tests" / f"{name}.npz"
        if not path.is_file():
            write_atomically(
                path,
                lambda f: np.savez(
                    f,
                    items=np.array(test.items, dtype=np.str_),
                    labels=test.labels,
                    groups=test.groups,
                    class_names=np.array(test.class_names, dtype=np.str_),
                ),
            )
        return name

    def read_test(self, name: str) -> TestSet:
        """Raises OutputError if it is missing or damaged; a damaged file goes to quarantine."""
        path = self.root / "tests" / f"{name}.npz"
        try:
            with path.open("rb") as handle, np.load(handle, allow_pickle=False) as saved:
                return TestSet(
                    items=tuple(saved["items"].tolist()),
                    labels=saved["labels"],
                    groups=saved["groups"],
                    class_names=tuple(saved["class_names"].tolist()),
                )
        except (OSError, ValueError, EOFError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            self.quarantine(path, f"not a test set: {error}")
            raise OutputError(f"the test set {path} cannot be read: {error}") from error

    def write_support(self, support: SupportSet) -> str:
        name = support.sha256[:16]
        path = self.root / "support" / f"{name}.json"
        if not path.is_file():
            drawn = {"items": support.items, "labels": support.labels, "seed": support.seed}
            text = json.dumps({**drawn, "sha256": support.sha256}).encode()
            write_atomically(path, lambda f: f.write(text))
        return name

    # --- tasks -------------------------------------------------------------------------------

    def write_task(self, name: str, yaml_text: str, keys: Iterable[str]) -> None:
        folder = self.root / name
        write_atomically(folder / "task.yaml", lambda f: f.write(yaml_text.encode()))
        text = json.dumps(list(keys)).encode()
        write_atomically(folder / "keys.json", lambda f: f.write(text))

    def link_into_task(self, name: str, records: Iterable[Record]) -> None:
        """Show a task's own test and support sets in its folder."""
        used = [(f"{r.test}.npz", f"{r.support}.json") for r in records]
        for at, kind in enumerate(("tests", "support")):
            source, target = self.root / kind, self.root / name / kind
            # Folders are listed once: a large study has as many support sets as Records.
            missing = _names_in(source) - _names_in(target)
            for file in dict.fromkeys(files[at] for files in used):
                if file in missing:
                    target.mkdir(parents=True, exist_ok=True)
                    (target / file).symlink_to(os.path.relpath(source / file, target))

    def quarantine(self, path: Path, reason: str) -> None:
        """Move a file aside, with the reason beside it."""
        folder = self.root / "quarantine"
        folder.mkdir(parents=True, exist_ok=True)
        aside = folder / f"{path.name}.{os.urandom(4).hex()}"
        try:
            path.replace(aside)
        except FileNotFoundError:
            return  # another process has moved it
        (folder / f"{aside.name}.reason").write_text(reason + "\n", encoding="utf-8")

    # --- inside ------------------------------------------------------------------------------

    def _is_done(self, path: Path) -> bool:
        record = self.read(path.stem)
        return record is not None and record.status == "done"

    def _write_arrays(self, record: Record, arrays: Arrays) -> Record:
        buffer = io.BytesIO()
        np.savez_compressed(buffer, **dict(arrays))  # type: ignore[arg-type]
        name = f"{record.key}.{arrays_hash(arrays)[:8]}.npz"
        write_atomically(
            self.path(record.key).with_name(name), lambda f: f.write(buffer.getbuffer())
        )
        return replace(record, arrays=name)

    def _publish(self, path: Path, data: bytes) -> bool:
        """Link a complete file into place: the first done Record wins, a failed one is replaced."""
        temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}.new")
        write_atomically(temporary, lambda f: f.write(data))
        try:
            os.link(temporary, path)
        except FileExistsError:
            if self._is_done(path):
                return False
            temporary.replace(path)
        except OSError as error:
            raise explain_oserror(path, error) from error
        finally:
            with contextlib.suppress(OSError):
                temporary.unlink(missing_ok=True)
        return True


def _names_in(folder: Path) -> set[str]:
    return set(os.listdir(folder)) if folder.is_dir() else set()  # noqa: PTH208 - names are enough


class _SavedArrays(NpzArrays):
    """The arrays of a Record, which goes to quarantine if they are damaged."""

    def __init__(self, store: Store, record: Record) -> None:
        super().__init__(store.path(record.key).parent / (record.arrays or ""))
        self._store, self._key = store, record.key

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        with self._checked():
            return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        with self._checked():
            return super().__contains__(name)

    def __iter__(self) -> Iterator[str]:
        with self._checked():
            return super().__iter__()

    @contextlib.contextmanager
    def _checked(self) -> Iterator[None]:
        try:
            yield
        except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            self._store.quarantine(
                self._store.path(self._key), f"its arrays cannot be read: {error}"
            )
            raise OutputError(
                f"the arrays of cell {self._key} cannot be read; it was moved to quarantine: "
                "run the same command again"
            ) from error


#: Fields of a Record at the top level, as `write` lays them out; nested ones are indented further.
_KEY, _STATUS, _ARRAYS = (
    re.compile(rb'\n "%s": "([^"\n]*)"' % name) for name in (b"key", b"status", b"arrays")
)
_VERSION = re.compile(rb'\n "schema": (\d+)')


def _glance(folder: Path, key: str) -> str | None:
    """The status of a Record without parsing it, as a grid may have 100,000. None if the file is
    unusual, and `read` must check it.
    """
    path = str(folder)
    try:
        with open(f"{path}/{key}.json", "rb") as handle:  # noqa: PTH123 - pathlib takes as long
            data = handle.read()
    except OSError:
        return None
    stored_key, status, arrays = _KEY.search(data), _STATUS.search(data), _ARRAYS.search(data)
    version = _VERSION.search(data)
    whole = data.startswith(b"{\n") and data.endswith(b"\n}")
    if not whole or stored_key is None or status is None or stored_key[1].decode() != key:
        return None
    if version is None or int(version[1]) > RECORD_VERSION:
        return None
    if arrays is not None and not zipfile.is_zipfile(f"{path}/{arrays[1].decode()}"):
        return None
    return status[1].decode()


def arrays_hash(arrays: Arrays) -> str:
    """A hash of the arrays' content, whatever file holds them."""
    import hashlib

    value = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        value.update(canonical([name, str(array.dtype), array.shape]).encode())
        value.update(array.tobytes())
    return value.hexdigest()


def _file_above(path: Path) -> OutputError:
    """The error for a path that leads through a file."""
    file = next((folder for folder in path.parents if folder.is_file()), path.parent)
    return OutputError(f"{file} is a file where the folder of the Records should be")


def writable(folder: Path) -> None:
    """Raises OutputError if `folder` cannot be written: before cells run, not after."""
    write_atomically(folder / ".writable", lambda f: f.write(b""))
    (folder / ".writable").unlink(missing_ok=True)
