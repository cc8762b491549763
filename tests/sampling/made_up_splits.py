"""Made-up split files, and CoOp's rule written a second time."""

from __future__ import annotations

import random

Rows = list[tuple[str, int]]
NAMES = ("red_car", "blue_boat", "green_bus", "old_tram", "new_ship", "small_cab", "big_van")


def split_rows(split: str) -> Rows:
    """Shuffled, classes of 1 to 9 samples, each split in an order of its own."""
    generator = random.Random(split)
    counts = (1, 3, 9, 5, 2, 9, 4)
    rows = [(f"{split}/{c}_{n}.png", c) for c, count in enumerate(counts) for n in range(count)]
    generator.shuffle(rows)
    return rows


def drawn_by_hand(train: Rows, val: Rows, seed: int, k: int) -> list[list[str]]:
    """The rule over dictionaries of names: [train, val]."""
    generator, sets = random.Random(seed), []
    for rows, per_class in ((train, k), (val, min(k, 4))):
        pools: dict[int, list[str]] = {}
        for name, label in rows:
            pools.setdefault(label, []).append(name)
        drawn: list[str] = []
        for pool in pools.values():
            drawn += generator.sample(pool, per_class) if len(pool) >= per_class else pool
        sets.append(drawn)
    return sets
