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

    `evaluated` are the numbers of steps after which the held-out loss is measured, the last among them; `kept` those after which the
    state is kept for runs that go on from there.
    """

    batch: Array
    before: Array
    rate: Array
    evaluated: frozenset[int]
    seq_len: int
    kept: frozenset[int] = frozenset()

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
    parts = _parts(spec)
    each = np.concatenate([np.full(count, batch) for batch, count, _ in parts])
    seen = np.concatenate([at + batch * spec.seq_len * np.arange(count) for batch, count, at in parts])
    at = sum(batch * spec.seq_len * count for batch, count, _ in parts)
    ended = seen + each * spec.seq_len
    rate = spec.rate * shares(spec, seen, ended, at)
    places = np.geomspace(EARLIEST, 1.0, spec.evals) if spec.evals > 1 else np.array([1.0])
    kept = np.searchsorted(ended, np.minimum(spec.keep, at) - 0.5) + 1
    evaluated = np.searchsorted(ended, np.minimum(places, 1.0) * at - 0.5) + 1
    forks = [n] if spec.warmup_tokens and 0 < (n := flat(spec, seen / at)) < len(each) else []
    return Plan(
        each,
        seen,
        rate,
        frozenset([*evaluated.tolist(), *kept.tolist(), *forks]),
        spec.seq_len,
        frozenset(kept.tolist()),
    )


def count_steps(spec: Spec) -> int:
    """How many steps a run has, without the memory that laying them out takes. Raises DataError where there would be too many."""
    return sum(count for _, count, _ in _parts(spec))


def _parts(spec: Spec) -> list[tuple[int, int, int]]:
    """The stretches of one batch: its sequences, its steps, and the tokens seen before them. Raises DataError for too many steps."""
    found: list[tuple[int, int, int]] = []
    total, at = 0, 0
    starts = [(0.0, spec.batch), *((stage.tokens, stage.batch) for stage in spec.stages)]
    ends = [*(tokens for tokens, _ in starts[1:]), spec.tokens]
    for (_, batch), end in zip(starts, ends, strict=True):
        size = batch * spec.seq_len
        count = max(0, -int(-(min(end, spec.tokens) - at) // size))
        total += count
        if total > MOST_STEPS:
            raise DataError(f"The run has over {MOST_STEPS:,} steps; take a larger batch or fewer tokens.")
        found.append((batch, count, at))
        at += size * count
    return found


def shares(spec: Spec, begun: Array, ended: Array, total: float) -> Array:
    """The rate as a share of its peak (n,), for steps that begin and end at these tokens (n,) of so many."""
    if spec.warmup_tokens:
        up = np.minimum(1.0, ended / spec.warmup_tokens)
    else:
        up = np.minimum(1.0, ended / total / spec.warmup) if spec.warmup else np.ones(len(begun))
    if spec.schedule == "constant":
        return up
    if spec.schedule == "cosine":
        warm = spec.warm_share
        progress = np.clip((begun / total - warm) / max(1.0 - warm, 1e-12), 0.0, 1.0)
        left = 0.5 * (1.0 + np.cos(np.pi * progress))
    else:
        left = _left(spec, begun / total)
    return np.minimum(up, spec.final + (1.0 - spec.final) * left)


def flat(spec: Spec, begun: Array) -> int:
    """How many steps, which begin at these shares of the run (n,), are made before a linear decay begins."""
    falls = _left(spec, begun) < 1.0
    return int(falls.argmax()) if spec.schedule == "linear" and falls.any() else len(begun)


def _left(spec: Spec, begun: Array) -> Array:
    return np.clip((1.0 - begun) / spec.decay, 0.0, 1.0) if spec.decay else np.ones(len(begun))


def same_until(one: Plan, other: Plan) -> int:
    """The number of steps at the beginning that are the same in both: as many sequences at the same rate."""
    n = min(len(one), len(other))
    differ = (one.batch[:n] != other.batch[:n]) | (one.rate[:n] != other.rate[:n])
    return int(differ.argmax()) if differ.any() else n
