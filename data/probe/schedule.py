"""What a run does at each step: how many sequences, at which rate, and where it is measured; all of it known before it begins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from data.errors import DataError
from data.probe.spec import MOST_STEPS, Spec

Array = np.ndarray

EARLIEST = 0.01  # the share of a run at which the first evaluation stands
NOISE_EVERY = 32  # steps from one in whose gradient the parts of the batch are told apart to the next


@dataclass(frozen=True, eq=False)
class Plan:
    """The n steps of a run. `batch` (n,) is in sequences, `before` (n,) the tokens seen before each, `rate` (n,) the learning rate.

    `evaluated` are the numbers of steps after which the held-out loss is measured, the last among them.
    """

    batch: Array
    before: Array
    rate: Array
    evaluated: frozenset[int]
    seq_len: int

    def __len__(self) -> int:
        return len(self.batch)

    @property
    def tokens(self) -> int:
        """Tokens of the whole run, a whole number of steps."""
        return self.after(len(self))

    def after(self, steps: int) -> int:
        """Tokens seen after so many steps."""
        return int(self.before[steps - 1] + self.batch[steps - 1] * self.seq_len) if steps else 0

    def sequences(self, steps: int) -> int:
        """Sequences seen after so many steps."""
        return self.after(steps) // self.seq_len


def planned(spec: Spec) -> Plan:
    """The steps of a run. Raises DataError where there would be too many to count."""
    batches: list[Array] = []
    before: list[Array] = []
    total, at = 0, 0
    starts = [(0.0, spec.batch), *((stage.tokens, stage.batch) for stage in spec.stages)]
    ends = [*(tokens for tokens, _ in starts[1:]), spec.tokens]
    for (_, batch), end in zip(starts, ends, strict=True):
        size = batch * spec.seq_len
        count = max(0, -int(-(min(end, spec.tokens) - at) // size))
        total += count
        if total > MOST_STEPS:
            raise DataError(f"The run has over {MOST_STEPS:,} steps; take a larger batch or fewer tokens.")
        batches.append(np.full(count, batch))
        before.append(at + size * np.arange(count))
        at += size * count
    each, seen, places = np.concatenate(batches), np.concatenate(before), np.array([1.0])
    rate = spec.rate * shares(spec, seen / at, (seen + each * spec.seq_len) / at)
    if spec.evals > 1:
        places = np.geomspace(EARLIEST, 1.0, spec.evals)
    evaluated = np.searchsorted(seen + each * spec.seq_len, np.minimum(places, 1.0) * at - 0.5) + 1
    return Plan(each, seen, rate, frozenset(evaluated.tolist()), spec.seq_len)


def shares(spec: Spec, begun: Array, ended: Array) -> Array:
    """The rate as a share of its peak (n,), for steps that begin and end at these shares of the run (n,)."""
    up = np.minimum(1.0, ended / spec.warmup) if spec.warmup else np.ones(len(begun))
    if spec.schedule == "constant":
        return up
    if spec.schedule == "cosine":
        progress = np.clip((begun - spec.warmup) / max(1.0 - spec.warmup, 1e-12), 0.0, 1.0)
        left = 0.5 * (1.0 + np.cos(np.pi * progress))
    else:
        left = np.clip((1.0 - begun) / spec.decay, 0.0, 1.0) if spec.decay else np.ones(len(begun))
    return np.minimum(up, spec.final + (1.0 - spec.final) * left)
