"""A sequential rule: after how many seeds numbers are looked at, and the level of each look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class LookRule:
    """How `grid --settle` adds seeds. Every Record that was gathered under a rule holds it.

    `levels` are those of the looks; together they are the level of the study.
    """

    name: str
    seeds: tuple[int, ...]  # in the order in which they are added
    sizes: tuple[int, ...]  # how many of them at each look
    levels: tuple[float, ...]

    def __post_init__(self) -> None:
        rising = all(a < b for a, b in zip(self.sizes, self.sizes[1:], strict=False))
        fits = len(self.sizes) == len(self.levels) > 0 and self.sizes[-1] <= len(self.seeds)
        if not (rising and fits and all(0 < level < 1 for level in self.levels)):
            raise ValueError(f"no rule has looks at {self.sizes} seeds at levels {self.levels}")

    def seeds_at(self, look: int) -> tuple[int, ...]:
        """The seeds of a look; the first look is 0."""
        return self.seeds[: self.sizes[look]]

    def look_of(self, seed: int) -> int | None:
        """The first look that has a seed; None for a seed of no look."""
        looks = range(len(self.sizes))
        return next((look for look in looks if seed in self.seeds_at(look)), None)

    def as_json(self) -> dict[str, Any]:
        """As JSON data, without what may change while looks are taken."""
        return {name: list(value) if isinstance(value, tuple) else value
                for name, value in vars(self).items()}  # fmt: skip


def rule_from(data: Mapping[str, Any]) -> LookRule:
    """The rule with this `as_json()`; other keys beside it are left out.

    Raises KeyError, TypeError or ValueError if there is none.
    """
    return LookRule(
        name=str(data["name"]),
        seeds=tuple(int(seed) for seed in data["seeds"]),
        sizes=tuple(int(size) for size in data["sizes"]),
        levels=tuple(float(level) for level in data["levels"]),
    )
