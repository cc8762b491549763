"""One of the processes of bench_exchange: median seconds of a step, with each exchange.

    python benchmarks/exchange_steps.py FILE

A transformer of 86M parameters on few tokens, so that there is little to hide the exchange behind.
The exchanges take turns, so that what else the machine does meets all of them.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import torch
from torch.nn.parallel import DistributedDataParallel

from harness.training.distributed import process_group
from harness.training.exchange import GradientExchange

LAYERS, WIDTH, TOKENS, BATCH = 12, 768, 16, 4
WARM, ROUNDS = 3, 9


def model() -> torch.nn.Module:
    torch.manual_seed(0)
    layer = torch.nn.TransformerEncoderLayer(
        WIDTH, 12, 4 * WIDTH, dropout=0.0, batch_first=True, norm_first=True
    )
    return torch.nn.TransformerEncoder(layer, LAYERS, enable_nested_tensor=False)


def seconds_of(step: Callable[[], object]) -> float:
    began = time.perf_counter()
    step()
    return time.perf_counter() - began


def main(file: Path) -> None:
    torch.set_num_threads(1)
    with process_group() as group:
        x_BTD = torch.randn(BATCH, TOKENS, WIDTH)
        ours, plain = model(), model()
        ddp = DistributedDataParallel(plain, broadcast_buffers=False)
        exchange = GradientExchange(list(ours.parameters()), group)
        optimisers = {m: torch.optim.SGD(m.parameters(), lr=1e-4) for m in (ours, plain)}

        def with_ddp() -> None:
            optimisers[plain].zero_grad()
            # It takes the mean over processes of the gradients; the sum is wanted.
            (ddp(x_BTD).square().mean() * group.size).backward()
            optimisers[plain].step()

        def with_buckets() -> None:
            optimisers[ours].zero_grad()
            with exchange.step(1):
                ours(x_BTD).square().mean().backward()
            optimisers[ours].step()

        steps = {"ddp": with_ddp, "buckets": with_buckets}
        spent: dict[str, list[float]] = {name: [] for name in steps}
        for _ in range(WARM + ROUNDS):
            for name, step in steps.items():
                group.wait()
                spent[name].append(seconds_of(step))
        found: dict[str, float] = {name: median(s[WARM:]) for name, s in spent.items()}
        found["parameters"] = sum(p.numel() for p in ours.parameters())
    file.write_text(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
