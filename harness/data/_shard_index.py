"""What tar shards hold, kept in the cache: a file for each shard below shards/.

It is of use while the shard is the same. So an interrupted pass over many shards goes on with the
next, and later ones ask for sizes and times alone.
"""

from __future__ import annotations

import json
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from harness.core.cache import keep
from harness.core.files import cache_folder
from harness.core.hashing import digest
from harness.core.identity import seconds_to_settle
from harness.data._shard_files import is_url, state_of
from harness.data._shard_pass import Shard, Wanted, pass_over

if TYPE_CHECKING:
    import numpy.typing as npt

    from harness.core.identity import Identity

#: Raised when equal shards would be read otherwise.
REVISION = "shard 1"
#: How long a shard may need to settle; longer where the clocks of two machines differ.
MOST_SECONDS = 2.0


def known_shard(place: str, wanted: Wanted) -> Shard | None:
    """What an earlier pass has kept; None if there was none, or the shard has changed since.

    Raises DataError for a shard that is not there.
    """
    state = state_of(place)
    try:
        found_state, shard = load_kept(_file(place, wanted), place)
    except (OSError, ValueError, KeyError, TypeError, EOFError, zipfile.BadZipFile):  # or damaged
        return None
    return shard if found_state == state else None


def read_shard(place: str, wanted: Wanted) -> Shard:
    """What the shard holds, by a pass over it.

    Raises DataError as `pass_over`.
    """
    state = state_of(place)
    if not is_url(place):
        time.sleep(min(seconds_to_settle(state, time.time_ns()), MOST_SECONDS))
    shard = pass_over(place, wanted)
    if state_of(place) == state:  # else it was written to meanwhile
        _keep(_file(place, wanted), shard, state)
    return shard


def _file(place: str, wanted: Wanted) -> Path:
    named = place if is_url(place) else str(Path(place).resolve())
    address = digest([REVISION, named, sorted(wanted.media), wanted.member, wanted.label], 32)
    return cache_folder() / "shards" / f"{address}.npz"


def _keep(file: Path, shard: Shard, state: Identity) -> None:
    """Texts as the bytes of JSON, as an array of texts has them all as wide as the widest."""
    texts = json.dumps({"keys": list(shard.keys), "suffixes": list(shard.suffixes),
                        "labels": list(shard.labels)})  # fmt: skip
    arrays: dict[str, npt.NDArray[Any]] = {
        "state": np.array(state, dtype=np.uint64),
        "texts": np.frombuffer(texts.encode(), dtype=np.uint8),
        "start": shard.start_N, "size": shard.size_N, "sha256": shard.sha_N32,
    }  # fmt: skip
    keep(file, lambda f: np.savez(f, allow_pickle=False, **arrays))


def load_kept(file: Path, place: str) -> tuple[Identity, Shard]:
    """Raises OSError, ValueError, KeyError, TypeError, EOFError or BadZipFile for what is no file
    of a shard.
    """
    with file.open("rb") as handle, np.load(handle, allow_pickle=False) as saved:
        texts = json.loads(saved["texts"].tobytes())
        size, one, two, three = saved["state"].tolist()
        # Texts that repeat are one object each.
        same: dict[str, str] = {}
        suffixes = [same.setdefault(text, text) for text in texts["suffixes"]]
        labels = [same.setdefault(text, text) for text in texts["labels"]]
        shard = Shard(
            place, texts["keys"], suffixes, labels,
            saved["start"], saved["size"], saved["sha256"],
        )  # fmt: skip
    lengths = {len(x) for x in (shard.keys, shard.suffixes, shard.labels, shard.start_N,
                                shard.size_N, shard.sha_N32)}  # fmt: skip
    if len(lengths) > 1:
        raise ValueError("its lists are not of one length")
    return (size, one, two, three), shard
