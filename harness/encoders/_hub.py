"""Repositories of the Hugging Face hub in its local cache. Only `download` asks the network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from harness.core.errors import EncoderError
from harness.encoders._weights import first_line


def not_here(name: str) -> EncoderError:
    """An error that says how to bring the files of a repository."""
    return EncoderError(
        f"the files of {name} are not in the local hub cache: run `python -m harness fetch TASK` "
        "on a machine with network"
    )


def hub_folder(repository: str) -> Path:
    """The snapshot of a repository in the hub cache; the network is never asked.

    Raises EncoderError if it is not there.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(repository, local_files_only=True))
    except HFValidationError as error:
        raise EncoderError(f"{repository} is neither a folder nor the name of a model") from error
    except LocalEntryNotFoundError as error:
        raise not_here(repository) from error


def hub_file(repository: str, names: Sequence[str]) -> Path:
    """The first of `names` that the hub cache holds.

    Raises EncoderError if it holds none.
    """
    folder = hub_folder(repository)
    for name in names:
        if (folder / name).is_file():
            return folder / name
    raise not_here(repository)


def download(repository: str, patterns: Sequence[str]) -> None:
    """Bring the files of a repository that match into the hub cache.

    Raises EncoderError if the hub cannot be reached or knows no such repository.
    """
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import (
        HFValidationError,
        LocalEntryNotFoundError,
        RepositoryNotFoundError,
    )

    try:
        snapshot_download(repository, allow_patterns=list(patterns), etag_timeout=10)
    except HFValidationError as error:
        raise EncoderError(f"{repository} is neither a folder nor the name of a model") from error
    except RepositoryNotFoundError as error:
        raise EncoderError(f"the hub knows no model {repository}, or it is private") from error
    except LocalEntryNotFoundError as error:
        raise EncoderError(
            f"the hub cannot be reached from here, so {repository} was not fetched: run the same "
            "command on a machine with network and the same cache folder"
        ) from error
    except Exception as error:  # a network fails in more ways than can be listed
        raise EncoderError(f"{repository} was not fetched: {first_line(error)}") from error
