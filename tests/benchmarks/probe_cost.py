"""How long a probe's step takes here beside what `data.probe.cost` says, over widths, depths, batches and lengths.

`python -m tests.benchmarks.probe_cost` measures and prints the ratio of each; `--fit` prints the costs that fit these steps best, in
the order of `data.probe.cost.PRICES`. CPU time of one thread, so that others on the machine matter less.
"""

from __future__ import annotations

import argparse
import json
import random
import time
from pathlib import Path

import numpy as np

from data.probe.cost import PRICES, evaluation, work
from data.probe.spec import Spec
from data.probe.sweep import sweep

WIDTHS, DEPTHS, BATCHES, LENGTHS, VOCABS = (
    (16, 32, 64, 128, 256),
    (1, 2, 4),
    (4, 16, 64),
    (64, 128, 512),
    (32, 256, 2048),
)
MOST_TOKENS = 16_384  # in one step: what is larger takes too long here
SECONDS = 0.5


def measured(spec: Spec) -> tuple[float, float]:
    """CPU seconds of a step and of an evaluation: medians."""

    from data.probe.trainer.device import device, repeatable
    from data.probe.trainer.evaluate import held_out
    from data.probe.trainer.state import Run
    from data.probe.trainer.step import step

    with repeatable():
        run = Run.begin(spec, device("cpu"))
        for _ in range(2):
            step(run)
        steps: list[float] = []
        while sum(steps) < SECONDS or len(steps) < 5:
            began = time.process_time()
            step(run)
            steps.append(time.process_time() - began)
        began = time.process_time()
        held_out(run, run.weights)
        return float(np.median(steps)), time.process_time() - began


def specs(count: int, seed: int) -> list[Spec]:
    """So many shapes, drawn from all."""
    every = sweep(
        {
            "width": [*WIDTHS],
            "depth": [*DEPTHS],
            "batch": [*BATCHES],
            "seq_len": [*LENGTHS],
            "tokens": 1e8,
            "eval_tokens": 16_384,
        }
    )
    every = [one for one in every if one.batch * one.seq_len <= MOST_TOKENS]
    return random.Random(seed).sample(every, min(count, len(every)))


def main() -> None:
    """Measure, compare, and fit where that is asked for."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--count", type=int, default=40)
    asked.add_argument("--seed", type=int, default=0)
    asked.add_argument("--fit", action="store_true")
    asked.add_argument("--keep", type=Path, help="file to add what was measured to, a line each")
    told = asked.parse_args()
    found = []
    for one in specs(told.count, told.seed):
        step, seen = measured(one)
        found.append((one, step, seen))
        if told.keep:
            with told.keep.open("a") as out:
                out.write(json.dumps([one.width, one.depth, one.batch, one.seq_len, one.vocab, step, seen]) + "\n")
        said, said_seen = float(work(one, one.batch) @ PRICES), float(evaluation(one) @ PRICES)
        print(
            f"width {one.width:4d} depth {one.depth} batch {one.batch:3d} x {one.seq_len:3d} V {one.vocab:4d}: {1e3 * step:8.1f} ms, "
            f"{step / said:.2f} of what is said; evaluation {1e3 * seen:8.1f} ms, {seen / said_seen:.2f}",
            flush=True,
        )
    if told.fit:
        from scipy.optimize import nnls

        rows = np.array(
            [work(one, one.batch) / t for one, t, _ in found] + [evaluation(one) / t for one, _, t in found]
        )
        print(repr(nnls(rows, np.ones(len(rows)))[0]))


if __name__ == "__main__":
    main()
