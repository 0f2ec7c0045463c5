"""What a run does at each step: how many sequences, at which rate, and where it is measured; all of it known before it begins."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache
from math import ceil

import numpy as np

from data.errors import DataError
from data.probe.spec import MOST_STEPS, Spec

Array = np.ndarray

EARLIEST = 0.01  # the share of a run at which the first evaluation stands
NOISE_EVERY = 32  # steps from one in whose gradient the parts of the batch are told apart to the next


@dataclass(frozen=True)
class Stretch:
    """So many steps of one batch of `size` tokens, with the tokens `at` that were seen before them and the number of the `first`."""

    batch: int
    count: int
    at: int
    first: int
    size: int


@dataclass(frozen=True, eq=False)
class Plan:
    """The n steps of a run. `batch` (n,) is in sequences, `before` (n,) the tokens seen before each, `rate` (n,) the learning rate.

    `evaluated` are the numbers of steps after which the held-out loss is measured, the last among them; `kept` those after which the
    state is kept for runs that go on from there. What has n entries is laid out when it is first asked for: a run to come may have
    more steps than are worth the memory.
    """

    spec: Spec
    stretches: tuple[Stretch, ...]
    evaluated: frozenset[int]
    kept: frozenset[int] = frozenset()

    def __len__(self) -> int:
        return self.stretches[-1].first + self.stretches[-1].count

    @property
    def seq_len(self) -> int:
        """Tokens of a sequence."""
        return self.spec.seq_len

    @cached_property
    def batch(self) -> Array:
        """Sequences of each step (n,)."""
        return np.concatenate([np.full(one.count, one.batch) for one in self.stretches])

    @cached_property
    def before(self) -> Array:
        """Tokens seen before each step (n,)."""
        return np.concatenate([one.at + one.size * np.arange(one.count) for one in self.stretches])

    @cached_property
    def rate(self) -> Array:
        """The learning rate of each step (n,)."""
        return self.spec.rate * shares(self.spec, self.before, self.before + self.batch * self.seq_len, self.tokens)

    @property
    def tokens(self) -> int:
        """Tokens of the whole run, a whole number of steps."""
        return self.after(len(self))

    def after(self, steps: int) -> int:
        """Tokens seen after so many steps."""
        if not steps:
            return 0
        one = self._of(steps - 1)
        return one.at + one.size * (steps - one.first)

    def batch_of(self, step: int) -> int:
        """Sequences of one step, of which the first is 0."""
        return self._of(step).batch

    def sequences(self, steps: int) -> int:
        """Sequences seen after so many steps."""
        return self.after(steps) // self.seq_len

    def step_at(self, tokens: float) -> int:
        """The step after which a run has seen so many tokens, to half a token."""
        least = tokens - 0.5
        one = next((one for one in self.stretches if one.at + one.size * one.count >= least), None)
        if one is None:
            return len(self) + 1
        k = max(1, ceil((least - one.at) / one.size))
        while k > 1 and one.at + one.size * (k - 1) >= least:  # the quotient was rounded
            k -= 1
        while one.at + one.size * k < least:
            k += 1
        return one.first + k

    def _of(self, step: int) -> Stretch:
        for one in self.stretches:
            if step < one.first + one.count:
                return one
        raise IndexError(f"a run of {len(self)} steps has no step {step}")


@lru_cache(maxsize=20_000)  # more than a sweep has runs, each of which is asked for several times
def planned(spec: Spec) -> Plan:
    """The steps of a run. Raises DataError where there would be too many to count."""
    plan = Plan(spec, tuple(_stretches(spec)), frozenset())
    at = plan.tokens
    kept = {plan.step_at(min(tokens, at)) for tokens in spec.keep}
    evaluated = {plan.step_at(place * at) for place in _places(spec.evals)}
    forks = [n] if spec.warmup_tokens and 0 < (n := flat(plan)) < len(plan) else []
    return replace(plan, evaluated=frozenset([*evaluated, *kept, *forks]), kept=frozenset(kept))


@cache
def _places(evals: int) -> tuple[float, ...]:
    """The shares of a run after which it is evaluated."""
    places = np.geomspace(EARLIEST, 1.0, evals) if evals > 1 else np.array([1.0])
    return tuple(np.minimum(places, 1.0).tolist())


def count_steps(spec: Spec) -> int:
    """How many steps a run has, without the memory that laying them out takes. Raises DataError where there would be too many."""
    return sum(one.count for one in _stretches(spec))


def _stretches(spec: Spec) -> list[Stretch]:
    """The stretches of one batch that have steps. Raises DataError for too many steps."""
    found: list[Stretch] = []
    total, at = 0, 0
    starts = [(0.0, spec.batch), *((stage.tokens, stage.batch) for stage in spec.stages)]
    ends = [*(tokens for tokens, _ in starts[1:]), spec.tokens]
    for (_, batch), end in zip(starts, ends, strict=True):
        size = batch * spec.seq_len
        count = max(0, -int(-(min(end, spec.tokens) - at) // size))
        if count:
            found.append(Stretch(batch, count, at, total, size))
        total += count
        if total > MOST_STEPS:
            raise DataError(f"The run has over {MOST_STEPS:,} steps; take a larger batch or fewer tokens.")
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


def flat(plan: Plan) -> int:
    """How many steps are made before a linear decay begins: all of them where there is none."""
    spec, whole = plan.spec, plan.tokens
    if spec.schedule != "linear" or not spec.decay:
        return len(plan)
    return bisect_left(range(len(plan)), True, key=lambda step: (1.0 - plan.after(step) / whole) / spec.decay < 1.0)


def _left(spec: Spec, begun: Array) -> Array:
    return np.clip((1.0 - begun) / spec.decay, 0.0, 1.0) if spec.decay else np.ones(len(begun))


def same_until(one: Plan, other: Plan) -> int:
    """The number of steps at the beginning that are the same in both: as many sequences at the same rate."""
    n = min(len(one), len(other))
    differ = (one.batch[:n] != other.batch[:n]) | (one.rate[:n] != other.rate[:n])
    return int(differ.argmax()) if differ.any() else n
