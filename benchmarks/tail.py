"""Error rates in the tail: families of equal rows, and intervals of accuracies near 0 and 1.

    python -m benchmarks.tail --studies 2000          ten minutes on one core
    python -m benchmarks.tail --studies 300 --seeds 5 --only families

It prints the tables of docs/statistics.md. Exit code 1: a ceiling is not held where it is promised.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.tail_pairs import Tests, any_false_pair, pair_tests, pairs, power
from benchmarks.tail_rows import ROW_WORLDS, RowWorld, cover
from benchmarks.tail_worlds import WORLDS, Competing, World, simulate

#: False positives of one pair at 0.05 and at 0.01, any false pair of a family, coverage.
MOST_05, MOST_01, MOST_FAMILY, LEAST_COVERED = 0.08, 0.02, 0.10, 0.93
HEAD = (
    "| world | items | S | any false pair | p at most 0.05 | p at most 0.01 | power at 0.05 "
    "| power at 0.05/m |\n| :-- | --: | --: | --: | --: | --: | --: | --: |"
)
ROW_HEAD = (
    "| groups x items | S | accuracy | what decides | coverage | (before) | width | ratio |\n"
    "| --: | --: | --: | :-- | --: | --: | --: | --: |"
)


@dataclass(frozen=True)
class Rates:
    """Of one procedure; false positives are those of the kind of pair that has most."""

    family: float
    at_05: float
    at_01: float
    power: float
    power_m: float

    def held(self, studies: int) -> bool:
        """Whether no rate is above its ceiling by more than the simulation's own error."""
        return hold(self.family, self.at_05, self.at_01, studies)


def hold(family: float, at_05: float, at_01: float, studies: int) -> bool:
    """Whether no rate is above its ceiling by more than the simulation's own error."""
    found = ((family, MOST_FAMILY), (at_05, MOST_05), (at_01, MOST_01))
    return all(rate <= most + _error(most, studies) for rate, most in found)


def rates(tests: Tests, kinds: Sequence[np.ndarray]) -> Rates:
    """`kinds` are masks of pairs that are alike: their false positives are averaged."""
    p_BP = tests.p()
    return Rates(
        any_false_pair(p_BP),
        max(float((p_BP[:, kind] <= 0.05).mean()) for kind in kinds),
        max(float((p_BP[:, kind] <= 0.01).mean()) for kind in kinds),
        power(tests, 0.05),
        power(tests, 0.05 / p_BP.shape[1]),
    )


def family_line(world: World | Competing, seeds: int, studies: int) -> tuple[str, bool]:
    """A line of the table, and whether the ceilings are held where they are promised."""
    tables = simulate(world, seeds, studies)
    i_P, j_P = pairs(tables)
    special = np.isin(i_P, world.special).astype(int) + np.isin(j_P, world.special)
    kinds = [special == n for n in range(3) if (special == n).any()]
    own, shared = (rates(pair_tests(tables, moderated=m), kinds) for m in (False, True))
    cells = [
        f"{getattr(shared, name):.{digits}f} ({getattr(own, name):.{digits}f})"
        for name, digits in (
            ("family", 3), ("at_05", 3), ("at_01", 3), ("power", 2), ("power_m", 2),
        )
    ]  # fmt: skip
    name = world.name if world.held else f"{world.name} *"
    if isinstance(world, World):
        name += f", accuracy {world.accuracy:g}"
    return f"| {name} | {world.items:,} | {seeds} | {' | '.join(cells)} |", (
        shared.held(studies) or not world.held
    )


def row_line(world: RowWorld, studies: int) -> tuple[str, bool]:
    """The same for the interval of one row."""
    found = cover(world, studies)
    line = (
        f"| {world.groups} x {world.size} | {world.seeds or 'none'} | {world.accuracy:g} "
        f"| {world.name} | {found.covered:.3f} | {found.before:.3f} | {100 * found.width:.1f} "
        f"| {found.ratio:.2f} |"
    )
    return line, found.covered >= LEAST_COVERED - _error(LEAST_COVERED, studies)


def _error(rate: float, studies: int) -> float:
    """Two standard errors of a rate; pairs of one study are nearly one observation."""
    return 2 * float((rate * (1 - rate) / studies) ** 0.5)


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--studies", type=int, default=2000)
    parser.add_argument("--seeds", type=int, nargs="+", default=[5, 10])
    parser.add_argument("--only", choices=["families", "rows"])
    options = parser.parse_args(arguments)
    held = True
    if options.only != "rows":
        print(HEAD)
        for seeds in options.seeds:
            for world in WORLDS:
                line, good = family_line(world, seeds, options.studies)
                held = held and good
                print(line, flush=True)
    if options.only != "families":
        print(f"\n{ROW_HEAD}")
        for row in ROW_WORLDS:
            line, good = row_line(row, options.studies)
            held = held and good
            print(line, flush=True)
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
