"""Where the data of `hf` are: a folder, or the local cache of the datasets library."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from harness.core.cache import keep
from harness.core.errors import DataError
from harness.core.files import cache_folder
from harness.core.hashing import digest
from harness.core.identity import identity
from harness.data._hf_load import load_dataset
from harness.data._hf_messages import among, guarded, listed
from harness.data._hf_splits import picture_splits


def load_splits(argument: str, config: str | None, shown: str) -> Mapping[str, Any]:
    """Splits by name, memory-mapped. `shown` names the data set in messages.

    Raises DataError for data that are not here, or cannot be read.
    """
    if not argument:
        raise DataError("dataset 'hf' needs a name or a folder, as in hf:user/name")
    in_folder = is_folder(argument, shown)
    if not in_folder:
        configs = cached_configs(argument, shown)
        if not configs:
            raise DataError(
                f"{shown}: there is no such folder, and no data set of that name in the local "
                "cache: run `python -m harness fetch TASK` on a machine with network"
            )
    import datasets

    datasets.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    if not in_folder:
        return _from_cache(argument, _choose(configs, config, shown), shown)
    # Absolute, as a folder may have the name of one of the library's own formats.
    folder = Path(argument).expanduser().resolve()
    if any((folder / name).is_file() for name in ("dataset_dict.json", "state.json")):
        if config is not None:
            raise DataError(f"{shown}: config '{config}': a saved dataset has none")
        saved = guarded(shown, lambda: datasets.load_from_disk(str(folder)))
        return saved if isinstance(saved, Mapping) else {str(saved.split or "train"): saved}
    chosen = choose_config(str(folder), config, shown)
    kept = str(_kept_tables(folder))
    files = picture_splits(folder, shown)
    splits: Mapping[str, Any] = load_dataset(
        shown, str(folder), name=chosen, data_files=files, cache_dir=kept
    )
    return splits


def _kept_tables(folder: Path) -> Path:
    """Where the tables are kept that the library makes of the files of a folder.

    It takes a file of the same time for the same file. So the place depends on the identities of
    all files but pictures, of which a table holds the paths. Where the cache folder cannot be
    written, it is a folder that this process removes at its end.
    """
    from datasets.packaged_modules.imagefolder.imagefolder import ImageFolder

    pictures = tuple(ImageFolder.EXTENSIONS)
    files = [
        os.path.join(place, name)  # noqa: PTH118 - fast, for folders of a million pictures
        for place, _, names in os.walk(folder)
        for name in names
        if not name.lower().endswith(pictures)
    ]
    states = [(path, identity(path)) for path in sorted(files) if os.path.isfile(path)]  # noqa: PTH113
    kept = cache_folder() / "hf" / digest([str(folder), states], 32)
    # The library writes a lock even where it only reads.
    if keep(kept / "used", lambda f: f.write(b"")):
        return kept
    return Path(_of_this_process().name) / kept.name


@cache
def _of_this_process() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="harness-hf-", ignore_cleanup_errors=True)


def is_folder(argument: str, shown: str) -> bool:
    """Whether it names a folder. Raises DataError for a file."""
    try:
        path = Path(argument).expanduser()
        if path.is_file():
            raise DataError(f"{shown} is a file; name the folder that holds it")
        return path.is_dir()
    except (
        OSError,
        RuntimeError,
        ValueError,
    ) as error:  # too long, an unknown user
        reason = (error.strerror if isinstance(error, OSError) else None) or error
        raise DataError(f"{shown} cannot be read: {reason}") from error


def cached_configs(argument: str, shown: str) -> list[str]:
    """Configs of a data set of the hub that the library's cache holds; [] if it holds none.

    Raises DataError for what cannot be the name of a data set.
    """
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", argument):
        raise DataError(f"{shown} is neither a folder nor the name of a data set, as in user/name")
    from datasets import config
    from datasets.naming import camelcase_to_snakecase

    # As the library lays out its cache: USER___NAME/CONFIG/VERSION/HASH/dataset_info.json.
    user, _, name = argument.rpartition("/")
    folder = f"{user}___" if user else ""
    root = Path(config.HF_DATASETS_CACHE).expanduser() / (folder + camelcase_to_snakecase(name))
    return sorted({p.parts[-4] for p in root.glob("*/*/*/dataset_info.json")})


def _from_cache(argument: str, config: str, shown: str) -> Mapping[str, Any]:
    # load_dataset would ask the hub first, and wait for it where there is no network.
    from datasets.packaged_modules.cache.cache import Cache

    def load() -> Any:
        builder = Cache(
            repo_id=argument, dataset_name=argument.rpartition("/")[2], config_name=config,
            version="auto", hash="auto",
        )  # fmt: skip
        return builder.as_dataset()

    splits: Mapping[str, Any] = guarded(shown, load)
    return splits


def choose_config(path: str, config: str | None, shown: str) -> str:
    """The config of a folder or a data set of the hub: the one asked for, or the default.

    Raises DataError if there is none, or several and none is the default.
    """
    import datasets

    known = guarded(shown, lambda: datasets.get_dataset_config_names(path))
    default = guarded(shown, lambda: datasets.get_dataset_default_config_name(path))
    return _choose(known, config or default, shown)


def _choose(known: Sequence[str], config: str | None, shown: str) -> str:
    if config is not None:
        return among(config, known, f"{shown}: config")
    if len(known) > 1 and "default" not in known:
        raise DataError(f"{shown} has several configs: choose one by config; allowed: "
                        + listed(known))  # fmt: skip
    return known[0] if len(known) == 1 else "default"
