"""How each kind of entry lies in the cache folder: the one table of it.

What matches no row is not of the harness, and nothing here touches it. _checks.py has what each
must hold.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HEX32 = "[0-9a-f]{32}"
JSON = rf"({HEX32})\.json"
NOTHING = "(?!)()"
#: BUILDER/CONFIG/VERSION/HASH, as the datasets library lays out the folder that it is given.
OLD_TABLES = r"[\w.-]+/[^/]+/\d+\.\d+\.\d+/[0-9a-f]{16,64}"
EARLIER_TABLES = "tables of an earlier version"


@dataclass(frozen=True)
class Kind:
    """A folder of the cache. `layout` is matched with the path of a file below it; its first group
    names the entry that the file is of.
    """

    name: str
    holds: str
    layout: str
    #: Endings of the files that every entry has, of each tuple one; else it cannot be used.
    needs: tuple[tuple[str, ...], ...] = ()
    #: Ending of the files whose times tell of use, where others are read for every entry.
    used: str = ""
    #: Layouts of earlier versions, and what they held.
    earlier: tuple[tuple[str, str], ...] = ()

    def entry_of(self, path: str) -> str | None:
        """The entry that a file is of; None for a file that is of none."""
        found = re.fullmatch(self.layout, path)
        return found[1] if found else None


KINDS = {
    kind.name: kind
    for kind in (
        Kind(
            "features", "features of pictures, in blocks",
            rf"({HEX32}/{HEX32})\.(?:npy|index|pixels\.json|ids\.json)",
            needs=((".npy",), (".index", ".ids.json")), used=".npy",
        ),
        Kind("rows", "checksums of the rows of precomputed features", rf"({HEX32})\.npy"),
        Kind("extracted", "which items have features, for estimates", rf"({HEX32})\.npy"),
        Kind(
            "text", "text embeddings of class lists, and what was found in them",
            rf"({HEX32})\.(?:npy|found\.json)",
        ),
        Kind("frames", "decoded frames of videos", rf"([0-9a-f]{{2}}/{HEX32})\.npz"),
        Kind("clips", "where the frames of videos are", rf"({HEX32})\.clips"),
        Kind(
            "videos", "the same, a file for each video, of an earlier version",
            rf"([0-9a-f]{{2}}/{HEX32})\.json",
        ),
        Kind("shards", "what is in tar shards, and its sha256", rf"({HEX32})\.npz"),
        Kind(
            "hashes", "sha256 of files and rows, by folder or data set",
            rf"({HEX32})/(?:{HEX32}\.npy|scope\.json)",
            earlier=((HEX32, "hashes of an earlier version"),),
        ),
        Kind(
            "hf", "tables of the datasets library", rf"({HEX32})/.+",
            earlier=(
                (rf"{OLD_TABLES}/(?:dataset_info\.json|[^/]+\.arrow)", EARLIER_TABLES),
                (rf"{OLD_TABLES}(?:_builder|\.incomplete_info)\.lock", EARLIER_TABLES),
                (r"_[^/]+\.lock", EARLIER_TABLES),
            ),
        ),
        Kind("corrupt", "items that cannot be read (max_corrupt)", JSON),
        Kind("checkpoint headers", "names and shapes of weights", JSON),
        Kind("open_clip", "what open_clip says of its models", JSON),
        Kind("timm", "what timm says of models", JSON),
        Kind("timm tags", "weights that timm knows of models", JSON),
        Kind("multiply_adds", "multiply-adds of encoders, for estimates", JSON),
        Kind(
            "rates", "measured seconds, for estimates", rf"((?:read|encode|text)-{HEX32})\.json"
        ),
        Kind(
            "checkpoints", "nothing in this version", NOTHING,
            earlier=((JSON, "headers of weights of an earlier version"),),
        ),
    )
}  # fmt: skip
